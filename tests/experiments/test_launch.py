from typing import Any

import pytest
from sqlmodel import select

from assignment import Detail, decide
from experiments import eligibility, launch, publishing
from experiments.catalog import Experiment, create_experiment, find_experiment, list_experiments
from experiments.decisions import explain
from experiments.errors import InvalidInput, NotAllowed, NotFound
from experiments.lifecycle import BEFORE_START, Status, may_edit, require_move
from experiments.publishing import latest_ruleset, latest_version, publish
from experiments.registry import save_metric
from experiments.store import Store
from experiments.store.tables import PhaseRow, RulesetRow
from tests.samples import DAY, NOW, applied, draft, experiment, metric_draft


def test_starting_opens_the_first_phase_and_publishes(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(status="draft"))
        assert "checkout" not in latest_ruleset(session=session).rules
        started = launch.start(session=session, key="checkout", actor="ada", now=NOW)
        phase = session.exec(select(PhaseRow)).one()
        rule = latest_ruleset(session=session).rules["checkout"]
    assert (started.status, started.started_at, started.phase) == (Status.RUNNING, NOW, 1)
    assert (phase.number, phase.salt, phase.started_at) == (1, started.salt, NOW)
    assert rule.salt == started.salt


def test_stopping_gives_everybody_the_control(store: Store) -> None:
    with store.write() as session:
        applied(session)
        stopped = launch.stop(session=session, key="checkout", actor="ada", now=NOW + DAY)
        ruleset = latest_ruleset(session=session)
        phase = session.exec(select(PhaseRow)).one()
    assert (stopped.status, stopped.stopped_at, phase.stopped_at) == (Status.STOPPED, NOW + DAY, NOW + DAY)
    decision = decide(ruleset, "checkout", unit="u1")
    assert (decision.variant, decision.value, decision.detail) == ("excluded", "v1", Detail.NOT_RUNNING)


def test_going_on_after_a_stop_moves_nobody(store: Store) -> None:
    with store.write() as session:
        applied(session)
        before = latest_ruleset(session=session).rules["checkout"]
        launch.stop(session=session, key="checkout", actor="ada", now=NOW + DAY)
        again = launch.start(session=session, key="checkout", actor="ada", now=NOW + 2 * DAY)
        after = latest_ruleset(session=session).rules["checkout"]
        phase = session.exec(select(PhaseRow)).one()
    assert after == before
    assert (again.started_at, again.stopped_at, again.phase) == (NOW, None, 1)
    assert phase.stopped_at is None


def test_a_stopped_experiment_is_not_open_for_editing(store: Store) -> None:
    with store.write() as session:
        applied(session)
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        with pytest.raises(NotAllowed, match="variants"):
            launch.edit(
                session=session,
                draft=draft(variants=[{"key": "old"}, {"key": "new", "weight": 3}]),
                actor="ada",
                now=NOW,
            )


def test_a_file_may_define_an_experiment_that_is_over(store: Store) -> None:
    with store.write() as session:
        assert applied(session, experiment(status="stopped"))[-1] == "stopped checkout"
        assert applied(session, experiment(status="stopped")) == ["unchanged purchase", "unchanged checkout"]


def test_a_draft_in_a_file_does_not_stop_what_runs(store: Store) -> None:
    with store.write() as session:
        applied(session)
        applied(session, experiment(status="draft"))
        assert find_experiment(session=session, key="checkout").status is Status.RUNNING


def test_moves_that_the_life_of_an_experiment_does_not_know_are_refused(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(status="draft"))
        with pytest.raises(NotAllowed, match="checkout is draft"):
            launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        with pytest.raises(NotFound, match="nothing_here"):
            launch.start(session=session, key="nothing_here", actor="ada", now=NOW)


@pytest.mark.parametrize("status", Status)
def test_no_status_moves_to_itself_and_only_drafts_are_open(status: Status) -> None:
    with pytest.raises(NotAllowed):
        require_move("key", status, status)
    assert may_edit(status) is (status in BEFORE_START)


def test_an_archived_experiment_stays_archived() -> None:
    for wanted in Status:
        with pytest.raises(NotAllowed, match="nothing"):
            require_move("key", Status.ARCHIVED, wanted)


