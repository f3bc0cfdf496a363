"""Data that are wrong: each fault has its words on the page, and its place in JSON; nothing is ever empty."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from experiments.analyses import analyse
from experiments.definition import Definitions
from experiments.launch import apply
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Record, append
from tests.samples import experiment
from tests.web.conftest import signed_in
from tests.web.scenes import NOW
from web.deployment import Deployment
from web.engine import engine_of

BEGIN = NOW - timedelta(days=3)
HOUR = 3_600_000
METRICS: list[dict[str, Any]] = [
    {"key": "buys", "kind": "proportion", "event": "buy"},
    {"key": "never", "kind": "proportion", "event": "nothing"},
    {"key": "nowhere", "kind": "quantile", "event": "nothing", "quantile": 0.5},
    {"key": "spend", "kind": "mean", "event": "buy"},
    {"key": "per_nothing", "kind": "ratio", "numerator": "spend", "denominator": "never"},
    {"key": "huge", "kind": "mean", "event": "big"},
    {
        "key": "sized",
        "kind": "proportion",
        "event": "buy",
        "where": {"attribute": "size", "operator": "gt", "value": 2},
    },
]
ASKED = experiment(
    metrics={"primary": ["buys"], "secondary": [each["key"] for each in METRICS[1:]]},
    plan={"inference": "fixed", "days": 3},
    starts=BEGIN.isoformat(),
    ends=NOW.isoformat(),
)


def records() -> Iterator[Record]:
    """600 units of which half buy, one of them far too often; a size is sometimes a text."""
    at, later = to_millis(BEGIN), to_millis(NOW + timedelta(days=900))
    for n in range(600):
        variant = ("old", "new")[n % 2]
        yield Exposure(f"x{n}", "checkout", f"u{n}", None, variant, at, at)
        if n % 4 < 2:
            size = "large" if n % 8 == 0 else str(n % 5)
            yield Event(f"b{n}", f"u{n}", None, "buy", 1.0 + n % 5, at + HOUR, at, f'{{"size":"{size}"}}')
        yield Event(f"h{n}", f"u{n}", None, "big", 1e300 if n % 9 == 0 else 1.0 + n % 7, at + HOUR, at)
    yield from (Event(f"m{n}", "u1", None, "buy", 1.0, at + HOUR + n, at) for n in range(2_000))
    yield from (Event(f"f{n}", f"u{n}", None, "buy", 1.0, later, at) for n in range(7))


@pytest.fixture(scope="module")
def faulty(gallery_of_ones_own: Flask) -> Flask:
    """An experiment on faulty data, analysed."""
    deployment: Deployment = gallery_of_ones_own.extensions["evenhand"]
    with deployment.store.write() as session:
        drafts = Definitions.model_validate({"metrics": METRICS, "experiments": [ASKED]})
        apply(session=session, definitions=drafts, actor="Ada", now=BEGIN)
        append(session=session, records=records())
    engine = engine_of(deployment.settings, deployment.store)
    analyse(store=deployment.store, engine=engine, key="checkout", now=NOW, version="1")
    return gallery_of_ones_own


@pytest.fixture(scope="module")
def document(faulty: Flask) -> dict[str, Any]:
    text = signed_in(faulty).get("/experiments/checkout/report.json").get_data(as_text=True)
    assert "NaN" not in text
    found: dict[str, Any] = json.loads(text)["readout"]
    return found


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in document["checks"] if each["name"] == name)
    return dict(found)


def reasons(document: dict[str, Any]) -> dict[str, str | None]:
    return {each["metric"]: each["not_estimable"] for each in document["comparisons"]}


def test_an_event_that_never_occurs_is_named_with_its_reason(document: dict[str, Any]) -> None:
    told = reasons(document)
    assert (told["never"], told["nowhere"]) == ("no_variation", "no_units")
    assert told["per_nothing"] == "zero_denominator"
    silent = check(document, "silent_metrics")
    assert silent["passed"] is False
    assert silent["detail"] == "never, nowhere"


def test_a_unit_that_decides_a_metric_is_flagged(document: dict[str, Any]) -> None:
    (spend,) = (each for each in document["comparisons"] if each["metric"] == "spend")
    assert "dominant_unit" in [flag["kind"] for flag in spend["flags"]]


def test_values_beyond_what_can_be_added_and_texts_among_numbers_are_counted(
    document: dict[str, Any],
) -> None:
    unreadable = check(document, "unreadable")
    assert unreadable["passed"] is False
    assert unreadable["observed"] == {"huge": 67, "sized": 75}
    assert reasons(document)["huge"] is None


def test_events_in_the_future_are_counted_and_left_out(document: dict[str, Any]) -> None:
    assert check(document, "future")["observed"] == {"future": 7}


@pytest.mark.parametrize(
    ("place", "language", "said"),
    [
        ("health", "en", "never and nowhere: nothing counted"),
        ("health", "en", "sized and huge: 142"),
        ("health", "en", "Records of a moment that has not come"),
        ("health", "zh-CN", "never和nowhere"),
        ("results", "en", "every unit has the same value so far"),
        ("results/never", "en", "every unit has the same value so far"),
        ("results/spend", "en", "Caution"),
        ("results/never", "zh-CN", "目前每个样本的数值都相同"),
    ],
)
def test_the_page_says_so_in_the_reader_s_language(
    faulty: Flask, place: str, language: str, said: str
) -> None:
    answer = signed_in(faulty, language).get(f"/experiments/checkout/{place}")
    assert answer.status_code == 200
    assert said in answer.get_data(as_text=True)
