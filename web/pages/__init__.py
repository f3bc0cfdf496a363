"""Pages: what people see. Every page works without JavaScript, the canvases aside.

A page looks up one thing, words it and lays it out; it computes no statistic. `register` attaches all of them
to an application, with the language, the form protection and the headers that they need.
"""

from importlib import import_module

import flask_babel
from flask import Flask, request

from web.auth import protection
from web.pages import assets, refusals
from web.pages.refusals import answer_http, answer_refusal
from web.pages.site import site
from web.wording import numbers
from web.wording.language import LANGUAGES, TRANSLATIONS, choose, html_tag, joined
from web.wording.names import metric_title

__all__ = ["answer_http", "answer_refusal", "register"]

_MODULES = (
    "alerts",
    "appendix",
    "assets",
    "calculator",
    "calendar",
    "data",
    "deciding",
    "design",
    "digest",
    "documentation",
    "entrance",
    "erasing",
    "experiments",
    "exploring",
    "health",
    "holdouts",
    "home",
    "language",
    "layers",
    "learnings",
    "members",
    "methods",
    "metric_detail",
    "metrics",
    "previews",
    "project",
    "records",
    "report",
    "results",
    "retrospective",
    "segments",
    "tokens",
    "tracking",
    "why",
    "wizard",
)


def register(app: Flask) -> None:
    """Attach the pages."""
    for name in _MODULES:
        import_module(f"web.pages.{name}")
    flask_babel.Babel(
        app,
        default_translation_directories=str(TRANSLATIONS),
        default_timezone="UTC",
        locale_selector=lambda: choose(request),
    )
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    app.config.setdefault("SESSION_COOKIE_SAMESITE", "Lax")
    protection.init_app(app)
    # Bokeh's document refers to models by the order in which they appear.
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    app.jinja_env.globals.update(
        asset=assets.address,
        bokeh=assets.bokeh_address,
        languages=LANGUAGES,
        html_tag=html_tag,
        joined=joined,
        metric_title=metric_title,
        numbers=numbers,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(site)
    refusals.register(app)