def test_publishing_makes_a_version_only_when_something_has_changed(store: Store) -> None:
    with store.write() as session:
        applied(session)
        version = latest_version(session=session)
        for _ in range(3):
            assert publish(session=session, now=NOW).version == version
        applied(session, experiment(name="Only a name"))
        assert latest_version(session=session) == version
        applied(session, experiment(name="Only a name", overrides={"u1": "new"}))
        assert latest_version(session=session) == version + 1


def test_a_file_of_many_experiments_is_published_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = []

    def listing(**narrowed: Any) -> list[Experiment]:
        found = list_experiments(**narrowed)
        listed.append(len(found))
        return found

    monkeypatch.setattr(publishing, "list_experiments", listing)
    monkeypatch.setattr(eligibility, "list_experiments", listing)
    many = [experiment(f"e{number}") for number in range(20)]
    with store.write() as session:
        applied(session, *many)
        assert listed == [20]
        assert latest_version(session=session) == 1
        assert len(latest_ruleset(session=session).rules) == 20
        applied(session, *many, experiment("one-more"))
        assert latest_version(session=session) == 2


def test_a_file_that_is_refused_does_not_keep_others_from_being_published(store: Store) -> None:
    with store.write() as session:
        with pytest.raises(InvalidInput), session.begin_nested():
            applied(session, experiment(targeting={"segment": "nobody"}))
        applied(session)
        assert latest_version(session=session) == 1


def test_what_is_published_reads_back_as_it_was_written(store: Store) -> None:
    with store.write() as session:
        applied(
            session,
            experiment(
                targeting={"all": [{"attribute": "country", "operator": "in", "value": ["NO", "SE"]}]},
                overrides={"ü1": "new"},
                variants=[
                    {"key": "old", "value": {"deep": [1, 2.0, None, "ø"]}},
                    {"key": "new", "value": 3.0},
                ],
            ),
        )
        published = publish(session=session, now=NOW)
        restored = latest_ruleset(session=session)
    assert restored == published
    assert not restored.broken
    assert repr(restored.rules["checkout"].by_key["new"].value) == "3.0"


def test_a_variant_without_a_value_hands_out_its_key(store: Store) -> None:
    # A value of null makes OpenFeature clients fall back to the default in the code, whatever was assigned.
    with store.write() as session:
        applied(session, experiment(variants=[{"key": "old"}, {"key": "new", "value": False}]))
        rule = latest_ruleset(session=session).rules["checkout"]
    assert [variant.value for variant in rule.variants] == ["old", False]


def test_a_stored_rule_that_is_broken_leaves_the_others_in_force(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment("one"), experiment("two"))
        row = session.exec(select(RulesetRow).order_by(RulesetRow.version.desc())).first()  # type: ignore[union-attr]  # SQLModel types a column as its values
        assert row is not None
        row.document = row.document.replace('"state":"running"', '"state":"dancing"', 1)
    with store.read() as session:
        ruleset = latest_ruleset(session=session)
    assert (list(ruleset.rules), list(ruleset.broken)) == (["two"], ["one"])


def test_experiments_that_another_system_assigns_are_not_published(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(assignment="external"))
        assert latest_ruleset(session=session).rules == {}
        with pytest.raises(InvalidInput, match="assigned by another system"):
            explain(session=session, key="checkout", unit="u1", attributes={})


def test_a_decision_is_explained_and_a_draft_has_none(store: Store) -> None:
    with store.write() as session:
        applied(session)
        save_metric(session=session, draft=metric_draft(), actor="ada", now=NOW)
        create_experiment(session=session, draft=draft("later"), actor="ada", now=NOW)
        ruleset = latest_ruleset(session=session)
        assert explain(session=session, key="checkout", unit="u1", attributes={}) == decide(
            ruleset, "checkout", unit="u1"
        )
        with pytest.raises(InvalidInput, match="is a draft"):
            explain(session=session, key="later", unit="u1", attributes={})


def test_salts_differ_and_are_never_the_key(store: Store) -> None:
    with store.write() as session:
        applied(session, *(experiment(f"shop_{number}") for number in range(20)))
        salts = {rule.salt for rule in latest_ruleset(session=session).rules.values()}
    assert len(salts) == 20
    assert all(salt.isascii() and "shop" not in salt and len(salt) >= 16 for salt in salts)
