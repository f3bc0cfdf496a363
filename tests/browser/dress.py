"""Dresses: the languages, themes and widths that every page is seen in."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypedDict

from playwright.sync_api import ViewportSize

ENGLISH, CHINESE = "en", "zh-CN"
LIGHT, DARK = "light", "dark"
DESK, PHONE = 1360, 390


class Context(TypedDict):
    """What a browser window is asked to be."""

    locale: str
    color_scheme: Literal["dark", "light"]
    viewport: ViewportSize


@dataclass(frozen=True, slots=True)
class Dress:
    """A language, a theme and a width."""

    language: str = ENGLISH
    theme: str = LIGHT
    width: int = DESK

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"

    def to_context(self) -> Context:
        """What a window in this dress is made with."""
        theme: Literal["dark", "light"] = "dark" if self.theme == DARK else "light"
        return {
            "locale": self.language,
            "color_scheme": theme,
            "viewport": {"width": self.width, "height": 900},
        }


def all_dresses(language: str) -> Iterator[Dress]:
    """Both themes at both widths."""
    for theme, width in product((LIGHT, DARK), (DESK, PHONE)):
        yield Dress(language, theme, width)


def common_dress(language: str, place: int) -> Dress:
    """The one that a page wears in the common run.

    Between them the two languages wear opposite ones, and neighbouring pages wear different ones, so every
    page is seen in both languages, both themes and both widths.
    """
    narrow = (place % 2 == 1) != (language == CHINESE)
    dark = (place // 2 % 2 == 1) != (language == CHINESE)
    return Dress(language, DARK if dark else LIGHT, PHONE if narrow else DESK)
