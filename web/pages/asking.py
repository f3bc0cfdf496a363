"""Asking: who sends a form, and when."""

from datetime import datetime
from typing import TypedDict

from web import auth, deployment


class Asker(TypedDict):
    """What every use case that changes something wants to know."""

    actor: str
    now: datetime


def asker() -> Asker:
    """The person who is signed in, and the present moment."""
    return Asker(actor=auth.name(), now=deployment.current().now())
