"""Whoever plans, over the API: pasts, outlooks, the checklist before a start, and sheets."""

from datetime import date

import pytest

from experiments import sheets
from experiments.observe.trends import DayTotal
from experiments.pasts import Past, keep_past
from tests.samples import NOW, experiment
from tests.web.api.management.conftest import Program
from web.deployment import Deployment

PAST = Past(
    "purchase",
    "user_id",
    1,
    NOW,
    units=28_000,
    mean=0.1,
    variance=0.09,
    weekly_units=(7_000, 7_000, 7_000, 7_000),
    daily=(DayTotal(date(2026, 3, 1), 90, 100, 100.0),),
)
TYPED = {"texts": {"name": "Half a thought"}}


def remember(deployment: Deployment, past: Past) -> None:
    with deployment.store.write() as session:
        keep_past(session=session, past=past)


def type_something(deployment: Deployment, key: str, author: str = "Ada") -> None:
    with deployment.store.write() as session:
        sheets.keep_sheet(session=session, key=key, typed=TYPED, actor=author, now=NOW, revision=0)


def test_a_metrics_past_is_shown_once_it_was_counted(ada: Program, deployment: Deployment) -> None:
    assert ada.get("/metrics/nothing/past").status_code == 404
    assert "not been counted yet" in ada.get("/metrics/purchase/past").get_json()["detail"]
    remember(deployment, PAST)
    found = ada.get("/metrics/purchase/past").get_json()
    assert (found["mean"], found["units"], found["daily_units"]) == (0.1, 28_000, 1_000.0)
    assert found["daily"] == [{"day": "2026-03-01", "units": 90, "events": 100, "total": 100.0}]
    assert ada.get("/metrics/purchase/past?unit_type=anonymous_id").status_code == 404
    wrong = ada.get("/metrics/purchase/past?unit_type=cookie")
    assert wrong.get_json()["errors"][0]["parameter"] == "unit_type"


def test_an_outlook_stands_on_a_metrics_past_or_on_numbers(ada: Program, deployment: Deployment) -> None:
    remember(deployment, PAST)
    known = ada.get("/outlook?metric=purchase&lift=0.05&inference=fixed").get_json()
    typed = ada.get("/outlook?mean=0.1&daily_units=1000&lift=0.05&inference=fixed").get_json()
    assert known["needed"] == typed["needed"]
    assert known["past"] == pytest.approx(typed["past"])
    one, other = known["needed"]["by_variant"]
    assert one == other == known["needed"]["total"] / 2
    # Two arms of a proportion of 0.1 that find 5 % with a power of 0.8: 2 · 0.09 · (1.96 + 0.84)² / 0.005².
    assert one == pytest.approx(56_510, rel=0.06)
    assert known["duration"]["weeks"] == -(-known["needed"]["total"] // 7_000)
    assert [week["units"] for week in known["table"][:2]] == [7_000, 14_000]
    assert 0 < known["reached"] <= 0.05
    harder = ada.get("/outlook?metric=purchase&lift=0.05&inference=fixed&share=0.5&variants=3").get_json()
    assert harder["duration"]["weeks"] > 2 * known["duration"]["weeks"]


def test_numbers_of_ones_own_go_before_those_of_the_past(ada: Program, deployment: Deployment) -> None:
    remember(deployment, PAST)
    own = ada.get("/outlook?metric=purchase&lift=0.05&mean=20&variance=400&daily_units=0").get_json()
    assert own["past"] == {"mean": 20.0, "variance": 400.0, "daily_units": 0.0}
    assert (own["duration"], own["table"], own["reached"]) == (None, [], None)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("mean=0.1&daily_units=10", "lift"),
        ("mean=0.1&daily_units=10&lift=0", "lift"),
        ("mean=0.1&daily_units=10&lift=nan", "lift"),
        ("daily_units=10&lift=0.05", "mean"),
        ("mean=0.1&lift=0.05", "daily_units"),
        ("mean=12&daily_units=10&lift=0.05", "variance"),
        ("mean=0&variance=1&daily_units=10&lift=0.05", "lift"),
        ("metric=purchase&lift=0.05", "metric"),
        ("mean=0.1&daily_units=10&lift=0.05&inference=hope", "inference"),
        ("mean=0.1&daily_units=10&lift=0.05&variants=1", "variants"),
        ("mean=0.1&daily_units=10&lift=0.05&weeks=53", "weeks"),
    ],
)
def test_a_question_without_an_answer_names_its_parameter(
    onlooker: Program, query: str, parameter: str
) -> None:
    answer = onlooker.get(f"/outlook?{query}")
    assert answer.status_code == 422
    assert [each["parameter"] for each in answer.get_json()["errors"]] == [parameter]


def test_an_outlook_of_no_metric_is_not_found(onlooker: Program) -> None:
    assert onlooker.get("/outlook?metric=nothing&lift=0.05").status_code == 404


def test_the_checklist_says_what_stands_before_a_start(ada: Program) -> None:
    bare = {"change": "", "audience": "", "effect": "", "because": ""}
    ada.post("/experiments", experiment("fresh", status="draft", hypothesis=bare))
    found = ada.get("/experiments/fresh/readiness").get_json()
    points = {each["code"]: each for each in found["points"]}
    assert not found["ready"]
    assert (points["hypothesis"]["settled"], points["hypothesis"]["blocks"]) == (False, True)
    assert points["goal"]["settled"]
    assert "weeks" not in points
    told = ada.get("/experiments/fresh/readiness?weeks=9").get_json()["points"]
    assert [each["settled"] for each in told if each["code"] == "weeks"] == [False]
    whole = dict.fromkeys(bare, "something")
    ada.put("/experiments/fresh", experiment("fresh", status="draft", hypothesis=whole))
    assert ada.get("/experiments/fresh/readiness").get_json()["ready"]
    assert ada.get("/experiments/nothing/readiness").status_code == 404


def test_what_is_typed_is_listed_shown_and_discarded(ada: Program, deployment: Deployment) -> None:
    type_something(deployment, "half", "Bo")
    type_something(deployment, "later")
    assert [each["key"] for each in ada.get("/sheets").get_json()["sheets"]] == ["half", "later"]
    mine = ada.get("/sheets?author=Ada").get_json()["sheets"]
    assert [(each["key"], each["revision"], each["stands_on"]) for each in mine] == [("later", 1, 1)]
    shown = ada.get("/sheets/half")
    assert (shown.get_json()["typed"], shown.headers["ETag"]) == (TYPED, '"1"')
    assert ada.delete("/sheets/half").get_json()["author"] == "Bo"
    assert ada.delete("/sheets/half").status_code == 404
    assert ada.delete("/sheets/later").status_code == 200
    assert ada.get("/experiments/later").status_code == 200
    assert ada.get("/sheets").get_json()["sheets"] == []
