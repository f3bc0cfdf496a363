"""Markdown: the small subset in which reports are written. Everything else is text.

Paragraphs, headings, lists, **strong**, *emphasis*, `code` and links. HTML is never passed through: the text
is escaped first, and only the marks below become elements. Links go to https, http and mailto alone.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from markupsafe import Markup, escape

from web.reporting.placeholders import PLACEHOLDER

_BULLET = re.compile(r"\s{0,3}[-*+]\s+(.*)")
_NUMBERED = re.compile(r"\s{0,3}\d{1,9}[.)、]\s*(.*)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*")
_SPANS = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\((?P<address>[^()\s]{1,2000})\)"
    r"|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|\*(?P<emphasis>[^*\s][^*\n]*)\*"
    r"|" + PLACEHOLDER.pattern.replace("(", "(?P<placeholder>", 1)
)
_ADDRESS = re.compile(r"(https?://|mailto:)[^\x00-\x20\x7f\"'<>\\]+", re.IGNORECASE)

Fill = Callable[[str], Markup]
"""What stands for a placeholder, by its name."""


def to_html(text: str, fill: Fill) -> Markup:
    """Turn an author's text into HTML."""
    return Markup("\n").join(_blocks(text.replace("\r\n", "\n").replace("\r", "\n"), fill))


def _blocks(text: str, fill: Fill) -> Iterator[Markup]:
    for kind, lines in groupby(text.split("\n"), key=_kind):
        block = list(lines)
        match kind:
            case "bullets":
                yield _list("ul", [_BULLET.fullmatch(line) for line in block], fill)
            case "numbers":
                yield _list("ol", [_NUMBERED.fullmatch(line) for line in block], fill)
            case "heading":
                yield from (_heading(line, fill) for line in block)
            case "text":
                lines_ = Markup("<br>").join(_inline(line.strip(), fill) for line in block)
                yield Markup("<p>{}</p>").format(lines_)


def _kind(line: str) -> str:
    if not line.strip():
        return "gap"
    if _BULLET.fullmatch(line):
        return "bullets"
    if _NUMBERED.fullmatch(line):
        return "numbers"
    return "heading" if _HEADING.fullmatch(line) else "text"


def _list(tag: str, items: list[re.Match[str] | None], fill: Fill) -> Markup:
    inner = Markup("").join(Markup("<li>{}</li>").format(_inline(item[1], fill)) for item in items if item)
    return Markup("<{0}>{1}</{0}>").format(tag, inner)


def _heading(line: str, fill: Fill) -> Markup:
    """All headings are of one rank: the page's own stand above them."""
    found = _HEADING.fullmatch(line)
    return Markup("<h4>{}</h4>").format(_inline(found[1] if found else line, fill))


def _inline(text: str, fill: Fill) -> Markup:
    parts, reached = [], 0
    for span in _SPANS.finditer(text):
        parts += [escape(text[reached : span.start()]), _span(span, fill)]
        reached = span.end()
    return Markup("").join([*parts, escape(text[reached:])])


def _span(span: re.Match[str], fill: Fill) -> Markup:
    match span.lastgroup:
        case "code":
            return Markup("<code>{}</code>").format(span["code"])
        case "address":
            return _link(span, fill)
        case "strong":
            return Markup("<strong>{}</strong>").format(_inline(span["strong"], fill))
        case "emphasis":
            return Markup("<em>{}</em>").format(_inline(span["emphasis"], fill))
    return fill(span["placeholder"])


def _link(span: re.Match[str], fill: Fill) -> Markup:
    if not _ADDRESS.fullmatch(span["address"]):
        return escape(span[0])
    anchor = Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>')
    return anchor.format(span["address"], _inline(span["label"], fill))
