import html
import re
from typing import Any, get_args

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from experiments.definition import Definitions
from experiments.launch import apply
from experiments.metrics import Aggregation, MetricDraft
from experiments.observe.flows import Flow
from experiments.observe.trends import DayTotal
from experiments.pasts import Past, find_pasts, keep_past
from experiments.registry import find_metrics
from tests.samples import experiment
from tests.web.conftest import send, signed_in
from tests.web.scenes import NOW
from web.deployment import Deployment
from web.wording.metric_sentences import metric_sentence
from web.wording.names import reading_order

SHARE = {"kind": "proportion", "key": "paid", "event": "purchase", "name": "Paid", "name_zh": "付款率"}
MEAN = {
    "kind": "mean",
    "key": "spend",
    "event": "purchase",
    "aggregation": "sum",
    "value": "cart.total",
    "window": "14d",
    "cap": "99.9",
    "direction": "increase",
    "margin": "5",
    "condition_attribute": ["currency"],
    "condition_operator": ["eq"],
    "condition_value": ["CNY"],
}
RATIO = {"kind": "ratio", "key": "value_per_order", "numerator": "spend", "denominator": "orders"}
ORDERS = {"kind": "mean", "key": "orders", "event": "purchase", "aggregation": "count"}
RETENTION = {"kind": "retention", "key": "d7", "event": "", "from": "7d", "to": "8d", "lost": "yes"}
QUANTILE = {
    "kind": "quantile",
    "key": "slow",
    "event": "page",
    "value": "ms",
    "quantile": "95",
    "per": "event",
}
FUNNEL = {"kind": "funnel", "key": "buying", "steps": "view, cart，purchase", "window": "7d"}
TIME = {"kind": "time_to_event", "key": "soon", "event": "purchase", "window": "30d"}


@pytest.fixture
def author(empty_site: Flask) -> FlaskClient:
    return signed_in(empty_site)


def deployment_of(client: FlaskClient) -> Deployment:
    deployment: Deployment = client.application.extensions["evenhand"]
    return deployment


def found(client: FlaskClient, key: str) -> MetricDraft:
    with deployment_of(client).store.read() as session:
        return find_metrics(session=session, keys=[key])[key].definition


def wrongs(text: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="wrong" id="wrong-([^"]+)">([^<]*)</p>', text))


@pytest.mark.parametrize("typed", [SHARE, ORDERS, RETENTION, QUANTILE, FUNNEL, TIME])
def test_a_metric_of_each_kind_is_written_down_shown_and_edited_back(
    author: FlaskClient, typed: dict[str, Any]
) -> None:
    answer = send(author, "/metrics/new", typed)
    assert answer.location == f"/metrics/{typed['key']}"
    made = found(author, typed["key"])
    assert made.kind == typed["kind"]
    assert author.get(answer.location).status_code == 200
    form = author.get(f"{answer.location}/edit").get_data(as_text=True).split('<form class="form"')[1]
    fields = dict(re.findall(r'<input[^>]*?name="([^"]+)" value="([^"]*)"', form))
    chosen = dict(re.findall(r'<select id="([^":]+)".*?<option value="([^"]*)" selected>', form, re.S))
    again = send(author, f"{answer.location}/edit", {**fields, **chosen})
    assert again.status_code == 303
    assert found(author, typed["key"]) == made


def test_what_was_typed_of_a_mean_is_what_it_counts(author: FlaskClient) -> None:
    send(author, "/metrics/new", MEAN)
    draft = found(author, "spend")
    assert (draft.value, draft.window, draft.margin) == ("cart.total", "14d", 0.05)
    assert draft.cap is not None
    assert draft.cap.quantile == 0.999
    assert draft.where == {"all": [{"attribute": "currency", "operator": "eq", "value": "CNY"}]}


def test_a_ratio_is_made_of_two_metrics_and_says_so_on_their_pages(author: FlaskClient) -> None:
    send(author, "/metrics/new", {**MEAN, "condition_attribute": [""]})
    send(author, "/metrics/new", ORDERS)
    assert send(author, "/metrics/new", RATIO).status_code == 303
    assert "/metrics/spend" in author.get("/metrics/value_per_order").get_data(as_text=True)
    assert "/metrics/value_per_order" in author.get("/metrics/orders").get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({**SHARE, "key": "no spaces"}, "key"),
        ({**SHARE, "event": ""}, "event"),
        ({**SHARE, "window": "soon"}, "window"),
        ({**MEAN, "cap": "much"}, "cap"),
        ({**MEAN, "margin": "-1"}, "margin"),
        ({**QUANTILE, "quantile": "100"}, "quantile"),
        ({**FUNNEL, "steps": "view"}, "steps"),
        ({**RETENTION, "from": "8d", "to": "7d"}, "to"),
        (RATIO, "numerator"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    author: FlaskClient, typed: dict[str, Any], field: str
) -> None:
    answer = send(author, "/metrics/new", typed)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert field in wrongs(text)
    assert f'value="{typed["key"]}"' in text


