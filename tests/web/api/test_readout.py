"""The readout for programs, with the sentences of the pages."""

from html import unescape
from typing import Any

import pytest
from flask import Flask

from experiments.interruptions import end, note
from tests.samples import NOW
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


def test_what_cannot_be_refreshed_says_so_on_the_page_and_in_json(gallery: Flask) -> None:
    fresh = signed_in(gallery).get(PATH)
    store = gallery.extensions["evenhand"].store
    with store.write() as session:
        note(session=session, key="checkout-onepage", reason="spark <i>did not</i> answer", now=NOW)
    try:
        stale = signed_in(gallery).get(PATH)
        page = signed_in(gallery).get("/experiments/checkout-onepage/results").get_data(as_text=True)
        assert stale.get_json() == {
            **fresh.get_json(),
            "interrupted": {
                "since": NOW.isoformat(),
                "tried_at": NOW.isoformat(),
                "reason": "spark <i>did not</i> answer",
            },
        }
        assert stale.headers["ETag"] != fresh.headers["ETag"]
        assert "cannot be refreshed since" in page
        assert "spark &lt;i&gt;did not&lt;/i&gt; answer" in page
        assert 'class="card verdict' in page
    finally:
        with store.write() as session:
            end(session=session, key="checkout-onepage")
