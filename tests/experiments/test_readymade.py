from experiments.definition import Definitions
from experiments.launch import apply
from experiments.metrics import misfits
from experiments.readymade import ReadyMadeDraft, ready_made
from experiments.registry import list_metrics
from experiments.store import Store
from tests.samples import NOW, metric

MADE = {
    "visit": "view",
    "purchase": "buy",
    "view": "shown",
    "click": "clicked",
    "value": "price",
    "share": 0.4,
}


def test_what_is_made_ready_fits_together_and_speaks_both_languages() -> None:
    metrics = {each.key: each for each in ready_made(ReadyMadeDraft.model_validate(MADE))}
    assert [reason for each in metrics.values() for reason in misfits(each, metrics)] == []
    assert all(each.name and each.name_zh for each in metrics.values())
    assert {
        "conversion",
        "click_through",
        "order_value",
        "revenue",
        "repeat_purchase",
        "d1_retention",
    } <= set(metrics)
    assert {"d7_retention", "d30_retention", "churn", "stickiness", "lifetime_value"} <= set(metrics)
    assert (metrics["monthly_profit"].scale, metrics["monthly_profit"].value) == (0.4, "price")


def test_without_clicks_there_is_no_click_through() -> None:
    assert "click_through" not in {
        each.key for each in ready_made(ReadyMadeDraft(visit="view", purchase="buy"))
    }


def test_a_prefix_keeps_two_sets_apart() -> None:
    metrics = {each.key: each for each in ready_made(ReadyMadeDraft(visit="v", purchase="b", prefix="app"))}
    assert metrics["app_order_value"].parts == ("app_revenue", "app_orders")


def test_a_file_may_ask_for_them_in_one_line_and_change_one(store: Store) -> None:
    document = {"ready_made": MADE, "metrics": [metric("conversion", event="paid")]}
    file = Definitions.model_validate(document)
    with store.write() as session:
        first = apply(session=session, definitions=file, actor="t", now=NOW)
        again = apply(session=session, definitions=file, actor="t", now=NOW)
    assert {change.action for change in first} == {"created"}
    assert {change.action for change in again} == {"unchanged"}
    with store.read() as session:
        metrics = {each.key: each.definition for each in list_metrics(session=session)}
    assert metrics["conversion"].event == "paid"
    assert metrics["orders"].event == "buy"
