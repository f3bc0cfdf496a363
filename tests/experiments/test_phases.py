"""No edit moves a unit that was already assigned, unless it says so; and then lots are drawn again."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from assignment import Decision, Ruleset, decide
from experiments import launch
from experiments.catalog import Experiment, create_experiment, find_experiment
from experiments.definition import Definitions, ExperimentDraft
from experiments.errors import Conflict, InvalidInput, NotAllowed
from experiments.lifecycle import Status
from experiments.publishing import latest_ruleset
from experiments.store import Store
from experiments.store.tables import AuditRow, PhaseRow
from tests.samples import DAY, NOW, draft, experiment, metric

UNITS = [f"user-{number}" for number in range(300)]
NORWAY = {"attribute": "country", "operator": "eq", "value": "NO"}
PRICING = {"layer": "pricing", "slots": [[0, 9_000]]}
RUNNING: dict[str, Any] = {"traffic": 5_000, **PRICING, "targeting": NORWAY, "holdouts": ["year"]}

MOVING: list[dict[str, Any]] = [
    {"traffic": 4_999},
    {"control": "new"},
    {"variants": [{"key": "old", "value": "v1"}, {"key": "new", "value": "v2", "weight": 2}]},
    {"variants": [{"key": "old", "value": "v1"}, {"key": "new", "value": "another"}]},
    {"variants": [{"key": "new", "value": "v2"}, {"key": "old", "value": "v1"}]},
    {"variants": [{"key": "old", "value": "v1"}, {"key": "new", "value": "v2"}, {"key": "third"}]},
    {"targeting": None},
    {"targeting": {"not": NORWAY}},
    {"unit": "anonymous_id"},
    {"layer": None, "slots": []},
    {"slots": [[0, 9_500]]},
    {"slots": [[500, 9_000]]},
    {"holdouts": []},
    {"holdouts": None},
]

SAFE: list[dict[str, Any]] = [
    {"name": "A better name"},
    {"description": "More words", "tags": ["new"], "owner": "Ada"},
    {"hypothesis": {"because": "of this"}},
    {
        "variants": [
            {"key": "old", "value": "v1", "name": "Old"},
            {"key": "new", "value": "v2", "name": "New"},
        ]
    },
    {"traffic": 8_000},
    {"ends": "2027-01-01"},
    {"metrics": {"primary": ["purchase"], "secondary": ["refund"]}},
]


class Undone(Exception):
    """Takes back what an example has written."""


def world() -> Definitions:
    """One running experiment that stands on a layer, a holdout and targeting."""
    return Definitions.model_validate(
        {
            "layers": [{"key": "pricing"}],
            "holdouts": [{"key": "year", "share": 1_000}],
            "metrics": [metric(), metric("refund")],
            "experiments": [experiment(**RUNNING)],
        }
    )


def begin(session: Session) -> None:
    launch.apply(session=session, definitions=world(), actor="ada", now=NOW)


def changed(**changes: Any) -> ExperimentDraft:
    return draft(**{**RUNNING, **changes})


def edit(session: Session, wanted: ExperimentDraft, **options: Any) -> Experiment:
    return launch.edit(session=session, draft=wanted, actor="ada", now=NOW + DAY, **options)


def decisions(ruleset: Ruleset) -> dict[str, Decision]:
    attributes = {"country": "NO"}
    return {unit: decide(ruleset, "checkout", unit=unit, attributes=attributes) for unit in UNITS}


def placed(ruleset: Ruleset) -> dict[str, tuple[str | None, Any]]:
    """What each assigned unit has."""
    return {
        unit: (answer.variant, answer.value)
        for unit, answer in decisions(ruleset).items()
        if answer.in_experiment
    }


@pytest.mark.parametrize("changes", MOVING, ids=str)
def test_an_edit_that_moves_units_is_refused_unless_a_new_phase_is_meant(
    store: Store, changes: dict[str, Any]
) -> None:
    with store.write() as session:
        begin(session)
        before = find_experiment(session=session, key="checkout")
        published = latest_ruleset(session=session)
        with pytest.raises(NotAllowed, match="new phase"):
            edit(session, changed(**changes))
        assert find_experiment(session=session, key="checkout") == before
        assert latest_ruleset(session=session) == published
        after = edit(session, changed(**changes), new_phase=True)
        first, second = session.exec(select(PhaseRow).order_by(col(PhaseRow.number)))
    assert (after.phase, after.status) == (2, Status.RUNNING)
    assert after.salt != before.salt
    assert (first.salt, first.stopped_at) == (before.salt, NOW + DAY)
    assert (second.salt, second.started_at, second.stopped_at) == (after.salt, NOW + DAY, None)


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("changes", SAFE, ids=str)
def test_a_safe_edit_needs_no_phase_and_takes_none(
    store: Store, changes: dict[str, Any], stopped: bool
) -> None:
    with store.write() as session:
        begin(session)
        if stopped:
            launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        for new_phase in (False, True):
            after = edit(session, changed(**changes), new_phase=new_phase)
            assert after.phase == 1
        assert len(session.exec(select(PhaseRow)).all()) == 1


def test_a_new_phase_draws_lots_again(store: Store) -> None:
    with store.write() as session:
        begin(session)
        before = placed(latest_ruleset(session=session))
        edit(session, changed(slots=[[0, 9_500]]), new_phase=True)
        ruleset = latest_ruleset(session=session)
    after = placed(ruleset)
    both = before.keys() & after.keys()
    same = sum(before[unit] == after[unit] for unit in both)
    assert 0.3 < same / len(both) < 0.7
    assert {answer.phase for answer in decisions(ruleset).values()} == {2}


def test_a_stopped_experiment_opens_its_new_phase_when_it_goes_on(store: Store) -> None:
    with store.write() as session:
        begin(session)
        salt = find_experiment(session=session, key="checkout").salt
        launch.stop(session=session, key="checkout", actor="ada", now=NOW + DAY)
        after = edit(session, changed(traffic=100), new_phase=True)
        assert (after.phase, after.status) == (2, Status.STOPPED)
        assert after.salt != salt
        again = launch.start(session=session, key="checkout", actor="ada", now=NOW + 3 * DAY)
        first, second = session.exec(select(PhaseRow).order_by(col(PhaseRow.number)))
        rule = latest_ruleset(session=session).rules["checkout"]
    assert (first.stopped_at, second.started_at, second.stopped_at) == (NOW + DAY, NOW + 3 * DAY, None)
    assert (rule.salt, rule.traffic, rule.holdouts, again.started_at) == (after.salt, 100, ("year",), NOW)


def test_a_file_says_new_phase_for_all_that_it_moves_and_only_for_that(store: Store) -> None:
    texts = {"name": "Said better"}
    with store.write() as session:
        both = [experiment(), experiment("search")]
        first = Definitions.model_validate({"metrics": [metric()], "experiments": both})
        launch.apply(session=session, definitions=first, actor="ada", now=NOW)
        edited = [experiment(traffic=10), experiment("search", **texts)]
        second = Definitions.model_validate({"experiments": edited})
        with pytest.raises(NotAllowed, match="traffic"):
            launch.apply(session=session, definitions=second, actor="ada", now=NOW)
        launch.apply(session=session, definitions=second, actor="ada", now=NOW, new_phase=True)
        phases = {key: find_experiment(session=session, key=key).phase for key in ("checkout", "search")}
    assert phases == {"checkout": 2, "search": 1}


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.text("abc", max_size=3),
                "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
                "traffic": st.integers(0, 10_000),
                "ends": st.sampled_from([None, "2027-01-01", "2028-01-01"]),
                "metrics": st.sampled_from(
                    [{"primary": ["purchase"]}, {"primary": ["purchase"], "secondary": ["refund"]}]
                ),
                "slots": st.sampled_from([[[0, 9_000]], [[0, 5_000], [5_000, 10_000]]]),
                "targeting": st.sampled_from([NORWAY, None]),
                "holdouts": st.sampled_from([["year"], None, []]),
                "variants": st.sampled_from([SAFE[3]["variants"], MOVING[2]["variants"]]),
            },
        ),
        max_size=6,
    )
)
def test_no_sequence_of_allowed_edits_moves_a_unit(store: Store, edits: list[dict[str, Any]]) -> None:
    with suppress(Undone), store.write() as session:
        begin(session)
        document = dict(RUNNING)
        for changes in edits:
            before = placed(latest_ruleset(session=session))
            try:
                edit(session, draft(**{**document, **changes}))
            except NotAllowed:
                assert placed(latest_ruleset(session=session)) == before
                continue
            document |= changes
            after = placed(latest_ruleset(session=session))
            assert {unit: after[unit] for unit in before} == before
        raise Undone


def test_a_shipped_variant_is_everybodys_for_good(store: Store) -> None:
    with store.write() as session:
        begin(session)
        with pytest.raises(NotAllowed, match="running"):
            launch.conclude(session=session, key="checkout", ship="new", actor="ada", now=NOW)
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        with pytest.raises(InvalidInput, match="no variant 'neither'"):
            launch.conclude(session=session, key="checkout", ship="neither", actor="ada", now=NOW)
        launch.conclude(session=session, key="checkout", ship="new", actor="ada", now=NOW)
        ruleset = latest_ruleset(session=session)
        with pytest.raises(NotAllowed, match="kept as it was"):
            edit(session, changed(name="Afterwards"), new_phase=True)
        with pytest.raises(NotAllowed):
            launch.start(session=session, key="checkout", actor="ada", now=NOW)
    answers = decisions(ruleset).values()
    assert {(each.variant, each.value, each.in_experiment) for each in answers} == {("new", "v2", False)}


def test_rolling_back_leaves_everybody_with_the_control(store: Store) -> None:
    with store.write() as session:
        begin(session)
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        launch.conclude(session=session, key="checkout", actor="ada", now=NOW)
        answers = decisions(latest_ruleset(session=session)).values()
    assert {(each.variant, each.value, each.exposes) for each in answers} == {("excluded", "v1", False)}


def test_an_archived_experiment_is_unknown_and_its_key_is_never_used_again(store: Store) -> None:
    with store.write() as session:
        begin(session)
        with pytest.raises(NotAllowed):
            launch.archive(session=session, key="checkout", actor="ada", now=NOW)
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        launch.archive(session=session, key="checkout", actor="ada", now=NOW)
        assert "checkout" not in latest_ruleset(session=session).rules
        with pytest.raises(Conflict, match="never used twice"):
            create_experiment(session=session, draft=draft(), actor="ada", now=NOW)
        with pytest.raises(NotAllowed, match="archived"):
            edit(session, changed(name="Again"), new_phase=True)


def test_the_second_of_two_editors_is_told_and_nothing_is_overwritten(store: Store) -> None:
    with store.write() as session:
        begin(session)
        seen = find_experiment(session=session, key="checkout").revision
        edit(session, changed(name="Ada's"), revision=seen)
        with pytest.raises(Conflict, match="somebody else"):
            edit(session, changed(name="Ben's"), revision=seen)
        with pytest.raises(Conflict, match="somebody else"):
            launch.stop(session=session, key="checkout", actor="ben", now=NOW, revision=seen)
        now = find_experiment(session=session, key="checkout")
        assert (now.title, now.status) == ("Ada's", Status.RUNNING)
        launch.stop(session=session, key="checkout", actor="ben", now=NOW, revision=now.revision)


def test_review_lies_between_a_draft_and_its_start(store: Store) -> None:
    with store.write() as session:
        document = world().model_copy(update={"experiments": (draft(status="draft"),)})
        launch.apply(session=session, definitions=document, actor="ada", now=NOW)
        launch.submit(session=session, key="checkout", actor="ada", now=NOW)
        assert "checkout" not in latest_ruleset(session=session).rules
        assert edit(session, draft(traffic=10)).status is Status.REVIEW
        assert launch.start(session=session, key="checkout", actor="ada", now=NOW).phase == 1
        said = session.exec(select(AuditRow.action).where(AuditRow.object == "checkout")).all()
    assert said == ["create", "review", "edit", "running"]
