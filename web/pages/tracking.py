"""The tracking plan: which events and properties may be stored, as a list and a form."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import tracking_plans
from experiments.errors import Conflict, InvalidInput, Problem
from experiments.roles import Scope
from experiments.tracking import EventDraft, Mode, TrackingPlan
from web import deployment
from web.pages.asking import asker
from web.pages.site import needs, site
from web.pages.typed import read_count
from web.wording import data as words
from web.wording.language import gettext
from web.wording.mistakes import worded

BLANK_LINES = 3
"""Empty lines for further properties below the ones that are there."""


@site.get("/settings/tracking")
def show_plan() -> str:
    """The plan, and the form for one of its events or a new one."""
    plan = _plan()
    chosen = plan.events.get(request.args.get("event", ""))
    return _page(plan, _typed(chosen), [])


@site.post("/settings/tracking/mode")
@needs(Scope.DATA)
def change_mode() -> Response:
    """Say how strictly the plan is meant."""
    wanted = request.form.get("mode", "")
    if wanted not in set(Mode):
        raise InvalidInput.at("mode", f"expected one of {', '.join(Mode)}")
    with deployment.current().store.write() as session:
        tracking_plans.set_mode(session=session, mode=Mode(wanted), **asker())
    return redirect(url_for("pages.show_plan"), 303)


@site.post("/settings/tracking/events")
@needs(Scope.DATA)
def save_event() -> Response | tuple[str, int]:
    """List an event, or show the form again with what is wrong."""
    document = _document()
    try:
        draft = tracking_plans.parse_event(document)
        with deployment.current().store.write() as session:
            tracking_plans.save_event(
                session=session, draft=draft, version=read_count(request.form.get("version", "")), **asker()
            )
    except InvalidInput as refusal:
        return _page(_plan(), document, list(refusal.problems)), 422
    except Conflict as refusal:
        return _page(_plan(), document, [Problem("", str(refusal))]), 409
    return redirect(url_for("pages.show_plan"), 303)


@site.post("/settings/tracking/events/remove")
@needs(Scope.DATA)
def remove_event() -> Response:
    """Take an event off the list."""
    with deployment.current().store.write() as session:
        tracking_plans.remove_event(session=session, event=request.form.get("event", ""), **asker())
    return redirect(url_for("pages.show_plan"), 303)


def _document() -> dict[str, Any]:
    """What the form says; lines without a name were left out."""
    form = request.form
    names, kinds, purposes = (form.getlist(f"property_{part}") for part in ("name", "type", "purpose"))
    needed = set(form.getlist("property_required"))
    properties = [
        {"name": name.strip(), "type": kind, "purpose": purpose, "required": str(place) in needed}
        for place, (name, kind, purpose) in enumerate(zip(names, kinds, purposes, strict=False))
        if name.strip()
    ]
    return {
        "event": form.get("event", ""),
        "purpose": form.get("purpose", ""),
        "retention": form.get("retention", "").strip() or None,
        "properties": properties,
    }


def _typed(draft: EventDraft | None) -> dict[str, Any]:
    if draft is None:
        return {"event": "", "purpose": "", "retention": None, "properties": []}
    return draft.model_dump(mode="json")


def _page(plan: TrackingPlan, typed: dict[str, Any], problems: list[Problem]) -> str:
    blank = {"name": "", "type": "any", "purpose": "", "required": False}
    return render_template(
        "tracking.html",
        plan=plan,
        typed=typed,
        lines=[*typed["properties"], *([blank] * BLANK_LINES)],
        problems=[_problem(each) for each in problems],
        modes=words.modes(),
        types=words.types(),
    )


def _problem(problem: Problem) -> str:
    names = {"event": gettext("Event"), "retention": gettext("Kept for"), "purpose": gettext("Purpose")}
    field = names.get(problem.place.split(".")[0], gettext("Properties") if problem.place else "")
    told = worded(problem.message)
    return gettext("%(field)s: %(problem)s", field=field, problem=told) if field else told


def _plan() -> TrackingPlan:
    with deployment.current().store.read() as session:
        return tracking_plans.find_plan(session=session)
