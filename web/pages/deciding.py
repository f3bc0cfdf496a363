"""Deciding: the verdict as it stood beside what people choose, and what came of it afterwards."""

from dataclasses import dataclass, replace

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from analysis import Readout, Recommendation
from experiments import catalog, conclusions, readouts, registry, retrospectives
from experiments.catalog import Experiment
from experiments.choices import Choice, parse_conclusion
from experiments.concluded import Conclusion as Decision
from experiments.errors import Conflict, InvalidInput, NotAllowed, Problem
from experiments.lifecycle import Status
from experiments.readouts import Snapshot
from experiments.roles import Scope
from web import deployment
from web.pages.asking import asker
from web.pages.choice_form import ChoiceForm, blank_choice, document_of, read_choice
from web.pages.site import needs, site
from web.pages.typed import read_count
from web.scorecard import Line, lines_of
from web.wording import Conclusion, FourChecks, Names, conclude, four_checks
from web.wording.complaints import beside
from web.wording.decided import choice_words, decision_sentence, departs, held_chip, outcome_chip
from web.wording.hypothesis import hypothesis_sentence
from web.wording.names import names_of


@dataclass(frozen=True, slots=True)
class Frozen:
    """A readout as it was seen."""

    id: int
    readout: Readout
    conclusion: Conclusion
    checks: tuple[FourChecks, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """An experiment with all that a decision needs."""

    experiment: Experiment
    names: Names
    newest: Snapshot | None
    history: tuple[Decision, ...]

    @property
    def ending(self) -> Decision | None:
        """The decision that ended it."""
        return next((each for each in self.history if each.choice is not Choice.CONTINUE), None)


@site.get("/experiments/<key>/decide")
def decide(key: str) -> str:
    """The form beside the verdict; for what is over, the record of what was decided."""
    case = _find(key)
    if case.ending is not None:
        return _record(case, case.ending)
    if case.experiment.status not in (Status.RUNNING, Status.STOPPED):
        raise NotAllowed(_not_now(case.experiment))
    frozen = _frozen(case, case.newest)
    return _page(case, frozen, _proposed(case, frozen), [])


@site.post("/experiments/<key>/decide")
@needs(Scope.LAUNCH)
def record_decision(key: str) -> Response | tuple[str, int] | str:
    """Record a decision and carry it out, or show the form again with what is missing."""
    form, case = read_choice(request.form), _find(key)
    if "more" in request.form:
        return _page(case, _seen(case, form), form.with_another_task(), [])
    try:
        _record_it(key, form)
    except InvalidInput as refusal:
        return _page(case, _seen(case, form), form, list(refusal.problems)), 422
    except Conflict as refusal:
        fresh = replace(form, revision=str(case.experiment.revision))
        return _page(case, _seen(case, form), fresh, [Problem("", str(refusal))]), 409
    return redirect(url_for("pages.decide", key=key), 303)


@site.post("/experiments/<key>/follow-ups/<int:number>")
def finish_follow_up(key: str, number: int) -> Response:
    """Tick a follow-up off."""
    with deployment.current().store.write() as session:
        retrospectives.finish_follow_up(session=session, id=number, now=deployment.current().now())
    return redirect(url_for("pages.decide", key=key), 303)


def _record_it(key: str, form: ChoiceForm) -> None:
    draft = parse_conclusion(document_of(form))
    with deployment.current().store.write() as session:
        conclusions.conclude(
            session=session,
            key=key,
            draft=draft,
            revision=read_count(form.revision) or 0,
            **asker(),
        )


def _find(key: str) -> Case:
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = registry.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        newest = readouts.latest(session=session, key=key)
        history = conclusions.history_of(session=session, key=key)
    return Case(experiment, names_of(experiment, metrics), newest, tuple(history))


def _frozen(case: Case, snapshot: Snapshot | None) -> Frozen | None:
    if snapshot is None:
        return None
    readout = snapshot.readout
    return Frozen(
        snapshot.id,
        readout,
        conclude(readout, case.names),
        four_checks(readout, case.names),
        lines_of(readout, case.names),
    )


def _seen(case: Case, form: ChoiceForm) -> Frozen | None:
    """The readout that stood beside the form when it was filled in."""
    if not form.snapshot.isdecimal() or len(form.snapshot) > 18:
        return _frozen(case, case.newest)
    return _frozen(case, _snapshot(case, int(form.snapshot)) or case.newest)


def _snapshot(case: Case, number: int | None) -> Snapshot | None:
    with deployment.current().store.read() as session:
        found = readouts.find_snapshots(session=session, ids=[] if number is None else [number]).values()
    return next((each for each in found if each.experiment == case.experiment.key), None)


def _proposed(case: Case, frozen: Frozen | None) -> ChoiceForm:
    """Begin with what the verdict recommends; where it recommends nothing, with nothing."""
    revision = str(case.experiment.revision)
    if frozen is None:
        return blank_choice(revision=revision)
    verdict = frozen.readout.verdict
    choices = {
        Recommendation.SHIP: Choice.SHIP,
        Recommendation.ROLL_BACK: Choice.ROLL_BACK,
        Recommendation.STOP: Choice.STOP,
    }
    choice = choices.get(verdict.recommendation, "")
    first = frozen.readout.plan.treatments[0]
    return blank_choice(
        revision=revision, choice=choice, variant=verdict.variant or first, snapshot=str(frozen.id)
    )


def _page(case: Case, frozen: Frozen | None, form: ChoiceForm, problems: list[Problem]) -> str:
    return render_template(
        "decide.html",
        experiment=case.experiment,
        names=case.names,
        hypothesis=hypothesis_sentence(case.experiment.definition.hypothesis),
        frozen=frozen,
        form=form,
        choices=[(each, *choice_words(each)) for each in Choice],
        problems=beside(problems),
        today=deployment.current().now().date(),
    )


def _record(case: Case, ending: Decision) -> str:
    return render_template(
        "decided.html",
        experiment=case.experiment,
        names=case.names,
        hypothesis=hypothesis_sentence(case.experiment.definition.hypothesis),
        frozen=_frozen(case, _snapshot(case, ending.snapshot)),
        ending=ending,
        earlier=[each for each in case.history if each.id != ending.id],
        told=lambda decision: decision_sentence(decision, case.names),
        departs=departs(ending),
        outcome=outcome_chip,
        held=held_chip,
    )


def _not_now(experiment: Experiment) -> str:
    return f"{experiment.key} is {experiment.status}; there is nothing to decide about it"
