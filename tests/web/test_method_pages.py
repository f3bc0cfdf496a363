from collections import Counter

from flask import Flask
from flask.testing import FlaskClient

from analysis.methods import NAMES
from web.wording.method_index import method_groups, method_title


def test_every_method_stands_under_one_question(gallery: Flask) -> None:
    with gallery.test_request_context():
        listed = Counter(name for _, names in method_groups() for name in names)
    assert listed == Counter(NAMES)


def test_a_method_has_one_title_in_the_index_and_on_its_page(visitor: FlaskClient) -> None:
    titles = [method_title(name) for name in NAMES]
    assert len(set(titles)) == len(titles)
    assert "Benjamini–Hochberg</a>" in visitor.get("/methods").get_data(as_text=True)
    page = visitor.get("/methods/benjamini_hochberg").get_data(as_text=True)
    assert '<h1 lang="en">Benjamini–Hochberg</h1>' in page
