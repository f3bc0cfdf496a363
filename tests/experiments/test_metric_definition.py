from typing import Any

import pytest

from experiments.definition import parse_metric, store_form
from experiments.errors import InvalidInput
from experiments.metrics import MetricDraft
from tests.samples import metric


def refusal_of_metric(**changes: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_metric(metric(**changes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"kind": "median"}, "kind"),
        ({"event": ""}, "event"),
        ({"event": "   "}, "event"),
        ({"event": "nul\0"}, "event"),
        ({"event": "x" * 201}, "event"),
        ({"window": "14"}, "window"),
        ({"window": "0d"}, "window"),
        ({"window": "14d\n"}, "window"),
        ({"window": "99999w"}, "window"),
        ({"direction": "up"}, "direction"),
        ({"aggregation": "max"}, "aggregation"),
        ({"aggregation": "median", "kind": "mean"}, "aggregation"),
        ({"event": None}, "event: a proportion needs one"),
        ({"kind": "mean", "event": None}, "event: a mean of sum needs one"),
        ({"kind": "mean", "aggregation": "count", "value": "price"}, "value: count"),
        ({"kind": "mean", "value": 'pri"ce'}, "value"),
        ({"kind": "mean", "value": "cart..total"}, "value"),
        ({"kind": "mean", "scale": 0}, "scale"),
        ({"at_least": 0}, "at_least"),
        ({"kind": "ratio"}, "event: a ratio has none"),
        ({"kind": "ratio", "event": None, "numerator": "a"}, "denominator: a ratio needs one"),
        ({"kind": "ratio", "event": None, "numerator": "a", "denominator": "a"}, "denominator: is the num"),
        ({"kind": "retention", "to": "8d"}, "from: a retention needs one"),
        ({"kind": "retention", "from": "8d", "to": "8d"}, "to: must be later"),
        ({"kind": "retention", "from": "7d", "to": "8d", "window": "9d"}, "window: a retention has none"),
        ({"kind": "quantile"}, "quantile: a quantile needs one"),
        ({"kind": "quantile", "quantile": 1}, "quantile"),
        ({"kind": "quantile", "quantile": 0.5, "aggregation": "max"}, "aggregation: a quantile per event"),
        ({"kind": "quantile", "quantile": 0.5, "per": "unit", "aggregation": "days"}, "aggregation"),
        ({"kind": "funnel", "event": None}, "steps: a funnel needs one"),
        ({"kind": "funnel", "event": None, "steps": ["view"]}, "steps"),
        ({"kind": "time_to_event"}, "window: a time_to_event needs one"),
        ({"where": {"attribute": "plan", "operator": "like", "value": "x"}}, "where"),
        ({"where": {"segment": "staff"}}, "where"),
        ({"where": {"attribute": "app", "operator": "version_gt", "value": "1.2"}}, "version_gt"),
        ({"where": {"not": {"attribute": "size", "operator": "gt", "value": "L"}}}, "compares with a number"),
        ({"where": {"attribute": "a$b", "operator": "exists"}}, "where"),
        ({"margin": 0}, "margin"),
        ({"minimum": -1}, "minimum"),
        ({"format": "roman"}, "format"),
        ({"kind": "mean", "cap": {"quantile": 1}}, "cap.quantile"),
        ({"kind": "proportion", "cap": {"quantile": 0.9}}, "cap"),
    ],
)
def test_each_mistake_in_a_metric_names_its_place(changes: dict[str, Any], place: str) -> None:
    assert place in refusal_of_metric(**changes)


KINDS: list[dict[str, Any]] = [
    {"kind": "proportion", "event": "visit", "at_least": 2, "window": "14d"},
    {"kind": "mean", "event": "purchase", "value": "value", "aggregation": "sum", "cap": {"quantile": 0.999}},
    {"kind": "mean", "aggregation": "sessions"},
    {"kind": "ratio", "numerator": "spend", "denominator": "orders"},
    {"kind": "retention", "event": "session", "from": "7d", "to": "8d"},
    {"kind": "retention", "from": "7d", "to": "14d", "lost": True, "direction": "decrease"},
    {"kind": "quantile", "event": "page", "value": "ms", "quantile": 0.95, "direction": "decrease"},
    {"kind": "funnel", "steps": ["view", "cart", "purchase"], "window": "2d"},
    {"kind": "time_to_event", "event": "purchase", "window": "28d"},
    {
        "kind": "mean",
        "event": "purchase",
        "value": "cart.total",
        "where": {"all": [{"attribute": "country", "operator": "in", "value": ["NO", "SE"]}]},
        "unit": "kr",
        "format": "currency",
        "margin": 0.02,
        "minimum": 100,
        "name_zh": "人均收入",
    },
]


@pytest.mark.parametrize("document", KINDS, ids=lambda each: each["kind"])
def test_every_kind_survives_being_stored_and_shown_as_json(document: dict[str, Any]) -> None:
    draft = parse_metric({"key": "m", **document})
    assert MetricDraft.model_validate_json(store_form(draft)) == draft
    written = draft.model_dump(mode="json")
    assert parse_metric(written) == draft
    assert {name: written[name] for name in document} == document


def test_a_metric_is_written_as_its_kind_suggests_or_as_asked() -> None:
    share = parse_metric(metric())
    assert (share.shown_as, parse_metric(metric(format="number")).shown_as) == ("percent", "number")
    assert parse_metric({"key": "m", **KINDS[1]}).shown_as == "number"


def test_a_metric_speaks_both_languages_and_falls_back() -> None:
    draft = parse_metric(metric(name="Bought", name_zh="购买", description="Share of buyers"))
    assert [draft.title_in(language) for language in ("en", "zh", "zh_Hans_CN")] == ["Bought", "购买", "购买"]
    assert draft.description_in("zh") == "Share of buyers"
