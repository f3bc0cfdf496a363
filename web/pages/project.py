"""The project: its name, what new experiments begin with, and whether starting one takes two people."""

from typing import Any

from flask import redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from experiments.definition import invalid
from experiments.errors import InvalidInput, Outdated, Problem
from experiments.project import Project, ProjectDraft, find_project, save_project
from experiments.roles import Scope
from web import deployment
from web.pages.asking import asker, seen_revision
from web.pages.site import needs, site
from web.wording import records as words
from web.wording.mistakes import worded

_PER_CENT = ("confidence", "power", "mde")
_PLAN = ("confidence", "power", "mde", "days", "inference", "correction")


@site.get("/settings")
def settings() -> Response:
    """The first page of the settings."""
    return redirect(url_for("pages.show_project"), 303)


@site.get("/settings/project")
def show_project() -> str:
    """The project as it stands."""
    project = _find()
    return _page(_typed(project.definition), project.revision, [])


@site.post("/settings/project")
@needs(Scope.PEOPLE)
def change_project() -> Response | tuple[str, int]:
    """Change it, or show the form again with what is wrong."""
    typed, revision = request.form.to_dict(), seen_revision()
    try:
        draft = _draft(typed)
        with deployment.current().store.write() as session:
            save_project(session=session, draft=draft, revision=revision, **asker())
    except InvalidInput as refusal:
        return _page(typed, revision, refusal.problems), 422
    except Outdated as refusal:
        return _page(typed, revision, [Problem("", str(refusal))]), 409
    return redirect(url_for("pages.show_project"), 303)


def _find() -> Project:
    with deployment.current().store.read() as session:
        return find_project(session=session)


def _draft(typed: dict[str, str]) -> ProjectDraft:
    plan: dict[str, Any] = {name: typed.get(name, "").strip() or None for name in _PLAN}
    for name in _PER_CENT:
        plan[name] = _share(plan[name])
    given = {name: value for name, value in plan.items() if value is not None or name in ("mde", "days")}
    texts = {name: typed.get(name, "").strip() for name in ("name", "site")}
    zone = typed.get("time_zone", "").strip() or "UTC"
    document = {**texts, "time_zone": zone, "approval": typed.get("approval") == "yes", "plan": given}
    try:
        return ProjectDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def _share(text: str | None) -> float | str | None:
    """A share from per cent; what is no number is left for the draft to refuse."""
    if text is None:
        return None
    try:
        return round(float(text) / 100, 8)
    except ValueError:
        return text


def _typed(draft: ProjectDraft) -> dict[str, str]:
    plan = draft.plan.model_dump()
    texts = {name: "" if plan[name] is None else str(plan[name]) for name in _PLAN}
    for name in _PER_CENT:
        texts[name] = "" if plan[name] is None else f"{plan[name] * 100:g}"
    said = {"name": draft.name, "site": draft.site, "time_zone": draft.time_zone}
    return {**texts, **said, "approval": "yes" if draft.approval else ""}


def _page(typed: dict[str, str], revision: int, problems: tuple[Problem, ...] | list[Problem]) -> str:
    found: dict[str, list[str]] = {}
    for each in problems:
        field = each.place.rpartition(".")[2] or "form"
        scale = 100 if field in _PER_CENT else 1
        found.setdefault(field, []).append(worded(each.message, scale=scale))
    return render_template(
        "settings_project.html",
        typed=typed,
        revision=revision,
        problems=found,
        inferences=words.inferences(),
        corrections=words.corrections(),
    )
