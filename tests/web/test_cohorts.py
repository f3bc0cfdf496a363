"""Cohorts on the page: a number in every cell, its shade beside it."""

import re
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from analysis import Interval
from tests.web import scenes
from tests.web.test_report import text_of
from tests.web.test_wording import english, read
from web.wording.ages import ages_sentence
from web.wording.cohorts import heats_of

__all__ = ["english"]


def test_rates_are_shaded_by_how_many_came_back_and_differences_by_side(english: Flask) -> None:
    control, treatment, difference = heats_of(*read(english, scenes.RICH))
    assert (control.caption, treatment.caption) == ("Three pages", "One page")
    assert control.days == ("D1", "D3", "D7", "D10")
    (week, cells), (_, younger) = control.rows
    assert week == "Feb 23"
    assert [cell.text for cell in cells] == ["36%", "27%", "19%", "15%"]
    shades = [int(cell.shade.removeprefix("heat-")) for cell in cells]
    assert shades == sorted(shades, reverse=True)
    assert shades[0] == 6
    assert [cell.text for cell in younger] == ["36%", "27%", "", ""]
    assert [cell.shade for cell in difference.rows[0][1]] == [
        "lean-more-3",
        "lean-more-2",
        "lean-more-0",
        "lean-less-1",
    ]
    assert difference.rows[0][1][0].told == "+0.70 points (+0.10 to +1.30)"


def test_a_handful_of_units_is_told_in_grey_and_shades_nothing(english: Flask) -> None:
    _, treatment, difference = heats_of(*read(english, scenes.RICH))
    assert treatment.rows[1][1][1].shade == difference.rows[1][1][1].shade == "few"


def test_one_day_of_cohorts_is_no_table(english: Flask) -> None:
    readout, names = read(english, scenes.RICH)
    assert heats_of(replace(readout, cohorts=readout.cohorts[:1]), names) == ()


def test_the_cells_stand_on_the_page_and_in_the_report(visitor: FlaskClient) -> None:
    for path in ("explore?tab=retention", "report"):
        page = text_of(visitor, f"/experiments/rich/{path}")
        card = page.partition('id="cohorts"')[2].partition("</section>")[0]
        assert card.count("<table") == 3
        assert re.search(r'<td class="heat-6" title="35.6% of 27,334 units">36%</td>', card)


def test_a_change_that_chance_does_not_explain_is_not_said_to_be_chance(english: Flask) -> None:
    readout, names = read(english, scenes.RICH)
    apart = replace(readout.ages[0], change=Interval(-0.012, -0.018, -0.006), novelty=False)
    assert "which chance would explain" in ages_sentence(readout, readout.ages[0], names)
    assert "does not change steadily" in ages_sentence(readout, apart, names)
