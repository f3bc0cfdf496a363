"""The results page: what a reader may choose to see of one readout."""

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from bokeh.embed import json_item
from flask import Flask
from flask.testing import FlaskClient

from analysis.figures import DayWords, draw_days
from analysis.plan import Correction
from experiments.definition import parse_metric
from experiments.registry import save_metric
from tests.figures import reading
from tests.web import scenes
from tests.web.conftest import signed_in
from tests.web.test_report import text_of
from tests.web.test_wording import both_languages, english, read
from web.charts import chart_of
from web.deployment import Deployment
from web.wording import numbers
from web.wording.measures import Measure
from web.wording.methods import interval_note
from web.wording.segments import segment_sentences

__all__ = ["both_languages", "english"]

RICH = "/experiments/rich/results"


def scorecard(page: str) -> str:
    return page.partition('id="changed"')[2].partition('class="legend"')[0]


def test_the_scorecard_can_be_narrowed_to_one_value_of_a_segment(visitor: FlaskClient) -> None:
    whole, part = text_of(visitor, RICH), text_of(visitor, RICH + "?segment=lifecycle%3Dnew")
    assert '<option value="lifecycle=new" >lifecycle: new</option>' in whole
    assert '<option value="lifecycle=new" selected>' in part
    assert "37,640 of 108,992 units" in scorecard(part)
    assert "+1.9% … +20.5%" in scorecard(part)
    assert "Refund rate" not in scorecard(part)  # counted in no segment
    assert "Checkout conversion: One page against Three pages · lifecycle: new" in part


def test_the_recommendation_stands_on_all_units_whatever_segment_is_shown(visitor: FlaskClient) -> None:
    pages = [text_of(visitor, RICH + asked) for asked in ("", "?segment=lifecycle%3Dnew")]
    verdicts = [re.findall(r'<section class="card verdict.*?</section>', page, re.DOTALL) for page in pages]
    assert verdicts[0] == verdicts[1] != []


def test_a_segment_that_is_not_known_changes_nothing(visitor: FlaskClient) -> None:
    page = text_of(visitor, RICH + "?segment=x")
    assert "Refund rate" in scorecard(page)
    assert "was planned before the start" not in page


def test_one_choice_carries_the_others_along(visitor: FlaskClient) -> None:
    known = re.search(r"snapshot=(\d+)", text_of(visitor, "/experiments/rich/snapshots"))
    assert known is not None
    page = text_of(visitor, f"{RICH}?segment=lifecycle%3Dnew&show=refund:treatment&{known[0]}")
    assert '<input type="hidden" name="show" value="refund:treatment">' in page
    assert page.count(f'<input type="hidden" name="snapshot" value="{known[1]}">') == 2
    assert '<input type="hidden" name="segment" value="lifecycle=new">' in page


def test_a_segment_says_whether_it_was_planned_and_corrected(english: Flask) -> None:
    readout, names = read(english, scenes.RICH)

    def told(**plan: object) -> str:
        changed = replace(readout, plan=replace(readout.plan, **plan))  # type: ignore[arg-type]  # fields by name, each of another type
        return next(iter(segment_sentences(changed, names, "lifecycle=lapsed")))

    assert "corrected together" in told()
    assert "nothing is corrected" in told(correction=Correction.NONE)
    assert "this is exploration" in told(segments=())


def test_every_segment_is_told_in_either_language(both_languages: Flask) -> None:
    readout, names = read(both_languages, scenes.RICH)
    told = list(segment_sentences(readout, names, "lifecycle="))
    assert all(numbers.whole(count) in told[0] for count in (7_380, 108_992))
    assert "0.61" in told[1]


def test_who_came_back_and_who_was_left_out_stand_on_the_page(visitor: FlaskClient) -> None:
    page = text_of(visitor, RICH)
    assert "D14: 13,624 of 108,992 units are old enough." in page
    assert "From recorded to analysed" in page


def test_an_experiment_that_nobody_met_says_what_will_be_read(visitor: FlaskClient) -> None:
    page = text_of(visitor, "/experiments/empty/results")
    assert "Nothing has been counted yet." in page
    assert "The groups cannot be compared" not in page


def test_intervals_that_were_adjusted_say_so(english: Flask) -> None:
    readout, _ = read(english, scenes.ONE_PAGE)
    adjusted = replace(readout.comparisons[0], variance_reduction=0.3)
    assert "CUPED" not in interval_note(readout)
    assert interval_note(replace(readout, comparisons=(adjusted,))).endswith("adjusted for variance (CUPED)")


def test_money_has_cents_or_none(english: Flask) -> None:
    yuan = Measure("currency", "CNY")
    assert [yuan.level(42.104, decimals, as_share=False) for decimals in (0, 1, 3)] == [
        "CN¥42",
        "CN¥42.10",
        "CN¥42.10",
    ]


def test_a_metric_shows_its_value_in_every_variant_day_by_day(visitor: FlaskClient) -> None:
    page = text_of(visitor, "/experiments/rich/results/paid")
    card = page.partition('id="days"')[2].partition("</section>")[0]
    assert card.count("<tr>") == 1 + 14
    newest = re.findall(r"<tr>(.*?)</tr>", card, re.DOTALL)[1]
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", newest)]
    assert cells[:4] == ["Mar 14", "108,992", "11.8%", "12.7%"]
    assert cells[4].startswith("+7.6% (+")


def test_the_days_of_a_metric_are_a_file_of_the_same_numbers(visitor: FlaskClient) -> None:
    answer = visitor.get("/experiments/rich/results/paid/days.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evenhand-rich-paid-days.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 2 * 14
    last = {row["variant"]: row for row in rows if row["day"] == "2026-03-14"}
    assert int(last["control"]["units"]) == 54_669
    assert float(last["control"]["value"]) == pytest.approx(6_451 / 54_669, rel=1e-12)
    assert last["control"]["lift"] == ""
    assert float(last["treatment"]["lift_low"]) < float(last["treatment"]["lift"])
    assert visitor.get("/experiments/rich/results/nothing/days.csv").status_code == 404


def test_the_appendix_has_the_sql_of_every_metric_and_who_changed_what(gallery: Flask) -> None:
    deployment: Deployment = gallery.extensions["evenhand"]
    with deployment.store.write() as session:
        changed = parse_metric({**scenes.METRICS[2], "description": "Money given back."})
        save_metric(session=session, draft=changed, actor="Bo", now=scenes.NOW)
    page = text_of(signed_in(gallery), "/experiments/rich/appendix")
    assert page.count('<details class="statement">') == 5
    assert page.count("SELECT") >= 5
    assert "Bo changed the metric Refund rate, which made version 2 of it" in page
    assert "<ins>Money given back.</ins>" in page
    assert "/experiments/rich/appendix" in text_of(signed_in(gallery), RICH)


def test_a_figure_is_embedded_as_bokeh_would_embed_it() -> None:
    drawn = draw_days([(scenes.NOW.date(), 3.0)], words=DayWords("Day", "Events", str, str))
    ours: Any = chart_of("days", drawn, "Events").item
    theirs: Any = json_item(reading.read(drawn))
    assert ours.keys() == theirs.keys()
    assert ours["version"] == theirs["version"]
    assert ours["doc"].keys() == theirs["doc"].keys()
    assert ours["root_id"] == ours["doc"]["roots"][0]["id"] == "days-0"
