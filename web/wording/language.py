"""Language: which ones there are, which one a reader gets, and the door to the translations."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import flask_babel
from flask import Flask, Request

COOKIE = "evenhand_language"

LANGUAGES: Mapping[str, str] = {"en": "English", "zh_Hans_CN": "简体中文"}
"""Locale ids with the names that their readers know."""

READERS: Mapping[str, str] = {"en": "en", "zh": "zh_Hans_CN"}
"""What programs and commands call a language, and its locale."""

_ACCEPTED = {
    "en": "en",
    "zh": "zh_Hans_CN",
    "zh-CN": "zh_Hans_CN",
    "zh-SG": "zh_Hans_CN",
    "zh-Hans": "zh_Hans_CN",
    "zh-Hans-CN": "zh_Hans_CN",
}


def choose(request: Request) -> str:
    """The reader's own choice, or the best match of what the browser asks for."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    best = request.accept_languages.best_match(list(_ACCEPTED), default="en")
    return _ACCEPTED[best]


def html_tag() -> str:
    """The present language as HTML names it."""
    return str(flask_babel.get_locale()).replace("_", "-")


def gettext(message: str, **values: object) -> str:
    """Translate a message and fill in its values."""
    return str(flask_babel.gettext(message, **values))


def joined(*sentences: str) -> str:
    """Put sentences one after the other, as the language does."""
    whole, *rest = sentences or ("",)
    for each in rest:
        whole = gettext("%(one)s %(next)s", one=whole, next=each)
    return whole


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """Translate a message that counts; ``num`` is filled in."""
    return str(flask_babel.ngettext(one, many, count, **values))


TRANSLATIONS = Path(__file__).parent.parent / "translations"


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Speak a language where there is no request: in a worker, a command or a mail."""
    with _silent_app().app_context(), flask_babel.force_locale(locale):
        yield


@cache
def _silent_app() -> Flask:
    """An application that serves nothing: translations are bound to one."""
    app = Flask("evenhand")
    flask_babel.Babel(
        app, default_translation_directories=str(TRANSLATIONS), default_timezone="UTC", default_locale="en"
    )
    return app
