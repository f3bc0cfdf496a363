from typing import Any

import pytest

from experiments import audit, catalog, launch, registry
from experiments.definition import parse_metric
from experiments.errors import Conflict, InvalidInput, NotAllowed, NotFound
from experiments.lifecycle import Status
from experiments.publishing import latest_ruleset, latest_version
from experiments.store import Store
from experiments.store.tables import MetricRow
from tests.samples import DAY, NOW, applied, apply, definitions, draft, experiment, metric, metric_draft


def test_applying_the_same_file_again_changes_nothing(store: Store) -> None:
    with store.write() as session:
        assert applied(session) == ["created purchase", "created checkout", "started checkout"]
    with store.read() as session:
        before = catalog.find_experiment(session=session, key="checkout"), latest_version(session=session)
        entries = len(audit.history(session=session, object="checkout"))
    with store.write() as session:
        assert applied(session) == ["unchanged purchase", "unchanged checkout"]
    with store.read() as session:
        after = catalog.find_experiment(session=session, key="checkout"), latest_version(session=session)
        assert after == before
        assert len(audit.history(session=session, object="checkout")) == entries


def test_a_file_that_is_wrong_in_one_place_changes_nothing_at_all(store: Store) -> None:
    second = experiment("second", metrics={"primary": ["missing"]})
    with pytest.raises(InvalidInput, match="second"), store.write() as session:
        applied(session, experiment(), second)
    with store.read() as session:
        assert catalog.list_experiments(session=session) == []
        assert registry.list_metrics(session=session) == []
        assert latest_version(session=session) == 0


def test_a_key_is_never_used_twice(store: Store) -> None:
    with store.write() as session:
        applied(session)
    with pytest.raises(Conflict, match="never used twice"), store.write() as session:
        catalog.create_experiment(session=session, draft=draft(name="Another"), actor="ada", now=NOW)
    with store.write() as session:
        assert catalog.find_experiment(session=session, key="checkout").title == "checkout"


def test_a_missing_metric_is_named(store: Store) -> None:
    with pytest.raises(InvalidInput, match="purchase"), store.write() as session:
        catalog.create_experiment(session=session, draft=draft(), actor="ada", now=NOW)
    with store.read() as session, pytest.raises(NotFound, match="purchase"):
        registry.find_metrics(session=session, keys=["purchase"])


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "A better name"},
        {"description": "More words"},
        {"owner": "Ada"},
        {"tags": ["new"]},
        {"hypothesis": {"because": "of this"}},
        {"ends": "2027-01-01"},
        {"source": "a paper"},
        {"overrides": {"u1": "new"}},
        {"traffic": 6_000},
        {"metrics": {"primary": ["purchase"], "secondary": ["refund"]}},
    ],
)
def test_a_running_experiment_takes_changes_that_move_nobody(store: Store, changes: dict[str, Any]) -> None:
    both = [metric(), metric("refund")]
    with store.write() as session:
        first = definitions(experiment(traffic=5_000), metrics=both)
        launch.apply(session=session, definitions=first, actor="ada", now=NOW)
        again = definitions(experiment(**{"traffic": 5_000, **changes}), metrics=both)
        done = launch.apply(session=session, definitions=again, actor="ada", now=NOW + DAY)
        assert [each.action for each in done if each.kind == "experiment"] == ["updated"]
        assert catalog.find_experiment(session=session, key="checkout").updated_at == NOW + DAY


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"traffic": 4_999}, "traffic"),
        ({"control": "new"}, "control"),
        ({"variants": [{"key": "old"}, {"key": "new", "weight": 2}]}, "variants"),
        ({"targeting": {"attribute": "a", "operator": "exists"}}, "targeting"),
        ({"unit": "anonymous_id"}, "unit"),
        ({"assignment": "external"}, "assignment"),
        ({"starts": "2026-01-01"}, "starts"),
        ({"segments": ["country"]}, "segments"),
        ({"plan": {"confidence": 0.9}}, "plan"),
        ({"metrics": {"primary": ["refund"]}}, "metrics"),
        ({"metrics": {"primary": ["purchase", "refund"]}}, "metrics"),
        (
            {"metrics": {"primary": ["purchase"], "guardrails": [{"metric": "refund", "margin": 0.1}]}},
            "metrics",
        ),
    ],
)
def test_a_running_experiment_refuses_changes_that_move_units_or_goalposts(
    store: Store, changes: dict[str, Any], named: str
) -> None:
    both = [metric(), metric("refund")]
    with store.write() as session:
        first = definitions(experiment(traffic=5_000), metrics=both)
        launch.apply(session=session, definitions=first, actor="ada", now=NOW)
    changed = definitions(experiment(**{"traffic": 5_000, **changes}), metrics=both)
    with pytest.raises(NotAllowed, match=named), store.write() as session:
        launch.apply(session=session, definitions=changed, actor="ada", now=NOW)
    with store.read() as session:
        assert catalog.find_experiment(session=session, key="checkout").definition.traffic == 5_000


def test_a_draft_takes_every_change(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(status="draft"))
        changed = experiment(status="draft", control="new", traffic=100, unit="anonymous_id")
        assert applied(session, changed) == ["unchanged purchase", "updated checkout"]


def test_who_edits_an_old_revision_is_told(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(status="draft"))
        seen = catalog.find_experiment(session=session, key="checkout").revision
        edit: dict[str, Any] = {"session": session, "actor": "ada", "now": NOW}
        launch.edit(draft=draft(name="Mine"), revision=seen, **edit)
        with pytest.raises(Conflict, match="somebody else"):
            launch.edit(draft=draft(name="Yours"), revision=seen, **edit)
        with pytest.raises(Conflict, match="somebody else"):
            launch.start(key="checkout", revision=seen, **edit)
        now_there = catalog.find_experiment(session=session, key="checkout")
        assert (now_there.title, now_there.revision) == ("Mine", seen + 1)


