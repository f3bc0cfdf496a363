import pytest

from web.wording import Names
from web.wording.legibility import legible

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Checkout", "Checkout"),
        (f"safe{OVERRIDE}%9+", "safe%9+"),
        ("a\u200bb\ufeffc\u2066d", "abcd"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("\u200b\u2060", ""),
        ("עברית 9%", "\u2068עברית 9%\u2069"),
        ("👩\u200d🔬 लि\u200dखो", "👩\u200d🔬 लि\u200dखो"),
    ],
)
def test_a_name_does_not_bend_the_sentence_around_it(text: str, shown: str) -> None:
    assert legible(text) == shown


def test_a_name_that_nobody_can_see_is_told_by_its_key() -> None:
    names = Names({"m": "\u200b\u200b"}, {"v": "x" * 41})
    assert names.metric("m") == "m"
    assert names.variant("v") == "v"
