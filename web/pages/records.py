"""Records: the audit log, narrowed by who, what and when."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import render_template, request, url_for
from pydantic import ValidationError

from experiments import audit
from experiments.audit import AuditFilter
from experiments.definition import invalid
from experiments.errors import InvalidInput
from experiments.roles import Scope
from web import deployment
from web.pages.site import needs, site
from web.wording import records as words
from web.wording.language import gettext

ON_A_PAGE = 50
FIELDS = ("actor", "action", "object", "since", "until")


@site.get("/settings/audit")
@needs(Scope.PEOPLE)
def show_audit() -> str | tuple[str, int]:
    """Who changed what, the newest first."""
    typed = {name: request.args.get(name, "").strip() for name in FIELDS}
    try:
        return _page(typed, _filter(typed), ""), 200
    except InvalidInput:
        problem = gettext("Write days as 2026-03-15.")
        return _page(typed, AuditFilter(), problem), 422


def _filter(typed: Mapping[str, str]) -> AuditFilter:
    try:
        wanted = AuditFilter.model_validate({name: value for name, value in typed.items() if value})
    except ValidationError as problem:
        raise invalid(problem) from problem
    if wanted.until is None:
        return wanted
    return wanted.model_copy(update={"until": wanted.until + timedelta(days=1)})  # the day itself counts


def _page(typed: Mapping[str, str], wanted: AuditFilter, problem: str) -> str:
    with deployment.current().store.read() as session:
        found = audit.list_entries(session=session, wanted=wanted, limit=ON_A_PAGE + 1, below=_below())
        actions = audit.known_actions(session=session)
    page, more = found[:ON_A_PAGE], len(found) > ON_A_PAGE
    given: dict[str, Any] = {name: value for name, value in typed.items() if value}
    return render_template(
        "settings_audit.html",
        typed=typed,
        problem=problem,
        actions=[(action, words.action_word(action)) for action in actions],
        entries=[
            (entry, words.action_word(entry.action), words.thing(entry.object), words.difference(entry))
            for entry in page
        ],
        older=url_for("pages.show_audit", **given, below=page[-1].id) if more else "",
        newest=url_for("pages.show_audit", **given) if _below() is not None else "",
    )


def _below() -> int | None:
    text = request.args.get("below", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
