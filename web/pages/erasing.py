"""Erasing: everything that is stored about a person is counted, confirmed and taken out.

The id travels in forms alone, never in an address: addresses are written into logs.
"""

from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

from experiments.erasure import KINDS, LONGEST, Removed, count, erase
from experiments.errors import InvalidInput
from experiments.roles import Scope
from web import deployment
from web.pages.asking import asker
from web.pages.site import needs, site
from web.wording.complaints import beside
from web.wording.erasure import counts_told, kinds


@site.get("/settings/privacy")
@needs(Scope.PRIVACY)
def show_erasing() -> str:
    """The form that asks for an id."""
    return _page({"unit": "", "kind": KINDS[0]})


@site.post("/settings/privacy")
@needs(Scope.PRIVACY)
def count_stored() -> str | tuple[str, int]:
    """Say what is stored about a person, before anything is taken out."""
    typed = _typed()
    try:
        return _page(typed, found=count(**_person(typed)))
    except InvalidInput as refusal:
        return _page(typed, problems=beside(list(refusal.problems))), 422


@site.post("/settings/privacy/erase")
@needs(Scope.PRIVACY)
def take_out() -> str | Response | tuple[str, int]:
    """Take it out, and say what went."""
    typed = _typed()
    copy = deployment.current().settings.columns_path
    try:
        return _page({**typed, "unit": ""}, removed=erase(columns=copy, **_person(typed), **asker()))
    except InvalidInput as refusal:
        return _page(typed, problems=beside(list(refusal.problems))), 422


def _typed() -> dict[str, str]:
    return {"unit": request.form.get("unit", "").strip(), "kind": request.form.get("kind", "")}


def _person(typed: dict[str, str]) -> dict[str, Any]:
    current = deployment.current()
    return {"store": current.store, "pseudonyms": current.pseudonyms, **typed}


def _page(
    typed: dict[str, str],
    *,
    found: Removed | None = None,
    removed: Removed | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    shown = found or removed
    return render_template(
        "settings_privacy.html",
        typed=typed,
        longest=LONGEST,
        kinds=kinds(),
        found=found,
        removed=removed,
        counts=counts_told(shown) if shown else [],
        problems=problems or {},
    )
