"""What came of experiments, over the API."""

import pytest

from experiments.alerts import watch
from experiments.readouts import latest
from experiments.store.outcomes import ThresholdRow
from tests.samples import experiment
from tests.web import scenes
from tests.web.api.management.conftest import Program
from web.deployment import Deployment

DECISION = {
    "choice": "ship",
    "variant": "new",
    "holdout": 500,
    "reason": "it is ready",
    "learning": "One page loses fewer people.",
    "follow_ups": [{"task": "Remove the old pages", "owner": "Bo"}],
}


def test_a_decision_is_kept_carried_out_and_found_again(ada: Program) -> None:
    seen = ada.get("/experiments/checkout").headers["ETag"]
    made = ada.post("/experiments/checkout/conclude", DECISION, headers={"If-Match": seen})
    assert (made.status_code, made.get_json()["variant"], made.get_json()["holdout"]) == (201, "new", 500)
    assert ada.get("/experiments/checkout").get_json()["shipped"] == "new"
    assert ada.get("/experiments/checkout/conclusions").get_json()["conclusions"] == [made.get_json()]
    found = ada.get("/learnings?q=FEWER&outcome=ship&metric=purchase").get_json()
    assert found == {"learnings": [made.get_json()], "next": None}
    assert ada.get("/learnings?q=more").get_json() == {"learnings": [], "next": None}
    task = made.get_json()["follow_ups"][0]["id"]
    assert ada.post(f"/follow-ups/{task}/done").get_json() == {"id": task, "done": True}
    assert ada.post("/follow-ups/999/done").status_code == 404
    back = ada.post("/experiments/checkout/retrospective", {"held": "partly", "note": "smaller"})
    assert (back.status_code, back.get_json()["held"]) == (201, "partly")
    assert ada.post("/experiments/checkout/retrospective", {"held": "no"}).status_code == 409
    assert ada.post("/experiments/nothing/retrospective", {"held": "no"}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"choice": "celebrate"}, "#/choice"),
        ({"variant": "nobody"}, "#/variant"),
        ({"reason": ""}, "#/reason"),
        ({"learning": ""}, "#/learning"),
        ({"learning": "x" * 10_000}, "#/learning"),
        ({"holdout": 0.5}, "#/holdout"),
        ({"follow_ups": [{"task": ""}]}, "#/follow_ups/0/task"),
        ({"ship": "new"}, "#/ship"),
        ({"snapshot": 99}, "#/snapshot"),
        ({"choice": "continue", "until": "2020-01-01"}, "#/until"),
    ],
)
def test_a_decision_that_cannot_be_made_says_why(
    onlooker: Program, changes: dict[str, object], pointer: str
) -> None:
    answer = onlooker.post("/experiments/checkout/conclude", {**DECISION, **changes})
    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.get_json()["errors"]]


def test_learnings_come_in_pages(ada: Program) -> None:
    for number in range(3):
        ada.post("/experiments", experiment(f"fresh-{number}", status="draft"))
        ada.post(f"/experiments/fresh-{number}/start")
        ada.post(f"/experiments/fresh-{number}/conclude", DECISION)
    first = ada.get("/learnings?limit=2").get_json()
    second = ada.get(f"/learnings?limit=2&cursor={first['next']}").get_json()
    found = [each["experiment"] for page in (first, second) for each in page["learnings"]]
    assert (found, second["next"]) == (["fresh-2", "fresh-1", "fresh-0"], None)


def test_thresholds_are_set_for_guardrails_alone(ada: Program) -> None:
    roles = {"primary": ["purchase"], "guardrails": [{"metric": "refund", "margin": 0.05}]}
    ada.put("/metrics/refund", {"key": "refund", "kind": "proportion", "event": "refund"})
    ada.post("/experiments", experiment("fresh", status="draft", metrics=roles))
    own = ada.get("/experiments/fresh/thresholds").get_json()["thresholds"]
    assert [(each["metric"], each["limit"], each["own"]) for each in own] == [("refund", 0.05, False)]
    limit = {"metric": "refund", "limit": 0.1, "wait": 6, "who": "Bo", "muted": False}
    answer = ada.put("/experiments/fresh/thresholds/refund", limit)
    assert answer.get_json()["thresholds"] == [{**limit, "own": True}]
    other = ada.put("/experiments/fresh/thresholds/purchase", {**limit, "metric": "purchase"})
    assert other.get_json()["errors"][0]["pointer"] == "#/metric"
    assert ada.put("/experiments/fresh/thresholds/purchase", limit).status_code == 422
    assert ada.put("/experiments/fresh/thresholds/refund", {**limit, "wait": "6"}).status_code == 422


def test_alerts_are_listed(ada: Program, deployment: Deployment) -> None:
    scenes.stage(deployment.store, scenes.HARM)
    with deployment.store.write() as session:
        session.add(ThresholdRow(experiment="harm", metric="refund", limit=0.08, wait=0, who="Bo"))
        session.flush()
        snapshot = latest(session=session, key="harm")
        assert snapshot is not None
        assert watch(session=session, snapshot=snapshot, now=scenes.NOW)
    found = ada.get("/alerts?experiment=harm").get_json()["alerts"]
    assert (found[0]["metric"], found[0]["who"], found[0]["ended_at"]) == ("refund", "Bo", None)
    assert ada.get("/alerts?experiment=checkout").get_json()["alerts"] == []
    assert "alert" in [each["need"] for each in ada.get("/attention").get_json()["items"]]


def test_a_report_is_written_by_whoever_has_seen_it(ada: Program) -> None:
    empty = ada.get("/experiments/checkout/report")
    assert (empty.get_json()["insight"], empty.headers["ETag"]) == ("", '"0"')
    words = {"insight": "# Better"}
    seen = {"If-Match": empty.headers["ETag"]}
    assert ada.put("/experiments/checkout/report", words, headers=seen).headers["ETag"] == '"1"'
    assert ada.put("/experiments/checkout/report", words, headers=seen).status_code == 412
    assert ada.put("/experiments/checkout/report", {"insight": "more"}).get_json()["revision"] == 2
    assert ada.put("/experiments/nothing/report", words).status_code == 404


def test_the_work_as_a_whole_is_shown(ada: Program, deployment: Deployment) -> None:
    scenes.stage(deployment.store, scenes.ONE_PAGE)
    decision = {**DECISION, "variant": "treatment"}
    assert ada.post("/experiments/checkout-onepage/conclude", decision).status_code == 201
    programme = ada.get("/programme").get_json()
    assert programme["outcomes"]["ship"] == 1
    assert "paid" in [each["metric"] for each in programme["coverage"]]
    calendar = ada.get("/calendar?since=2026-03-01&until=2026-04-01").get_json()
    spans = [span["experiment"] for lane in calendar["lanes"] for span in lane["spans"]]
    assert "checkout" in spans
    assert calendar["overlaps"]
    assert ada.get("/calendar?since=soon").get_json()["errors"][0]["parameter"] == "since"
