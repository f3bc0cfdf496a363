import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from web.reporting.markdown import to_html

ALLOWED = {"p", "br", "h4", "ul", "ol", "li", "strong", "em", "code", "a", "span"}


def filled(name: str) -> Markup:
    return Markup("<span>{}</span>").format(f"={name}")


def written(text: str) -> str:
    return str(to_html(text, filled))


class Seen(HTMLParser):
    """Every element and attribute of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One line\nand another", "<p>One line<br>and another</p>"),
        ("One\n\nTwo", "<p>One</p>\n<p>Two</p>"),
        ("# Big\n### Small ###", "<h4>Big</h4>\n<h4>Small</h4>"),
        ("- a\n* b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("1、第一\n2、第二", "<ol><li>第一</li><li>第二</li></ol>"),
        ("**very** *much* `x < y`", "<p><strong>very</strong> <em>much</em> <code>x &lt; y</code></p>"),
        ("It rose by {{ ctr.B.lift }}.", "<p>It rose by <span>=ctr.B.lift</span>.</p>"),
        ("**by {{lift}}**", "<p><strong>by <span>=lift</span></strong></p>"),
        ("`{{lift}}`", "<p><code>{{lift}}</code></p>"),
        (
            "[a *b*](https://a.no/?b=c&d)",
            '<p><a href="https://a.no/?b=c&amp;d" rel="noopener noreferrer nofollow">a <em>b</em></a></p>',
        ),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("\r\n\r", ""),
    ],
)
def test_the_small_subset_is_read(text: str, html: str) -> None:
    assert written(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,hi)",
        "[x](//evil.example)",
        '[x](https://e.example/"onmouseover="alert(1))',
        "[x](https://e.example\\@evil.example)",
        "**<b onclick=x>**",
        "`</code><script>`",
        "{{<script>}}",
        "# <svg/onload=alert(1)>",
    ],
)
def test_nothing_that_runs_comes_out(text: str) -> None:
    seen = Seen(written(text))
    assert set(seen.tags) <= ALLOWED - {"a"}
    assert seen.attributes == []


@given(st.text(alphabet=st.sampled_from("<>\"'&[](){}*`#-1. \nahtps:/javcript\u202e\u200b"), max_size=200))
def test_any_text_gives_only_the_elements_of_the_subset(text: str) -> None:
    seen = Seen(written(text))
    assert set(seen.tags) <= ALLOWED
    for name, value in seen.attributes:
        assert name in ("href", "rel")
        if name == "href":
            assert re.match(r"(?i)(https?://|mailto:)[^\"'<>\s]", value or "")


def test_a_very_long_text_does_not_take_long() -> None:
    for piece in ("*", "**a", "[", "[a](", "`", "{{", "# " * 3, "1."):
        assert written(piece * 5_000)
