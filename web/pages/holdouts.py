"""Holdouts: units that are kept out of experiments, and which experiments honour that."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import allotment, eligibility
from experiments.definition import parse_holdout
from experiments.errors import Conflict, InvalidInput, Problem
from web import deployment
from web.pages.asking import asker
from web.pages.site import site
from web.pages.typed import read_number
from web.wording.complaints import beside


@site.get("/holdouts")
def show_holdouts() -> str:
    """All holdouts, and the form for a new one."""
    return _page({"key": "", "name": "", "description": "", "share": "5"}, [])


@site.post("/holdouts")
def save_holdout() -> Response | tuple[str, int]:
    """Write a holdout down; its salt is made once."""
    texts = {name: request.form.get(name, "").strip() for name in ("key", "name", "description", "share")}
    try:
        draft = parse_holdout({**texts, "share": _basis_points(texts["share"])})
        with deployment.current().store.write() as session:
            eligibility.create(session=session, draft=draft, **asker())
    except InvalidInput as refusal:
        return _page(texts, list(refusal.problems)), 422
    except Conflict as refusal:
        return _page(texts, [Problem("key", str(refusal))]), 409
    return redirect(url_for("pages.show_holdouts"), 303)


def _page(texts: dict[str, str], problems: list[Problem]) -> str:
    with deployment.current().store.read() as session:
        standings = allotment.standings(session=session)
    return render_template("holdouts.html", standings=standings, texts=texts, problems=beside(problems))


def _basis_points(text: str) -> int:
    """Read per cent as basis points."""
    percent = read_number(text)
    if percent is None or not 0.01 <= percent <= 50:
        raise InvalidInput.at("share", "expected 0.01 to 50")
    return round(percent * 100)
