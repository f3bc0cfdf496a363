"""Moves in words: what each move in an experiment's life will do, and what happens by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from experiments.catalog import Experiment
from experiments.lifecycle import HOLDING, Status
from web.wording import numbers
from web.wording.language import gettext, joined


@dataclass(frozen=True, slots=True)
class Move:
    """A move in an experiment's life, as the page words it on which it is confirmed."""

    name: str
    title: str
    consequences: tuple[str, ...]
    button: str


def worded_move(move: str, experiment: Experiment, now: datetime, zone: str) -> Move:
    """Say what a move will do, before it is made; moments are told in the time zone."""
    starts = experiment.definition.starts
    if move == "start" and experiment.started_at is None and starts is not None and starts > now:
        return _schedule(experiment, starts, zone)
    words: dict[str, Callable[[Experiment], Move]] = {
        "submit": _submit,
        "approve": _approve,
        "start": _start,
        "cancel": _cancel,
        "stop": _stop,
        "archive": _archive,
    }
    return words[move](experiment)


def timing_sentence(experiment: Experiment, zone: str) -> str:
    """Tell what an experiment will do by itself; empty for nothing."""
    draft, told = experiment.definition, []
    if experiment.status is Status.SCHEDULED and draft.starts is not None:
        told.append(
            gettext("It starts by itself at %(moment)s.", moment=numbers.moment_in(draft.starts, zone))
        )
    if draft.stops_at_end and draft.ends is not None and experiment.status in HOLDING:
        told.append(gettext("It stops by itself at %(moment)s.", moment=numbers.moment_in(draft.ends, zone)))
    return joined(*told)


def _submit(experiment: Experiment) -> Move:
    return Move(
        "submit",
        gettext("Hand %(name)s over for review?", name=experiment.title),
        (
            gettext("Somebody who did not write it reads it and approves it; then it can start."),
            gettext("It can still be changed; a change after the approval makes it void."),
        ),
        gettext("Hand over for review"),
    )


def _approve(experiment: Experiment) -> Move:
    return Move(
        "approve",
        gettext("Approve %(name)s?", name=experiment.title),
        (
            gettext("You have read the definition as it stands, and it may start like this."),
            gettext("Your approval holds for three days, and for nothing that is changed afterwards."),
            gettext("Whoever wrote it down or changed it last cannot approve it."),
        ),
        gettext("Approve"),
    )


def _start(experiment: Experiment) -> Move:
    return Move(
        "start",
        gettext("Start %(name)s?", name=experiment.title),
        (
            gettext("From now on units are assigned, and every worker knows within seconds."),
            *_fixed(),
        ),
        gettext("Start"),
    )


def _schedule(experiment: Experiment, starts: datetime, zone: str) -> Move:
    when = numbers.moment_in(starts, zone)
    return Move(
        "start",
        gettext("Schedule the start of %(name)s?", name=experiment.title),
        (
            gettext("It starts by itself at %(moment)s; until then everybody gets the control.", moment=when),
            gettext("Until then the start can be cancelled, and any change cancels it, too."),
            *_fixed(),
        ),
        gettext("Schedule the start"),
    )


def _fixed() -> tuple[str, ...]:
    return (
        gettext("Variants, weights, primary metrics and the plan can no longer change."),
        gettext("Traffic may rise later; nobody who is in will move."),
    )


def _cancel(experiment: Experiment) -> Move:
    return Move(
        "cancel",
        gettext("Cancel the start of %(name)s?", name=experiment.title),
        (
            gettext("It becomes a draft again and does not start by itself."),
            gettext("Programs no longer know its key until it starts, and use the default in their code."),
        ),
        gettext("Cancel the start"),
    )


def _stop(experiment: Experiment) -> Move:
    return Move(
        "stop",
        gettext("Stop %(name)s?", name=experiment.title),
        (
            gettext("From now on everybody gets the control."),
            gettext("What was recorded stays, and can still be analysed."),
        ),
        gettext("Stop"),
    )


def _archive(experiment: Experiment) -> Move:
    return Move(
        "archive",
        gettext("Archive %(name)s?", name=experiment.title),
        (
            gettext("Programs no longer know its key, and use the default in their code."),
            gettext("The key is never used again; design, results and history stay readable."),
        ),
        gettext("Archive"),
    )
