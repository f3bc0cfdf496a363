import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from analysis import Observation, Plan, Readout
from experiments import readouts
from experiments.analyses import analyse, plan_of, statement_question
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput, NotFound
from experiments.observe import text_of
from experiments.observe.engines import Embedded
from experiments.registry import find_metrics
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import append
from experiments.store.tables import SnapshotRow
from tests.samples import DAY, NOW, apply, event, experiment, exposure, metric

RICH = experiment(
    metrics={
        "primary": ["purchase"],
        "secondary": ["spend"],
        "guardrails": [{"metric": "refund", "margin": 0.1}],
    },
    plan={"size": 1_000, "mde": 0.05, "days": 14},
    starts="2026-03-15",
)
METRICS = [
    metric(),
    metric("spend", kind="mean", event="purchase", cap={"quantile": 0.99}),
    metric("refund", direction="decrease", window="1d"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "columns.duckdb"


def fill(store: Store, first: int = 0, last: int = 60) -> None:
    at = to_millis(NOW)
    with store.write() as session:
        append(
            session=session,
            records=[
                *(
                    exposure(n, variant="new" if n % 2 else "old", occurred_at=at + n * 3_600_000)
                    for n in range(first, last)
                ),
                *(event(n, value=n / 7, occurred_at=at + n * 3_600_000) for n in range(first, last, 3)),
            ],
        )


def run(store: Store, copy: Path, *, after: timedelta = 5 * DAY, key: str = "checkout") -> readouts.Snapshot:
    return analyse(store=store, engine=Embedded(store, copy), key=key, now=NOW + after, version="9.9")


def test_an_analysis_is_kept_with_its_moment_and_version(store: Store, copy: Path) -> None:
    apply(store, RICH, metrics=METRICS)
    fill(store)
    snapshot = run(store, copy)
    document = snapshot.document
    assert (document["experiment"], document["version"], document["phase"]) == ("checkout", "9.9", 1)
    assert document["as_of"] == (NOW + 5 * DAY).isoformat()
    assert document["units"] == {"old": 30, "new": 30}
    assert {row["metric"] for row in document["comparisons"]} == {"purchase", "spend", "refund"}
    with store.read() as session:
        assert readouts.latest(session=session, key="checkout") == snapshot
        assert readouts.latest_of_all(session=session) == {"checkout": snapshot}


def test_a_snapshot_never_changes_when_the_data_do(store: Store, copy: Path) -> None:
    apply(store, RICH, metrics=METRICS)
    fill(store)
    first = run(store, copy)
    with store.read() as session:
        before = session.exec(select(SnapshotRow)).one().model_dump()
    fill(store, 60, 90)
    second = run(store, copy)
    assert second.id != first.id
    assert sum(second.document["units"].values()) == 90
    with store.read() as session:
        assert session.get_one(SnapshotRow, first.id).model_dump() == before
        newest = readouts.latest(session=session, key="checkout")
    assert newest == second


def test_a_readout_can_be_computed_again_to_the_same_bytes(store: Store, copy: Path) -> None:
    apply(store, RICH, metrics=METRICS)
    fill(store)
    snapshot = run(store, copy)
    with store.read() as session:
        assert readouts.recompute(session=session, snapshot=snapshot) == snapshot.text


def test_an_altered_readout_is_noticed(store: Store, copy: Path) -> None:
    apply(store)
    fill(store)
    snapshot = run(store, copy)
    with store.write() as session:
        row = session.get_one(SnapshotRow, snapshot.id)
        row.readout = row.readout.replace('"units":{"old":30', '"units":{"old":31')
    with store.read() as session:
        altered = readouts.latest(session=session, key="checkout")
        assert altered is not None
        assert readouts.recompute(session=session, snapshot=altered) != altered.text


def test_readout_plan_and_observation_read_back_as_they_were_written(store: Store, copy: Path) -> None:
    apply(store, RICH, metrics=METRICS)
    fill(store)
    snapshot = run(store, copy)
    readout = snapshot.readout
    assert Readout.from_json(json.loads(json.dumps(readout.to_json()))) == readout
    assert json.dumps(readout.to_json(), ensure_ascii=False, separators=(",", ":")) == snapshot.text
    assert Plan.from_json(json.loads(json.dumps(readout.plan.to_json()))) == readout.plan
    with store.read() as session:
        stored = session.get_one(SnapshotRow, snapshot.id).observation
    assert json.loads(stored) == Observation.from_json(json.loads(stored)).to_json()


def test_the_plan_says_what_the_definition_says(store: Store) -> None:
    apply(store, RICH, metrics=METRICS)
    with store.read() as session:
        found = find_experiment(session=session, key="checkout")
        plan = plan_of(found, find_metrics(session=session, keys=found.definition.metrics.keys))
    assert (plan.inference, plan.size, plan.mde, plan.days) == ("sequential", 1_000, 0.05, 14)
    assert [(each.key, str(each.role), each.margin) for each in plan.metrics] == [
        ("purchase", "primary", None),
        ("refund", "guardrail", 0.1),
        ("spend", "secondary", None),
    ]
    assert not plan.closed


def test_a_small_ramp_is_judged_by_the_buckets_it_handed_out(store: Store) -> None:
    three = [{"key": "old"}, {"key": "new"}, {"key": "other"}]
    apply(store, experiment(variants=three, traffic=10), experiment("all", variants=three))
    with store.read() as session:
        plans = {
            key: plan_of(
                find_experiment(session=session, key=key), find_metrics(session=session, keys=["purchase"])
            )
            for key in ("checkout", "all")
        }
    assert plans["checkout"].weights == {"old": 3.0, "new": 3.0, "other": 3.0}
    assert sum(plans["all"].weights.values()) == 10_000


def test_an_experiment_of_others_is_judged_by_its_planned_weights(store: Store) -> None:
    weights = [{"key": "old", "weight": 1}, {"key": "new", "weight": 2}]
    apply(store, experiment(variants=weights, assignment="external", traffic=1))
    with store.read() as session:
        found = find_experiment(session=session, key="checkout")
        plan = plan_of(found, find_metrics(session=session, keys=["purchase"]))
    assert plan.weights == {"old": 1.0, "new": 2.0}


def test_a_draft_and_an_unknown_experiment_have_nothing_to_analyse(store: Store, copy: Path) -> None:
    apply(store, experiment(status="draft"))
    with pytest.raises(InvalidInput, match="is a draft"):
        run(store, copy)
    with pytest.raises(NotFound, match="nothing_here"):
        run(store, copy, key="nothing_here")
    with store.read() as session:
        assert readouts.latest(session=session, key="checkout") is None


def test_an_experiment_without_data_gets_a_readout_that_claims_nothing(store: Store, copy: Path) -> None:
    apply(store, RICH, metrics=METRICS)
    document = run(store, copy).document
    assert document["units"] == {"old": 0, "new": 0}
    assert {row["reading"] for row in document["comparisons"]} == {"not_estimable"}
    assert document["verdict"]["recommendation"] not in ("ship", "roll_back")


def test_the_statement_behind_the_numbers_can_be_shown(store: Store) -> None:
    apply(store, RICH, metrics=METRICS)
    with store.read() as session:
        text = text_of(statement_question(session=session, key="checkout", now=NOW))
    assert "'checkout'" in text
    assert text.lstrip().startswith("WITH")


def test_the_demo_draws_the_published_counts_and_the_same_ones_every_time() -> None:
    from experiments.demo import HEADLINE_TESTS, records
    from experiments.store.ledger import Event, Exposure

    for test in HEADLINE_TESTS:
        drawn = list(records(test, received_at=NOW))
        assert drawn == list(records(test, received_at=NOW))
        assert len({each.message_id for each in drawn}) == len(drawn)
        clicked = {each.user_id for each in drawn if isinstance(each, Event)}
        shown = [each for each in drawn if isinstance(each, Exposure)]
        for variant, (impressions, clicks) in test.counts.items():
            units = [each.user_id for each in shown if each.variant == variant]
            assert (len(units), sum(unit in clicked for unit in units)) == (impressions, clicks)
