from collections.abc import Iterator

import pytest
from flask import Flask

from tests.web import scenes
from tests.web.test_wording import read
from web.reporting.placeholders import unknown_in, values_of


@pytest.fixture(params=["en", "zh-CN"])
def both_languages(request: pytest.FixtureRequest, gallery: Flask) -> Iterator[Flask]:
    with gallery.test_request_context(headers={"Accept-Language": request.param}):
        yield gallery


def test_a_change_always_brings_its_interval(both_languages: Flask) -> None:
    values = values_of(*read(both_languages, scenes.ONE_PAGE))
    assert values["paid.treatment.lift"] == "+7.6% (+3.8% … +11.6%)"
    assert values["paid.treatment.control"] == "11.8%"
    assert "+0.9" in values["paid.treatment.difference"]
    assert values["units"] == "108,992"
    assert values["units.treatment"] == "54,323"


def test_keys_with_dots_are_found_whole(both_languages: Flask) -> None:
    readout, names = read(both_languages, scenes.TOUCH)
    values = values_of(readout, names)
    assert {"ctr.B.lift", "ctr.C.sentence", "ctr.D.could_detect"} <= values.keys()
    assert unknown_in("{{ctr.B.lift}} {{ ctr.Z.lift }} {{ctr.Z.lift}} {{x}}", values) == ("ctr.Z.lift", "x")


def test_what_cannot_be_estimated_has_no_number(both_languages: Flask) -> None:
    values = values_of(*read(both_languages, scenes.EMPTY))
    assert "paid.treatment.lift" not in values
    assert values["paid.treatment.control"] == "–"
