"""The wizard: an experiment in four steps, kept from the first key on.

What is typed goes onto a sheet (`experiments.sheets`), whatever is wrong with it. *Save and continue* also
writes the draft when the sheet says something complete. Of an experiment that has started the sheet becomes
true only at the last step, and what would move units has to be meant.
"""

import re
from itertools import chain
from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import approvals, catalog, launch, registry, sheets
from experiments.catalog import Experiment
from experiments.errors import Conflict, EvenhandError, InvalidInput, NotAllowed, Problem
from experiments.fields import KEY_PATTERN
from experiments.lifecycle import Status, may_edit
from experiments.project import find_project
from experiments.readiness import check_ready, may_start
from experiments.roles import Scope
from experiments.sheets import Sheet
from experiments.similar import find_similar
from web import auth, deployment
from web.pages.asking import asker, seen_revision
from web.pages.desk import (
    Desk,
    desk_for,
    desk_of,
    keep,
    named,
    new_form,
    problems_of,
    renamed,
    typed_over,
    write_through,
)
from web.pages.drafting import draft_of
from web.pages.form import STEPS, Form, read_step
from web.pages.outlook import Surroundings, look_around
from web.pages.previews import previews_on
from web.pages.site import site
from web.wording.conditions import operator_words
from web.wording.hypothesis import hypothesis_sentence
from web.wording.language import gettext
from web.wording.metric_sentences import metric_sentence
from web.wording.pasts import past_value
from web.wording.problems import beside_fields, step_of
from web.wording.readiness import worded_point

AnyAnswer = Response | str | tuple[str, int] | tuple[Response, int]


@site.get("/experiments/new")
def new() -> str:
    """The empty first step; gaps of layers and the calculator fill some of it in."""
    form = new_form()
    given = {name: request.args[name] for name in form.texts if name in request.args}
    return _show("believe", Desk(form.with_texts(**given)))


@site.post("/experiments/new")
def begin() -> AnyAnswer:
    """Keep the first step on a sheet of its own."""
    form = named(read_step("believe", request.form, new_form()))
    if not re.fullmatch(KEY_PATTERN, form.texts["key"]):
        return _show("believe", Desk(form), [Problem("key", "should match pattern")]), 422
    try:
        with deployment.current().store.write() as session:
            sheet = sheets.begin_sheet(
                session=session, key=form.texts["key"], typed=form.to_json(), **asker()
            )
    except Conflict as refusal:
        return _refuse("believe", Desk(form), [Problem("key", str(refusal))], 409)
    return _onwards("believe", sheet, form)


@site.get("/experiments/<key>/edit")
def open_form(key: str) -> Response:
    """The first step."""
    return redirect(url_for("pages.open_step", key=key, step=STEPS[0]), 303)


@site.get("/experiments/<key>/edit/<any(believe, measure, who, check):step>")
def open_step(key: str, step: str) -> AnyAnswer:
    """A step, as far as it was typed."""
    desk = desk_for(key)
    return _show(step, desk, problems_of(desk))


@site.post("/experiments/<key>/edit/<any(believe, measure, who, check):step>")
def save_step(key: str, step: str) -> AnyAnswer:
    """Keep what was typed, then go where the button says."""
    desk = desk_for(key)
    form = renamed(key, read_step(step, request.form, desk.form))
    try:
        with deployment.current().store.write() as session:
            if form.texts["key"] != key:
                sheets.rename_sheet(session=session, key=key, wanted=form.texts["key"])
            sheet = keep(session, form.texts["key"], form, revision=seen_revision())
    except Conflict as refusal:
        return _refuse(step, typed_over(desk, form), [Problem("form", str(refusal))], 409)
    except (NotAllowed, InvalidInput) as refusal:
        return _refuse(step, typed_over(desk, form), [Problem("form", str(refusal))], 422)
    return _onwards(step, sheet, form)


