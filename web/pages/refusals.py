"""Refusals: what a page says when it cannot do what was asked, calmly and with a way on."""

from dataclasses import dataclass

from flask import Flask, Response, g, make_response, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from experiments.errors import (
    Conflict,
    EvenhandError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotPermitted,
    Unavailable,
)
from web.pages.site import guard, on_every_page, site
from web.wording.language import gettext
from web.wording.mistakes import worded
from web.wording.refusals import refusal_sentence


@dataclass(frozen=True, slots=True)
class Refusal:
    """A page instead of the one that was asked for."""

    status: int
    title: str
    advice: str


def register(app: Flask) -> None:
    """Let a form that is no longer valid be answered as a page."""
    app.register_error_handler(CSRFError, _stale_form)


@site.errorhandler(EvenhandError)
def answer_refusal(refusal: EvenhandError) -> Response:
    """Answer what a use case refuses."""
    return _page(_worded(refusal), _detail(refusal))


def answer_http(refusal: HTTPException) -> Response:
    """Answer what the framework refuses."""
    if refusal.response is not None:
        return make_response(refusal.response)
    if refusal.code == 404:
        return _page(_missing(), "")
    title = gettext("This cannot be shown")
    return _page(Refusal(refusal.code or 500, title, gettext("Go back and try again.")), "")


def _stale_form(_: CSRFError) -> Response:
    title = gettext("This form is no longer valid")
    advice = gettext("Nothing was changed. Go back, reload the page and send it again.")
    return _page(Refusal(400, title, advice), "")


def _detail(refusal: EvenhandError) -> str:
    """What exactly was refused, in the reader's language as far as there are words for it."""
    if isinstance(refusal, InvalidInput):
        return "\n".join(dict.fromkeys(worded(problem.message) for problem in refusal.problems))
    return refusal_sentence(str(refusal)) or str(refusal)


def _worded(refusal: EvenhandError) -> Refusal:
    again = gettext("Nothing was changed. Go back, reload the page and look again.")
    match refusal:
        case NotFound():
            return _missing()
        case Conflict():
            return Refusal(409, gettext("Somebody else was quicker"), again)
        case NotAllowed():
            return Refusal(409, gettext("This is not possible now"), again)
        case NotPermitted():
            advice = gettext("Ask an admin of the project for another role.")
            return Refusal(403, gettext("Your role does not allow this"), advice)
        case InvalidInput():
            return Refusal(400, gettext("Something in this is not right"), again)
        case Unavailable():
            advice = gettext("Nothing was stored. Try again in a moment.")
            return Refusal(503, gettext("The database cannot be reached"), advice)
    return Refusal(500, gettext("Something went wrong"), again)


def _missing() -> Refusal:
    return Refusal(404, gettext("There is nothing here"), gettext("The address may be old or mistyped."))


def _page(refusal: Refusal, detail: str) -> Response:
    if refusal.status == 503:
        g.setdefault("person", None)  # who asks cannot be looked up without the database
    # Outside the blueprint its own processors do not run: they are asked for here.
    text = render_template("refusal.html", refusal=refusal, detail=detail, **on_every_page())
    return guard(make_response(text, refusal.status))