def test_a_metric_that_changes_becomes_its_next_version(store: Store) -> None:
    with store.write() as session:
        save: dict[str, Any] = {"session": session, "actor": "ada", "now": NOW}
        assert registry.save_metric(draft=metric_draft(), **save).action == "created"
        assert registry.save_metric(draft=metric_draft(), **save).action == "unchanged"
        assert registry.save_metric(draft=metric_draft(window="7d"), **save).action == "updated"
        found = registry.list_metrics(session=session)
        assert [(each.key, each.version, each.definition.window) for each in found] == [("purchase", 2, "7d")]


def test_experiments_are_found_by_status_owner_and_words(store: Store) -> None:
    with store.write() as session:
        applied(
            session,
            experiment("one", owner="Ada", name="Blue Button", tags=["shop"]),
            experiment("two", owner="Bob", status="draft", hypothesis={"because": "people like blue"}),
        )
        listed = {
            "all": catalog.list_experiments(session=session),
            "running": catalog.list_experiments(session=session, status=Status.RUNNING),
            "bob": catalog.list_experiments(session=session, owner="Bob"),
            "blue": catalog.list_experiments(session=session, text="BLUE"),
            "blue shop": catalog.list_experiments(session=session, text="blue shop"),
        }
    assert {name: sorted(each.key for each in found) for name, found in listed.items()} == {
        "all": ["one", "two"],
        "running": ["one"],
        "bob": ["two"],
        "blue": ["one", "two"],
        "blue shop": ["one"],
    }


def test_the_audit_log_keeps_what_was_before_and_after(store: Store) -> None:
    with store.write() as session:
        applied(session, experiment(status="draft", name="First"))
        applied(session, experiment(name="Second"))
        entries = audit.history(session=session, object="checkout")
    assert [entry.action for entry in entries] == ["running", "edit", "create"]
    started, edit, created = entries
    assert (started.before, started.after) == ("draft", "running")
    assert edit.before == created.after
    assert edit.before is not None
    assert '"First"' in edit.before
    assert edit.after is not None
    assert '"Second"' in edit.after
    assert {(entry.actor, entry.at) for entry in entries} == {("ada", NOW)}


def test_a_change_that_fails_leaves_no_trace_in_the_audit_log(store: Store) -> None:
    with store.write() as session:
        applied(session)
    renamed_and_broken = experiment(name="Renamed"), experiment("other", metrics={"primary": ["missing"]})
    with pytest.raises(InvalidInput), store.write() as session:
        applied(session, *renamed_and_broken)
    with store.read() as session:
        assert [entry.action for entry in audit.history(session=session, object="checkout")] == [
            "running",
            "create",
        ]


def test_the_ruleset_in_force_is_the_newest(store: Store) -> None:
    with store.write() as session:
        applied(session)
        applied(session, experiment(traffic=10_000, overrides={"u1": "new"}))
        ruleset = latest_ruleset(session=session)
        assert ruleset.version == latest_version(session=session)
        assert ruleset.rules["checkout"].overrides == {"u1": "new"}


def saved(store: Store, *documents: dict[str, Any]) -> list[str]:
    with store.write() as session:
        return [
            registry.save_metric(session=session, draft=parse_metric(each), actor="t", now=NOW).action
            for each in documents
        ]


SPEND = {"key": "spend", "kind": "mean", "event": "buy"}
RATIO = {"key": "aov", "kind": "ratio", "numerator": "spend", "denominator": "orders"}


def test_a_ratio_needs_parts_that_give_each_unit_one_number(store: Store) -> None:
    with pytest.raises(InvalidInput, match="numerator: there is no metric 'spend'"):
        saved(store, RATIO)
    quantile = {"key": "orders", "kind": "quantile", "event": "buy", "quantile": 0.5}
    with pytest.raises(InvalidInput, match="denominator: 'orders' is a quantile"):
        saved(store, SPEND, quantile, RATIO)
    assert saved(store, {**SPEND, "key": "orders", "aggregation": "count"}, SPEND, RATIO)[-1] == "created"
    with pytest.raises(InvalidInput, match="metric aov: denominator: 'orders' is a quantile"):
        saved(store, quantile)


def test_what_an_older_version_stored_is_not_a_change(store: Store) -> None:
    with store.write() as session:
        old = '{"key":"buys","kind":"proportion","event":"buy","aggregation":"sum"}'
        session.add(MetricRow(key="buys", version=1, definition=old, created_at=NOW))
    assert saved(store, metric("buys", event="buy")) == ["unchanged"]


def test_a_guardrail_may_leave_its_margin_to_the_metric(store: Store) -> None:
    guarded = experiment(metrics={"primary": ["purchase"], "guardrails": [{"metric": "refund"}]})
    with pytest.raises(InvalidInput, match="'refund' needs a margin"):
        apply(store, guarded, metrics=[metric(), metric("refund")])
    apply(store, guarded, metrics=[metric(), metric("refund", margin=0.03)])
    with store.read() as session:
        metrics = registry.find_metrics(session=session, keys=["refund"])
        found = catalog.find_experiment(session=session, key="checkout").definition
    assert catalog.margins_of(found, metrics) == {"refund": 0.03}


def test_a_covariate_is_a_metric_of_one_number_that_exists(store: Store) -> None:
    for key, reason in (("nothing", "there is no metric 'nothing'"), ("p95", "'p95' is a quantile")):
        with pytest.raises(InvalidInput, match=reason):
            apply(
                store,
                experiment(plan={"cuped": {"metrics": [key]}}),
                metrics=[metric(), {"key": "p95", "kind": "quantile", "event": "page", "quantile": 0.95}],
            )