@site.post("/experiments/<key>/edit/discard")
def discard(key: str) -> Response:
    """Throw away what was typed; the experiment, where there is one, stays as it is."""
    with deployment.current().store.write() as session:
        sheets.drop_sheet(session=session, key=key)
        exists = key in catalog.known_keys(session=session)
    return redirect(url_for("pages.design", key=key) if exists else url_for("pages.experiments"), 303)


@site.post("/experiments/<key>/edit/outlook")
def show_outlook(key: str) -> str:
    """What the numbers on the form come to, as a piece of the page."""
    step = request.form.get("step", "")
    if step not in STEPS:
        abort(400)
    form = read_step(step, request.form, desk_for(key).form)
    return render_template("_outlook.html", surroundings=_surroundings(form), form=form)


def _onwards(step: str, sheet: Sheet, form: Form) -> AnyAnswer:
    """Answer a save: a script is told the revision, a person is shown the next thing."""
    key, go = sheet.key, request.form.get("go", "")
    if request.headers.get("X-Autosave"):
        address = url_for("pages.save_step", key=key, step=step)
        return jsonify(key=key, revision=sheet.revision, address=address, said=gettext("Kept."))
    if go == "variant":
        return _show("who", desk_of(sheet, form.with_another_variant()))
    if go == "condition":
        return _show("who", desk_of(sheet, form.with_another_condition()))
    if go == "adopt":
        return _adopt(sheet, form)
    if go == "over":
        return _put_over(sheet, step)
    if go in ("start", "review", "save"):
        return _finish(sheet, form, go)
    problems = write_through(sheet, form)
    if go in STEPS:
        return redirect(url_for("pages.open_step", key=key, step=go), 303)
    mine = [each for each in problems if step_of(each, form) == step]
    if mine:
        return _show(step, desk_of(sheet, form), problems), 422
    onward = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
    return redirect(url_for("pages.open_step", key=key, step=onward), 303)


def _put_over(sheet: Sheet, step: str) -> Response:
    """Keep what is typed here rather than what was written elsewhere meanwhile, knowingly."""
    with deployment.current().store.write() as session:
        sheets.put_over(session=session, key=sheet.key)
    return redirect(url_for("pages.open_step", key=sheet.key, step=step), 303)


def _adopt(sheet: Sheet, form: Form) -> Response:
    """Fill in the size and length that the outlook asks for."""
    outlook = _surroundings(form).outlook
    if outlook is not None and outlook.duration is not None:
        days, size = str(7 * outlook.duration.weeks), str(outlook.needed.total)
        form = form.with_texts(days=days, size=size if form.texts["inference"] != "fixed" else "")
        with deployment.current().store.write() as session:
            sheet = keep(session, sheet.key, form, revision=sheet.revision)
        write_through(sheet, form)
    return redirect(url_for("pages.open_step", key=sheet.key, step="check"), 303)


def _finish(sheet: Sheet, form: Form, go: str) -> AnyAnswer:
    """Start the experiment, hand it over for review, or change one that has started."""
    desk = desk_of(sheet, form)
    if desk.started:
        return _change_started(desk)
    problems = write_through(sheet, form)
    if problems:
        return _show("check", desk_of(sheet, form), problems), 422
    if go == "save":
        return _done(sheet.key)
    experiment, points = _look(sheet.key, form)
    if not may_start(points):
        return _show("check", desk_of(sheet, form)), 422
    if go == "start":
        auth.asking().require(Scope.LAUNCH)
    act = launch.start if go == "start" else launch.submit
    try:
        with deployment.current().store.write() as session:
            act(session=session, key=sheet.key, revision=experiment.revision, **asker())
            sheets.drop_sheet(session=session, key=sheet.key)
    except EvenhandError as refusal:
        return _show("check", desk_of(sheet, form), [Problem("form", str(refusal))]), 409
    return redirect(url_for("pages.design", key=sheet.key), 303)


