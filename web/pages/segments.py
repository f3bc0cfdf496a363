"""Segments: named conditions on attributes, who uses them, and the form that writes one."""

from collections.abc import Callable
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import eligibility, usage
from experiments.definition import SegmentDraft, parse_segment
from experiments.errors import Conflict, InvalidInput, NotAllowed, Problem
from experiments.registry import Change
from experiments.roles import Scope
from web import deployment
from web.pages.asking import asker
from web.pages.rows_form import RowsForm, condition_of, read_rows, rows_of
from web.pages.site import needs, site
from web.wording.complaints import beside
from web.wording.conditions import condition_sentence, operator_words


@site.get("/segments")
def show_segments() -> str:
    """All segments, in words."""
    with deployment.current().store.read() as session:
        segments = eligibility.list_segments(session=session)
        users = usage.segment_users(session=session)
    return render_template(
        "segments.html", segments=segments, users=users, condition_sentence=condition_sentence
    )


@site.get("/segments/new")
@needs(Scope.WRITE)
def new_segment() -> str:
    """The empty form."""
    return _page({"key": "", "name": "", "description": ""}, RowsForm(), [])


@site.get("/segments/<key>/edit")
@needs(Scope.WRITE)
def edit_segment(key: str) -> str:
    """The form as the segment stands."""
    found = _find(key)
    return _page(found.model_dump(mode="json"), rows_of(found.condition), [], editing=found)


@site.post("/segments/new")
def create_segment() -> Response | str | tuple[str, int]:
    """Write a new segment down; a key that is in use is refused."""
    return _save(request.form.get("key", "").strip(), eligibility.create, editing=None)


@site.post("/segments/<key>/edit")
def change_segment(key: str) -> Response | str | tuple[str, int]:
    """Change a segment that no started experiment stands on."""
    return _save(key, eligibility.save_segment, editing=_find(key))


def _save(
    key: str, write: Callable[..., Change], *, editing: SegmentDraft | None
) -> Response | str | tuple[str, int]:
    rows = read_rows(request.form)
    texts = {"key": key, **{name: request.form.get(name, "") for name in ("name", "description")}}
    if "more" in request.form:
        return _page(texts, rows.with_another_row(), [], editing=editing)
    try:
        draft = parse_segment({**texts, "condition": condition_of(rows)})
        with deployment.current().store.write() as session:
            write(session=session, draft=draft, **asker())
    except InvalidInput as refusal:
        return _page(texts, rows, list(refusal.problems), editing=editing), 422
    except NotAllowed as refusal:
        return _page(texts, rows, [Problem("condition", str(refusal))], editing=editing), 409
    except Conflict as refusal:
        return _page(texts, rows, [Problem("key", str(refusal))], editing=editing), 409
    return redirect(url_for("pages.show_segments"), 303)


def _page(
    texts: dict[str, Any], rows: RowsForm, problems: list[Problem], *, editing: SegmentDraft | None = None
) -> str:
    return render_template(
        "segment.html",
        texts=texts,
        rows=rows,
        operators=operator_words(),
        problems=beside(problems),
        editing=editing,
    )


def _find(key: str) -> SegmentDraft:
    with deployment.current().store.read() as session:
        found = {each.key: each for each in eligibility.list_segments(session=session)}
    return found.get(key) or abort(404)
