"""Rounds: every page in the dresses that it is seen in."""

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet
from playwright.sync_api import BrowserContext

from tests.browser.addresses import NOWHERE, SHARED, addresses
from tests.browser.dress import Dress, all_dresses, common_dress
from tests.browser.soundness import faults, listen, unexpected


def every_page_in(language: str) -> pytest.MarkDecorator:
    """One test for each page in its common dress, and the rest of its dresses for those who ask for them."""
    return pytest.mark.parametrize(("path", "dress"), list(_rounds(language)))


def faults_at(window: BrowserContext, origin: str, path: str, dress: Dress, shared: str) -> list[str]:
    """Open a page and look for everything that may be wrong with it."""
    said: list[str] = []
    page = window.new_page()
    listen(page, origin, said)
    answer = page.goto(path.replace(SHARED, shared))
    assert answer is not None
    missing = path == NOWHERE
    found = [] if answer.status == (404 if missing else 200) else [f"answered {answer.status}"]
    found += faults(page, dress.language)
    page.close()
    return found + [each for each in unexpected(said) if not (missing and "404" in each)]


def _rounds(language: str) -> Iterator[ParameterSet]:
    for place, path in enumerate(addresses()):
        for dress in all_dresses(language):
            rare = () if dress == common_dress(language, place) else (pytest.mark.wardrobe,)
            yield pytest.param(path, dress, id=f"{path} {dress}", marks=rare)