def test_the_second_of_two_editors_is_told(author: FlaskClient) -> None:
    send(author, "/metrics/new", SHARE)
    send(author, "/metrics/paid/edit", {**SHARE, "name": "Mine", "version": "1"})
    late = send(author, "/metrics/paid/edit", {**SHARE, "name": "Theirs", "version": "1"})
    assert late.status_code == 409
    assert found(author, "paid").name == "Mine"


def test_a_metric_shows_its_past(author: FlaskClient) -> None:
    send(author, "/metrics/new", SHARE)
    days = tuple(DayTotal(NOW.date(), 12, 14, 0.0) for _ in range(3))
    past = Past("paid", "user_id", 1, NOW, 5_000, 0.118, 0.104, (1_200, 1_300, 1_250, 1_250), days)
    with deployment_of(author).store.write() as session:
        keep_past(session=session, past=past)
    with deployment_of(author).store.read() as session:
        assert find_pasts(session=session)["paid"] == past
    text = author.get("/metrics/paid").get_data(as_text=True)
    assert "11.8%" in text
    assert "5,000" in text
    assert "11.8%" in author.get("/metrics/").get_data(as_text=True)
    planned = author.get("/calculator?metric=paid&mde=6").get_data(as_text=True)
    assert "units</b>" in planned


FLOWS = (Flow(1_000, 100, 120, 2_400.0), Flow(1_100, 121, 150, 2_700.0))


@pytest.fixture
def sold(author: FlaskClient) -> FlaskClient:
    """A shop's metrics, its revenue with a past and an experiment."""
    for each in (SHARE, ORDERS, {**MEAN, "condition_attribute": [""], "cap": "", "value": "value"}, RATIO):
        assert send(author, "/metrics/new", each).status_code == 303
    past = Past("spend", "user_id", 1, NOW, 1_100, 2.4, 9.0, (300, 250), (), flows=FLOWS)
    asked = experiment(
        metrics={"primary": ["value_per_order"], "guardrails": [{"metric": "paid", "margin": 0.1}]},
        plan={"cuped": {"days": 14, "metrics": ["spend"]}},
    )
    with deployment_of(author).store.write() as session:
        keep_past(session=session, past=past)
        drafts = Definitions.model_validate({"experiments": [asked]})
        apply(session=session, definitions=drafts, actor="Ada", now=NOW)
    return author


@pytest.mark.parametrize("key", ["spend", "orders", "paid", "value_per_order"])
def test_a_metric_shows_what_moved_the_total_that_it_is_part_of(sold: FlaskClient, key: str) -> None:
    text = sold.get(f"/metrics/{key}").get_data(as_text=True)
    assert "Total of “spend” = Visitors × Share that does it × Times for each × Worth of each time" in text
    assert "went from 2,400 in the four weeks before to 2,700 in the last four (+12.5%)" in text
    assert "The other way went: Worth of each time." in text
    assert 'id="canvas-contributions"' in text
    rows = re.findall(r'<th scope="row">([^<]+)</th><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td>', text)
    assert ("Visitors", "1,000", "1,100") in rows
    assert ("Share that does it", "10.0%", "11.0%") in rows


def test_who_uses_a_metric_is_told_with_its_role(sold: FlaskClient) -> None:
    spend = sold.get("/metrics/spend").get_data(as_text=True)
    assert "narrows the intervals of the others" in spend
    assert "primary · as part of value_per_order" in spend
    assert "guardrail" in sold.get("/metrics/paid").get_data(as_text=True)


def test_a_metric_shows_the_sql_that_counts_it(sold: FlaskClient) -> None:
    text = html.unescape(sold.get("/metrics/value_per_order").get_data(as_text=True))
    statement = text.split('<pre class="statement"')[1].split("<code>")[1].split("</code>")[0]
    assert statement.startswith("WITH sorted_out AS (")
    assert "event.event = 'purchase'" in statement or "event = 'purchase'" in statement


def test_a_metric_s_history_tells_who_changed_what(sold: FlaskClient) -> None:
    send(sold, "/metrics/spend/edit", {**MEAN, "condition_attribute": [""], "window": "7d", "version": "1"})
    text = sold.get("/metrics/spend").get_data(as_text=True)
    assert re.search(r"Version 2: [^<]+ changed the definition", text)
    assert "14d → 7d" in text
    assert re.search(r"Version 1: [^<]+ created it", text)


