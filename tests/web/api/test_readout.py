"""The readout for programs, with the sentences of the pages."""

from html import unescape
from typing import Any

import pytest
from flask import Flask

from tests.web.conftest import signed_in

PATH = "/api/v1/experiments/checkout-onepage/readout"


def asked(app: Flask, path: str, language: str = "en") -> Any:
    answer = signed_in(app, language).get(path)
    assert answer.status_code == 200
    return answer.get_json()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_it_says_what_the_page_says_word_for_word(gallery: Flask, language: str) -> None:
    sentences = asked(gallery, f"{PATH}?sentences=1", language)["sentences"]
    client = signed_in(gallery, language)
    page = unescape(client.get("/experiments/checkout-onepage/results").get_data(as_text=True))
    verdict = sentences["verdict"]
    for text in (verdict["headline"], *verdict["sentences"], verdict["frequency"], sentences["intervals"]):
        assert text in page
    for each in sentences["comparisons"]:
        for name in ("heading", "sentence", "reading", "limit"):
            assert each[name] in page
    for each in sentences["checks"]:
        assert each["claim"] in page
        assert each["grounds"] in page


def test_segments_are_told_with_their_warning(gallery: Flask) -> None:
    sentences = asked(gallery, "/api/v1/experiments/rich/readout?sentences=1")["sentences"]
    assert "do not differ more than chance would explain" in sentences["segments"][0]
    assert {each["segment"] for each in sentences["comparisons"]} > {None, "lifecycle=new", "lifecycle="}


def test_nothing_is_added_unless_it_is_asked_for(gallery: Flask) -> None:
    assert "sentences" not in asked(gallery, PATH)
    assert signed_in(gallery).get(f"{PATH}?sentences=perhaps").status_code == 422
