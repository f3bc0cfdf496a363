"""Leftovers: English that stands on a Chinese page.

Two rules, because neither is enough. No message of ours longer than two words may appear as it was written in
the source. And no run of four Latin words may stand there at all, unless a person wrote it or it is marked as
code or as English.
"""

import re
from functools import cache

from babel.messages.pofile import read_po
from playwright.sync_api import Page

from tests.browser.furniture import written
from web.wording.language import TRANSLATIONS

WORDS = re.compile(r"[A-Za-z][A-Za-z'’-]*")
RUN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[ ,;:]+[A-Za-z][A-Za-z'’-]*){3,}")
VALUE = re.compile(r"%\(\w+\)\w")

TEXTS = """() => {
  const found = [];
  const skipped = "code, pre, kbd, samp, script, textarea, [lang=en], [translate=no]";
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (textContent.trim() && !parentElement.closest(skipped)) found.push(textContent.trim());
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const each of document.querySelectorAll(`[${name}]`))
      if (!each.closest("[lang=en], [translate=no]")) found.push(each.getAttribute(name));
  return found;
}"""


def leftovers(page: Page) -> list[str]:
    """English on a page in another language."""
    texts: list[str] = page.evaluate(TEXTS)
    return sorted({found for text in texts for found in untranslated(text)})


def untranslated(text: str) -> list[str]:
    """What of a text was not translated."""
    own = _without_what_people_wrote(re.sub(r"\s+", " ", text))
    return [each for each in messages() if each in own] + RUN.findall(own)


@cache
def messages() -> tuple[str, ...]:
    """Stretches of our messages between their values that have more than two words."""
    path = TRANSLATIONS / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file)
    ids = (str(text) for each in catalogue for text in (each.id if each.pluralizable else (each.id,)))
    pieces = {piece.strip() for text in ids for piece in VALUE.split(text)}
    return tuple(sorted(piece for piece in pieces if len(WORDS.findall(piece)) > 2))


@cache
def _people() -> tuple[str, ...]:
    texts = {re.sub(r"\s+", " ", text).strip(" .") for text in written()}
    return tuple(sorted((text for text in texts if " " in text), key=len, reverse=True))


def _without_what_people_wrote(text: str) -> str:
    for each in _people():
        text = text.replace(each, "·")
    return text