def test_an_event_that_never_happened_is_named_beside_its_level_of_nought(author: FlaskClient) -> None:
    send(author, "/metrics/new", SHARE)
    with deployment_of(author).store.write() as session:
        keep_past(session=session, past=Past("paid", "user_id", 1, NOW, 500, 0.0, 0.0, (500,)))
    text = author.get("/metrics/paid").get_data(as_text=True)
    assert "has not happened to anybody" in text
    assert "Units counted" in text


def test_metrics_are_listed_as_people_read_their_names(visitor: FlaskClient) -> None:
    text = visitor.get("/metrics/").get_data(as_text=True)
    places = [text.index(f">{name}</a>") for name in ("Checkout conversion", "Page load", "Support contacts")]
    assert places == sorted(places)


def test_numbers_in_names_count_by_their_size() -> None:
    names = ["visits 10", "Visits 9", "answers", "11 pages", "2 pages"]
    assert sorted(names, key=reading_order) == ["2 pages", "11 pages", "answers", "Visits 9", "visits 10"]


def test_a_past_that_could_not_be_counted_says_why_in_the_reader_s_language(
    author: FlaskClient, empty_site: Flask
) -> None:
    send(author, "/metrics/new", SHARE)
    with deployment_of(author).store.write() as session:
        keep_past(session=session, past=Past("paid", "user_id", 1, NOW, missing="no_units"))
    assert "has not happened to anybody" in author.get("/metrics/paid").get_data(as_text=True)
    assert "没有任何用户发生过该事件" in signed_in(empty_site, "zh-CN").get("/metrics/paid").get_data(
        as_text=True
    )


@pytest.mark.parametrize("language", ["en", "zh_Hans_CN"])
@pytest.mark.parametrize(
    "document",
    [
        {"kind": "proportion", "event": "buy"},
        {"kind": "proportion", "event": "buy", "at_least": 3, "window": "7d"},
        *({"kind": "mean", "event": "buy", "aggregation": each} for each in get_args(Aggregation)),
        {"kind": "mean", "event": "buy", "value": "cart.total"},
        {"kind": "ratio", "numerator": "buy", "denominator": "orders"},
        {"kind": "retention", "event": "buy", "from": "7d", "to": "8d", "lost": True},
        {"kind": "quantile", "event": "buy", "quantile": 0.95},
        {"kind": "quantile", "event": "buy", "quantile": 0.5, "per": "unit"},
        {"kind": "funnel", "steps": ["view", "buy"]},
        {"kind": "time_to_event", "event": "buy", "window": "7d"},
    ],
)
def test_every_kind_is_told_in_a_sentence_of_its_own(
    empty_site: Flask, document: dict[str, Any], language: str
) -> None:
    draft = MetricDraft.model_validate({"key": "m", **document})
    with empty_site.test_request_context(), force_locale(language):
        told = metric_sentence(draft)
    assert "buy" in told
    assert "None" not in told


def test_the_catalogue_speaks_the_reader_s_language(author: FlaskClient, empty_site: Flask) -> None:
    send(author, "/metrics/new", SHARE)
    assert "付款率" in signed_in(empty_site, "zh-CN").get("/metrics/").get_data(as_text=True)


def test_a_browser_is_led_to_the_catalogue_and_a_program_is_not(author: FlaskClient) -> None:
    assert author.get("/metrics", headers={"Accept": "text/html"}).location == "/metrics/"
    assert author.get("/metrics", headers={"Accept": "text/plain"}).status_code == 401
    assert "text/html" in author.get("/metrics/nothing").content_type


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "units</b>"),
        ("?baseline=20&sd=100&mde=3", "units</b>"),
        ("?baseline=0", "a share lies between 0 and 100"),
        ("?baseline=much", "write a number"),
        ("?variants=1", "from 2 to 20"),
        ("?mde=0", "out of range"),
        ("?confidence=100", "out of range"),
        ("?inference=magic", "out of range"),
        ("?daily=0", "units</b>"),
    ],
)
def test_the_calculator_answers_or_says_what_is_wrong(author: FlaskClient, query: str, said: str) -> None:
    assert said in author.get(f"/calculator{query}").get_data(as_text=True)


def test_the_calculator_agrees_with_the_power_function(author: FlaskClient) -> None:
    text = author.get("/calculator?baseline=10&mde=5&inference=fixed&daily=6000").get_data(as_text=True)
    assert "113,024 units" in text
    assert "19 days" in text
    assert "3 whole weeks" in text
