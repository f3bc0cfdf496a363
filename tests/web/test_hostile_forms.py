"""Every form of every page is sent the worst that can be typed: each answers calmly, nothing of it runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browser.addresses import addresses
from tests.browser.furniture import furnish
from tests.web.conftest import signed_in

SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
WORST = {
    "scripts": SCRIPT,
    "ten thousand letters": "W" * 10_000,
    "right to left and unseen": "\u202eevil\u200b\u2066\u0000\ufeff\ud7ff",
    "formula": '=HYPERLINK("http://example.com","x")',
    "script address": "[look](javascript:alert(1)) <javascript:alert(1)>",
}
LEFT_ALONE = ("/sign-out", "/language", "/settings/language", "/experiments/warm/edit/discard")
"""Forms without anything to type, which would end the session, change the language or take the draft away."""

RUNS = re.compile(r"<script>alert|<img src=x|href=\"javascript:", re.IGNORECASE)


@dataclass
class Form:
    """A form as a browser sees it."""

    action: str
    fixed: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)

    def filled(self, text: str) -> Mapping[str, str]:
        """What is sent when every box says the same."""
        return {**self.fixed, **dict.fromkeys(self.typed, text)}


class FormReader(HTMLParser):
    """Finds the forms that change something."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("method") == "post"
            if self.inside:
                self.forms.append(Form(found.get("action") or self.address))
        elif self.inside and (name := found.get("name")):
            self._take(tag, name, found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False

    def _take(self, tag: str, name: str, found: Mapping[str, str | None]) -> None:
        form, kind = self.forms[-1], found.get("type") or "text"
        if tag == "textarea" or (tag == "input" and kind in ("text", "date", "number", "search")):
            form.typed.add(name)
        elif tag == "input" and (kind == "hidden" or "checked" in found):
            form.fixed[name] = found.get("value") or ""


def forms_of(client: FlaskClient) -> Iterator[Form]:
    """Every form of every page, once."""
    seen = set(LEFT_ALONE)
    for path in addresses():
        reader = FormReader(path)
        reader.feed(client.get(path).get_data(as_text=True))
        for form in reader.forms:
            if form.action not in seen and form.typed:
                seen.add(form.action)
                yield form


@pytest.fixture(scope="module")
def victim(gallery_of_ones_own: Flask) -> FlaskClient:
    furnish(gallery_of_ones_own)
    return signed_in(gallery_of_ones_own)


@pytest.mark.parametrize("worst", WORST)
def test_every_form_answers_calmly(victim: FlaskClient, worst: str) -> None:
    sent = 0
    for form in list(forms_of(victim)):
        answer = victim.post(form.action, data=form.filled(WORST[worst]), follow_redirects=True)
        text = answer.get_data(as_text=True)
        assert answer.status_code < 500, form.action
        assert not RUNS.search(text), form.action
        sent += 1
    assert sent > 15


def test_no_page_runs_what_the_forms_have_kept(victim: FlaskClient) -> None:
    for path in addresses():
        answer = victim.get(path)
        assert answer.status_code < 500, path
        assert not RUNS.search(answer.get_data(as_text=True)), path
