from pathlib import Path
from typing import Any

import pytest

from experiments.analyses import analyse, analyse_all, statement_question
from experiments.catalog import find_experiment
from experiments.definition import parse_metric
from experiments.errors import InvalidInput, NotFound
from experiments.launch import edit
from experiments.metric_uses import chosen_metrics, users_of
from experiments.observe.engines import Embedded
from experiments.registry import list_versions, made_of, save_metric
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, append
from tests.samples import DAY, NOW, apply, experiment, metric

SPEND = {"key": "spend", "kind": "mean", "event": "buy"}
ORDERS = {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count"}
RATIO = {"key": "aov", "kind": "ratio", "numerator": "spend", "denominator": "orders"}


def save(store: Store, document: dict[str, Any], after: int = 1) -> None:
    with store.write() as session:
        save_metric(session=session, draft=parse_metric(document), actor="t", now=NOW + after * DAY)


def versions_of(store: Store, key: str = "checkout") -> dict[str, int]:
    with store.read() as session:
        chosen = chosen_metrics(session=session, experiment=find_experiment(session=session, key=key))
    return {name: each.version for name, each in (chosen.planned | chosen.others).items()}


def test_a_running_experiment_keeps_the_versions_that_it_began_with(store: Store) -> None:
    apply(store, experiment(metrics={"primary": ["aov"]}), metrics=[SPEND, ORDERS, RATIO])
    save(store, {**SPEND, "cap": {"quantile": 0.99}})
    assert versions_of(store) == {"aov": 1, "spend": 1, "orders": 1}
    apply(store, experiment("later", status="draft", metrics={"primary": ["spend"]}), metrics=[ORDERS])
    assert versions_of(store, "later") == {"spend": 2}


def test_a_new_phase_takes_the_newest_versions(store: Store) -> None:
    apply(store, experiment())
    save(store, metric(window="7d"))
    assert versions_of(store) == {"purchase": 1}
    with store.write() as session:
        draft = find_experiment(session=session, key="checkout").definition
        changed = draft.model_copy(update={"traffic": 5_000})
        edit(session=session, draft=changed, actor="t", now=NOW + 2 * DAY, new_phase=True)
    assert versions_of(store) == {"purchase": 2}


def test_a_metric_that_joins_later_begins_with_its_first_version(store: Store) -> None:
    apply(store, experiment(metrics={"primary": ["purchase"]}))
    save(store, SPEND)
    save(store, {**SPEND, "window": "7d"}, after=2)
    with store.write() as session:
        draft = find_experiment(session=session, key="checkout").definition
        roles = draft.metrics.model_copy(update={"secondary": ("spend",)})
        edit(session=session, draft=draft.model_copy(update={"metrics": roles}), actor="t", now=NOW + 3 * DAY)
    assert versions_of(store) == {"purchase": 1, "spend": 1}


def test_the_registry_knows_versions_users_and_what_is_made_of_a_metric(store: Store) -> None:
    apply(store, experiment(metrics={"primary": ["aov"]}), metrics=[SPEND, ORDERS, RATIO])
    save(store, {**SPEND, "window": "7d"})
    with store.read() as session:
        assert [each.metric.version for each in list_versions(session=session, key="spend")] == [2, 1]
        assert [each.key for each in users_of(session=session, key="orders")] == ["checkout"]
        assert [each.key for each in made_of(session=session, key="orders")] == ["aov"]
        with pytest.raises(NotFound, match="nothing"):
            list_versions(session=session, key="nothing")


def test_a_plan_becomes_a_question_and_its_readout(store: Store, tmp_path: Path) -> None:
    plan = {"cuped": {"days": 7, "metrics": ["orders"]}, "bots": {"events_per_day": 50}, "session_gap": 10}
    asked = experiment(metrics={"primary": ["aov"], "secondary": ["spend"]}, plan=plan, segments=["country"])
    apply(store, asked, metrics=[SPEND, ORDERS, RATIO])
    with store.read() as session:
        question = statement_question(session=session, key="checkout", now=NOW + DAY)
    assert (question.back, question.also, question.gap) == (7 * 86_400_000, ("orders",), 600_000)
    assert [each.key for each in question.counted] == ["spend", "orders"]
    at = to_millis(NOW)
    with store.write() as session:
        append(
            session=session,
            records=[
                *(Exposure(f"x{n}", "checkout", f"u{n}", None, "old", at, at) for n in range(9)),
                *(Event(f"e{n}", f"u{n}", None, "buy", n, at - n, at) for n in range(9)),
            ],
        )
    engine = Embedded(store, tmp_path / "c.duckdb")
    snapshot = analyse(store=store, engine=engine, key="checkout", now=NOW + DAY, version="1")
    planned = snapshot.readout.plan
    assert planned.metrics[0].covariates == ("spend_before", "orders_before", "seen_before")
    assert planned.metrics[1].covariates == ("spend_before", "orders_before", "seen_before")
    assert (planned.segments, planned.looked) == (("country",), 0)
    again = analyse(
        store=store,
        engine=engine,
        key="checkout",
        now=NOW + 2 * DAY,
        version="1",
    )
    assert again.readout.plan.looked == 1


def test_several_experiments_are_analysed_over_one_copy(store: Store, tmp_path: Path) -> None:
    apply(store, experiment(), experiment("second"))
    engine = Embedded(store, tmp_path / "c.duckdb")
    found = analyse_all(
        store=store,
        engine=engine,
        keys=["second", "checkout"],
        now=NOW + DAY,
        version="1",
    )
    assert [each.experiment for each in found] == ["second", "checkout"]


def test_a_segment_that_no_engine_can_count_is_refused_before_the_start(store: Store) -> None:
    new_app = {"key": "new_app", "condition": {"attribute": "app", "operator": "version_ge", "value": "2.0"}}
    document = {
        "metrics": [metric()],
        "segments": [new_app],
        "experiments": [experiment(segments=["new_app"])],
    }
    from experiments.definition import Definitions
    from experiments.launch import apply as apply_file

    with pytest.raises(InvalidInput, match="segment new_app: version_ge"), store.write() as session:
        apply_file(session=session, definitions=Definitions.model_validate(document), actor="t", now=NOW)