def _change_started(desk: Desk) -> AnyAnswer:
    experiment = desk.experiment
    if experiment is None:
        abort(400)
    try:
        draft = draft_of(desk.form, experiment.definition)
        with deployment.current().store.write() as session:
            launch.edit(
                session=session,
                draft=draft,
                revision=experiment.revision if not desk.outdated else 0,
                new_phase=request.form.get("new_phase") == "yes",
                **asker(),
            )
            sheets.drop_sheet(session=session, key=desk.key)
    except InvalidInput as refusal:
        return _show("check", desk, list(refusal.problems)), 422
    except Conflict as refusal:
        return _show("check", desk, [Problem("form", str(refusal))]), 409
    except NotAllowed as refusal:
        # The sheet was saved a moment ago: the confirmation stands on its new revision.
        sent = [(name, text) for name, text in request.form.items(multi=True) if name != "revision"]
        sent.append(("revision", str(desk.revision)))
        page = render_template("new_phase.html", experiment=experiment, refusal=refusal, sent=sent)
        return page, 409
    return redirect(url_for("pages.design", key=desk.key), 303)


def _done(key: str) -> Response:
    with deployment.current().store.write() as session:
        sheets.drop_sheet(session=session, key=key)
    return redirect(url_for("pages.design", key=key), 303)


def _look(key: str, form: Form) -> tuple[Experiment, Any]:
    outlook = _surroundings(form).outlook
    weeks = outlook.duration.weeks if outlook and outlook.duration else None
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        now = deployment.current().now()
        return experiment, check_ready(session=session, experiment=experiment, weeks=weeks, now=now)


def _surroundings(form: Form) -> Surroundings:
    with deployment.current().store.read() as session:
        return look_around(session=session, form=form)


def _refuse(step: str, desk: Desk, problems: list[Problem], status: int) -> AnyAnswer:
    """Refuse a save: nothing that was typed is lost, and a script is told in a sentence."""
    if request.headers.get("X-Autosave"):
        said = " ".join(chain.from_iterable(beside_fields(problems, desk.form).values()))
        return jsonify(said=said), status
    return _show(step, desk, problems), status


def _show(step: str, desk: Desk, problems: list[Problem] | None = None) -> str:
    form = desk.form
    faults = [] if desk.revision == 0 and desk.experiment is None and not problems else problems or []
    sentence = " ".join(form.texts[name] for name in ("name", "change", "audience", "effect", "because"))
    with deployment.current().store.read() as session:
        metrics = registry.list_metrics(session=session)
        similar = find_similar(session=session, text=sentence, but=desk.key)
    placed = beside_fields(faults, form)
    written = desk.experiment if step == "check" and not faults else None
    more = {} if written is None else _before_start(written, form)
    return render_template(
        "wizard.html",
        step=step,
        steps=STEPS,
        desk=desk,
        form=form,
        problems=placed if _shows_problems(step) else {},
        open_steps={step_of(each, form) for each in faults},
        metrics=sorted(metrics, key=lambda each: not form.roles.get(each.key)),  # the chosen ones first
        metric_sentence=metric_sentence,
        past_value=past_value,
        operators=operator_words(),
        similar=similar,
        surroundings=_surroundings(form),
        hypothesis=hypothesis_sentence,
        **more,
    )


def _before_start(experiment: Experiment, form: Form) -> dict[str, Any]:
    """What the last step tells of an experiment that is written down: its checklist, and how it can start."""
    now, started = deployment.current().now(), not may_edit(experiment.status)
    points = () if started else tuple(worded_point(each) for each in _look(experiment.key, form)[1])
    with deployment.current().store.read() as session:
        project = find_project(session=session).definition
        approved = approvals.find_approval(session=session, key=experiment.key, now=now) is not None
        previews = previews_on(session, experiment)
    return {
        "points": points,
        "ready": bool(points) and all(point.settled or not point.blocks for point in points),
        "scheduled": experiment.status is Status.SCHEDULED,
        "reviewed": project.approval and not approved,
        "previews": previews,
        "product": project.site,
    }


def _shows_problems(step: str) -> bool:
    """A step that was never sent is not scolded for being empty; the last one names everything."""
    return request.method == "POST" or step == "check"
