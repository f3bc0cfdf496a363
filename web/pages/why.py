"""Why: what one unit gets in an experiment, question by question. Nothing is recorded."""

import json
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from assignment import Decision
from experiments import catalog
from experiments.catalog import Experiment
from experiments.decisions import explain
from experiments.errors import InvalidInput
from experiments.lifecycle import BEFORE_START
from experiments.messages import MAX_ID
from experiments.storable import unstorable
from web import deployment
from web.pages.site import site
from web.wording.decisions import Step, decision_sentence, steps_of, undecided_sentence
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, worded."""

    sentence: str
    steps: tuple[Step, ...]
    value: str
    decision: Decision


@site.get("/experiments/<key>/why")
def show_reasons(key: str) -> str:
    """Ask for a unit, and explain its decision."""
    unit, written = request.args.get("unit", ""), request.args.get("attributes", "")
    explanation, problem, place = None, "", ""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        if _is_undecided(experiment):
            problem, place = undecided_sentence(experiment.definition), experiment.key
        elif unit:
            try:
                attributes = _attributes(unit, written)
                decision = explain(session=session, key=key, unit=unit, attributes=attributes)
                explanation = _explained(decision, unit)
            except InvalidInput as refusal:
                problem, place = _why_not(refusal, experiment), refusal.problems[0].place
    return render_template(
        "why.html",
        experiment=experiment,
        decidable=place != experiment.key,
        unit=unit,
        attributes=written,
        explanation=explanation,
        problem=problem,
        place=place,
    )


def _is_undecided(experiment: Experiment) -> bool:
    return experiment.definition.assignment == "external" or experiment.status in BEFORE_START


def _explained(decision: Decision, unit: str) -> Explanation:
    value = json.dumps(decision.value, ensure_ascii=False)
    return Explanation(decision_sentence(decision, unit), tuple(steps_of(decision)), value, decision)


def _why_not(refusal: InvalidInput, experiment: Experiment) -> str:
    """What keeps a unit from being decided: an experiment that is not published, or what was typed."""
    first = refusal.problems[0]
    return undecided_sentence(experiment.definition) if first.place == experiment.key else first.message


def _attributes(unit: str, text: str) -> dict[str, Any]:
    if len(unit) > MAX_ID:
        raise InvalidInput.at("unit", gettext("The id is too long."))
    try:
        attributes = json.loads(text or "{}")
    except (ValueError, RecursionError) as problem:
        raise InvalidInput.at("attributes", gettext("The attributes are not JSON.")) from problem
    if not isinstance(attributes, dict):
        raise InvalidInput.at("attributes", gettext("The attributes have to be a JSON object."))
    if unstorable(attributes) or unstorable(unit):
        raise InvalidInput.at("attributes", gettext("A value cannot be sent by any client."))
    return attributes
