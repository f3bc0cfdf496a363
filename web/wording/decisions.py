"""Decisions in words: which question decided what a unit gets, and what it gets."""

from collections.abc import Iterator
from dataclasses import dataclass

from assignment import Decision, Detail
from experiments.definition import ExperimentDraft
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the evaluator: passed, decisive, or not asked any more."""

    question: str
    state: str
    symbol: str
    answer: str


def decision_sentence(decision: Decision, unit: str) -> str:
    """Say what the unit gets."""
    if decision.in_experiment or decision.detail is Detail.SHIPPED:
        return gettext("%(unit)s gets %(variant)s.", unit=unit, variant=decision.variant)
    return gettext("%(unit)s is not in the experiment and gets the control's value.", unit=unit)


def undecided_sentence(definition: ExperimentDraft) -> str:
    """Say why nothing is decided about an experiment here."""
    if definition.assignment == "external":
        return gettext("Another system assigns it; there is nothing to decide here.")
    return gettext("It was never started; there is nothing to decide yet.")


def steps_of(decision: Decision) -> Iterator[Step]:
    """The evaluator's questions in their order, up to the one that decided."""
    decided = False
    for detail, question, decisive, passed in _questions(decision):
        if decision.detail is detail:
            decided = True
            good = decision.in_experiment or detail is Detail.SHIPPED
            yield Step(question, "good" if good else "bad", "✓" if good else "✗", decisive)
        elif decided:
            yield Step(question, "wait", "–", gettext("not asked any more"))
        else:
            yield Step(question, "plain", "✓", passed)


def _questions(decision: Decision) -> tuple[tuple[Detail, str, str, str], ...]:
    """Each detail with its question, the answer that decides, and the answer that lets the unit pass."""
    return (*_of_the_experiment(), *_of_the_unit(), *_of_the_bucket(decision))


def _of_the_experiment() -> Iterator[tuple[Detail, str, str, str]]:
    yield (
        Detail.NOT_RUNNING,
        gettext("Is it running?"),
        gettext("No: everybody gets the control's value."),
        gettext("Yes"),
    )
    yield (
        Detail.SHIPPED,
        gettext("Is a variant shipped to everybody?"),
        gettext("Yes: everybody gets it."),
        gettext("No"),
    )


def _of_the_unit() -> Iterator[tuple[Detail, str, str, str]]:
    yield Detail.NO_UNIT, gettext("Is there a unit?"), gettext("No: the id is empty."), gettext("Yes")
    yield (
        Detail.OVERRIDE,
        gettext("Is the unit placed by hand?"),
        gettext("Yes: it is marked and left out of the analysis."),
        gettext("No"),
    )
    yield (
        Detail.NOT_TARGETED,
        gettext("Do its attributes match?"),
        gettext("No: it is not among those the experiment is for."),
        gettext("Yes"),
    )
    yield (
        Detail.HELD_OUT,
        gettext("Is it held out?"),
        gettext("Yes: it belongs to a holdout that the experiment honours."),
        gettext("No"),
    )


def _of_the_bucket(decision: Decision) -> Iterator[tuple[Detail, str, str, str]]:
    bucket = "" if decision.bucket is None else str(decision.bucket)
    yield (
        Detail.LAYER_EXCLUDED,
        gettext("Does the experiment hold its place in the layer?"),
        gettext("No: another experiment may hold it."),
        gettext("Yes"),
    )
    yield (
        Detail.NOT_IN_TRAFFIC,
        gettext("Is it in the traffic?"),
        gettext("No: bucket %(bucket)s is not open yet.", bucket=bucket),
        gettext("Yes"),
    )
    yield (
        Detail.ASSIGNED,
        gettext("Which variant owns its bucket?"),
        gettext("Bucket %(bucket)s belongs to %(variant)s.", bucket=bucket, variant=decision.variant),
        "",
    )
