"""Asking: who sends a form, when, and which revision they had seen."""

from datetime import datetime
from typing import TypedDict

from flask import abort, request

from experiments.roles import Caller
from web import auth, deployment
from web.pages.typed import read_count


class Asker(TypedDict):
    """What every use case that changes something wants to know."""

    actor: str
    now: datetime


class AskerByRole(TypedDict):
    """The same for use cases that ask how much somebody may hand on."""

    by: Caller
    now: datetime


def asker() -> Asker:
    """The person who is signed in, and the present moment."""
    return Asker(actor=auth.name(), now=deployment.current().now())


def asker_by_role() -> AskerByRole:
    """The person who is signed in with their role, and the present moment."""
    return AskerByRole(by=auth.asking(), now=deployment.current().now())


def seen_revision() -> int:
    """The revision that the sent form was made from; our own pages always name one."""
    seen = read_count(request.form.get("revision", ""))
    return abort(400) if seen is None else seen
