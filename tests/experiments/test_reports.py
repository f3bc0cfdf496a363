from datetime import timedelta

import pytest

from experiments import audit
from experiments.errors import Conflict, InvalidInput, NotFound
from experiments.reports import ReportDraft, find_report, parse_report, write_report
from experiments.store import Store
from tests.samples import NOW, apply

TEXTS = ReportDraft(
    background="A third leave.", insight="It rose by {{purchase.new.lift}}.", actions="- Ship"
)


def test_before_anybody_writes_the_texts_are_empty(store: Store) -> None:
    apply(store)
    with store.read() as session:
        report = find_report(session=session, key="checkout")
    assert (report.texts, report.revision) == (ReportDraft(), 0)


def test_a_text_is_kept_as_it_was_typed_and_every_change_is_recorded(store: Store) -> None:
    apply(store)
    with store.write() as session:
        first = write_report(session=session, key="checkout", draft=TEXTS, revision=0, actor="Ada", now=NOW)
        changed = TEXTS.model_copy(update={"insight": "Nothing."})
        write_report(session=session, key="checkout", draft=changed, revision=1, actor="Bo", now=NOW)
        same = write_report(session=session, key="checkout", draft=changed, revision=2, actor="Cy", now=NOW)
        told = [each for each in audit.history(session=session, object="checkout") if each.action == "report"]
    assert (first.revision, same.revision, same.updated_by) == (1, 2, "Bo")
    assert [each.actor for each in told] == ["Bo", "Ada"]
    assert "{{purchase.new.lift}}" in (told[0].before or "")


def test_who_writes_over_an_unseen_text_is_stopped(store: Store) -> None:
    apply(store)
    with store.write() as session:
        write_report(session=session, key="checkout", draft=TEXTS, revision=0, actor="Ada", now=NOW)
        for revision in (0, 2):
            with pytest.raises(Conflict, match="somebody else"):
                write_report(
                    session=session,
                    key="checkout",
                    draft=ReportDraft(),
                    revision=revision,
                    actor="Bo",
                    now=NOW + timedelta(hours=1),
                )
        assert find_report(session=session, key="checkout").texts == TEXTS


def test_a_report_needs_its_experiment(store: Store) -> None:
    with store.write() as session, pytest.raises(NotFound, match="nowhere"):
        write_report(session=session, key="nowhere", draft=TEXTS, revision=0, actor="Ada", now=NOW)


@pytest.mark.parametrize("text", ["x" * 20_001, "\0", "\ud800", 5, None])
def test_texts_that_cannot_be_kept_are_refused_with_their_place(text: object) -> None:
    with pytest.raises(InvalidInput, match="insight"):
        parse_report({"insight": text})
