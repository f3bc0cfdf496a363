"""The results page: what a reader may choose to see of one readout."""

import re
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from analysis.plan import Correction
from tests.web import scenes
from tests.web.test_report import text_of
from tests.web.test_wording import both_languages, english, read
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
        changed = replace(readout, plan=replace(readout.plan, **plan))  # type: ignore[arg-type]
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
