"""The site: the blueprint all pages hang on, with what holds for every one of them.

A page needs a person who is signed in and may see it, a form needs its token, and every answer carries the
strict policy: no inline script or style, nothing from another origin, no framing.

Without another word, showing needs the scope `read` and a form `write:experiments`; a view that needs another
one says so with `needs`.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as AnyResponse

from experiments.roles import Scope
from web import auth
from web.auth import protection

site = Blueprint("pages", __name__, template_folder="../templates")

_OPEN: set[Callable[..., object]] = set()
_SCOPES: dict[Callable[..., object], Scope] = {}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

View = TypeVar("View", bound=Callable[..., object])


def open_to_all(view: View) -> View:
    """Mark a page that needs no sign-in."""
    _OPEN.add(view)
    return view


def needs(scope: Scope) -> Callable[[View], View]:
    """Mark a page or a form that takes a scope of its own."""

    def mark(view: View) -> View:
        _SCOPES[view] = scope
        return view

    return mark


@site.before_request
def ask_to_sign_in() -> AnyResponse | str | tuple[str, int] | None:
    """Send strangers to the sign-in page; a form sent without a session is told that nothing is lost."""
    if current_app.view_functions[request.endpoint or ""] in _OPEN or auth.person() is not None:
        return None
    if request.method == "POST":
        return _keep_typed()
    session["next"] = request.full_path.rstrip("?")
    return redirect(url_for("pages.sign_in"), 303)


def _keep_typed() -> tuple[str, int]:
    """Hand back what was typed, to be sent again; only what came from a page of ours."""
    try:
        protection.protect()
    except CSRFError:
        return render_template("session_over.html", sent=[]), 401
    hidden = ("csrf_token",)
    sent = [(name, text) for name, text in request.form.items(multi=True) if name not in hidden]
    return render_template("session_over.html", sent=sent), 401


@site.before_request
def require_scope() -> None:
    """Let everybody do what their role allows, and nothing else."""
    view, person = current_app.view_functions[request.endpoint or ""], auth.person()
    if view not in _OPEN and person is not None:
        person.caller.require(_SCOPES.get(view, Scope.WRITE if request.method == "POST" else Scope.READ))


@site.before_request
def require_token() -> None:
    """Take a form only from our own page."""
    if request.method == "POST":
        protection.protect()


@site.context_processor
def on_every_page() -> dict[str, object]:
    """What the frame around every page shows."""
    person = auth.person()
    return {"person": person, "nonce": nonce(), "may": person.caller.may if person else lambda _: False}


def nonce() -> str:
    """The word that this answer's styles are known by."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    word: str = g.nonce
    return word


@site.after_request
def guard(answer: Response) -> Response:
    """Set the headers of a page."""
    answer.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    answer.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.vary.update(("Cookie", "Accept-Language"))
    return answer
