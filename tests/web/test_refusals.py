"""What a page says when it cannot do what was asked: in the reader's language, whatever was refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.web.conftest import signed_in
from tests.web.test_wording import both_languages
from web.wording.mistakes import worded
from web.wording.refusals import refusal_sentence

__all__ = ["both_languages"]

ROOT = Path(__file__).parents[2]
REFUSALS = {"NotFound", "Conflict", "Outdated", "NotAllowed", "NotPermitted", "Unavailable"}
OFF_PAGES = {"backups.py", "seeding.py", "files.py"}
"""What only commands do."""
OFF_FORMS = {
    *("imports.py", "instance.py", "messages.py", "overlaps.py", "planning.py", "pseudonyms.py"),
    *("retention.py", "rowcells.py", "rowcolumns.py", "rowfiles.py", "stored_answers.py", "summaryrows.py"),
    *("calculator.py", "webhook.py"),
}
"""What only commands, files and programs send; the calculator finds its own words."""
OFF_MESSAGES = re.compile(r"not TOML|7: 7 is defined|operator: expected one of|7: expected|7\.|expected 7$")
"""What only files say, and what no form can leave out."""
COMPOSED = {"legibility.py", "writing.py", "deciding.py"}
"""Where a refusal hands on what was said elsewhere."""


def sources() -> Iterator[Path]:
    for folder in ("experiments", "experiments/store", "web", "web/pages", "web/reporting"):
        yield from (each for each in (ROOT / folder).glob("*.py") if each.name not in OFF_PAGES)


def refused() -> Iterator[tuple[str, str]]:
    """Every sentence of a refusal in the source, with something in the place of what is filled in."""
    for path in sources():
        for call in _raised(ast.parse(path.read_text())):
            text = _filled(call.args[0])
            if text is not None or path.name not in COMPOSED:
                yield path.name, text or ""


def _raised(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSALS:
            yield call


def _filled(told: ast.expr, word: str = "this") -> str | None:
    if isinstance(told, ast.Constant):
        return str(told.value)
    if not isinstance(told, ast.JoinedStr):
        return None
    return "".join(str(each.value) if isinstance(each, ast.Constant) else word for each in told.values)


def test_every_refusal_that_a_page_can_show_has_words_of_its_own(both_languages: Flask) -> None:
    found = list(refused())
    assert len(found) > 40
    assert [each for each in found if refusal_sentence(each[1]) is None] == []


def test_no_english_is_left_of_a_refusal_in_chinese(gallery: Flask) -> None:
    with gallery.test_request_context(headers={"Accept-Language": "zh-CN"}):
        told = {text: refusal_sentence(text) or "" for _, text in refused()}
    names = re.compile(r"\bthis\b|Evenhand")
    assert {
        text: words for text, words in told.items() if re.search(r"[A-Za-z]{3}", names.sub("", words))
    } == {}


@pytest.mark.parametrize(
    ("language", "told"), [("en", "There is no experiment nowhere."), ("zh-CN", "没有实验 nowhere。")]
)
def test_a_missing_experiment_is_named_in_the_language_of_the_page(
    gallery: Flask, language: str, told: str
) -> None:
    answer = signed_in(gallery, language).get("/experiments/nowhere/results")
    assert answer.status_code == 404
    assert told in answer.get_data(as_text=True)


def mistakes() -> Iterator[str]:
    """Every sentence about input in what pages call, with a number in the place of what is filled in."""
    rooms = [*sources(), *(ROOT / "assignment" / name for name in ("targeting.py", "operators.py"))]
    for path in rooms:
        if path.name in OFF_FORMS or path.parent.name == "store":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            told = _told(node) if isinstance(node, ast.Call) else None
            text = None if told is None else _filled(told, "7")
            if text is not None and not OFF_MESSAGES.match(text):
                yield text


def _told(call: ast.Call) -> ast.expr | None:
    place = {"InvalidInput.at": 1, "Problem": 1, "ValueError": 0}.get(ast.unparse(call.func))
    return call.args[place] if place is not None and len(call.args) > place else None


def test_every_mistake_that_a_form_can_hold_has_words_of_its_own_in_chinese(gallery: Flask) -> None:
    found = set(mistakes())
    assert len(found) > 60
    with gallery.test_request_context(headers={"Accept-Language": "zh-CN"}):
        told = {text: worded(text) for text in found}
    assert [text for text, words in told.items() if not re.search(r"[\u4e00-\u9fff]", words)] == []


def test_what_has_no_words_is_none(both_languages: Flask) -> None:
    assert refusal_sentence("something new") is None
