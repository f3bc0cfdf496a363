"""Asking: who sends a form, when, and which revision they had seen."""

from datetime import datetime
from typing import TypedDict

from flask import abort, request

from web import auth, deployment
from web.pages.typed import read_count


class Asker(TypedDict):
    """What every use case that changes something wants to know."""

    actor: str
    now: datetime


def asker() -> Asker:
    """The person who is signed in, and the present moment."""
    return Asker(actor=auth.name(), now=deployment.current().now())


def seen_revision() -> int:
    """The revision that the sent form was made from; 0 where it names none."""
    seen = read_count(request.form.get("revision", "0"))
    return abort(400) if seen is None else seen
