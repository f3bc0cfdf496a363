"""Health: every check has words, names its place, and says what to do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

import analysis
from analysis import Readout
from analysis.readout import DataCheck
from tests.web import scenes
from tests.web.conftest import signed_in
from tests.web.test_wording import read
from web.wording import Names, four_checks
from web.wording.advice import check_words
from web.wording.health import diagnose, health_sentence

ROOM = Path(analysis.__file__).parent
MADE = sorted(
    {
        name
        for path in ROOM.glob("*.py")
        for name in re.findall(r'(?:DataCheck|_told|_somewhere)\(\s*"(\w+)"', path.read_text())
    }
)
PLACES = {
    "srm_segments": ("lifecycle=new", "lifecycle: new"),
    "srm_stages": ("not_crossed", "Seen in one variant only"),
    "srm_daily": ("2026-03-04", "Mar 4, 2026"),
    "srm_sequential": ("2026-03-04", "Mar 4, 2026"),
    "arrivals": ("2026-03-04, 2026-03-05", "Mar 4, 2026 and Mar 5, 2026"),
    "silent_metrics": ("refund", "Refund rate"),
    "pre_period": ("paid:treatment:sessions", "Checkout conversion · One page"),
    "sensitivity": ("paid:treatment:uncapped", "Checkout conversion · One page"),
}


@pytest.fixture(params=["en", "zh-CN"])
def language(request: pytest.FixtureRequest, gallery: Flask) -> Iterator[str]:
    with gallery.test_request_context(headers={"Accept-Language": request.param}):
        yield request.param


def with_check(app: Flask, check: DataCheck) -> tuple[Readout, Names]:
    readout, names = read(app, scenes.ONE_PAGE)
    return replace(readout, checks=(*readout.checks, check)), names


@pytest.mark.parametrize("name", MADE)
def test_every_check_that_is_made_has_words(language: str, name: str) -> None:
    title, threshold, advice = check_words(name)
    assert title != name.replace("_", " ")
    assert threshold
    assert advice


def test_the_checks_were_found() -> None:
    assert {"srm", "crossover", "srm_segments", "late_data", "sensitivity"} <= set(MADE)


def test_a_check_that_is_not_known_shows_its_numbers(language: str) -> None:
    assert check_words("brand_new") == ("brand new", "", "")


@pytest.mark.parametrize("name", PLACES)
def test_a_check_names_its_place(gallery: Flask, name: str) -> None:
    detail, told = PLACES[name]
    with gallery.test_request_context(headers={"Accept-Language": "en"}):
        check = DataCheck(name, False, 0.0001, detail=detail, advisory=True)
        first = diagnose(*with_check(gallery, check))[0]
    assert first.name == name
    assert told in first.result


def test_advice_stands_beside_the_verdict_and_a_failure_before_it(language: str, gallery: Flask) -> None:
    advising, names = with_check(gallery, DataCheck("arrivals", False, detail="2026-03-04", advisory=True))
    failing = replace(advising, checks=(*advising.checks, DataCheck("srm", False, 0.0)))
    assert four_checks(advising, names)[0].state == "good"
    assert "1" in four_checks(advising, names)[0].grounds
    assert [each.chip.tone for each in diagnose(failing, names)][:2] == ["worse", "quiet"]
    assert health_sentence(advising) != health_sentence(failing)


def test_hostile_places_are_texts(gallery: Flask) -> None:
    text = "<script>\u202e" + "x" * 10_000
    with gallery.test_request_context():
        readout, names = with_check(
            gallery, DataCheck("srm_segments", False, detail=f"a={text}", advisory=True)
        )
        result = diagnose(readout, names)[0].result
    assert len(result) < 200
    assert "\u202e" not in result


def test_a_failed_check_is_first_on_its_page(gallery: Flask) -> None:
    text = signed_in(gallery).get("/experiments/veterans/health").get_data(as_text=True)
    assert "A check failed: do not read the results before it is explained." in text
    assert text.index("Failed") < text.index("Passed")
    assert "Look for the first day" in text
