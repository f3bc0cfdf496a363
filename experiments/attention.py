"""Attention: what asks for somebody today, over all experiments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from analysis import Recommendation
from experiments import readouts, retrospectives
from experiments.alerts import Kind, standing_alerts
from experiments.catalog import Experiment, list_experiments
from experiments.conclusions import going_on
from experiments.lifecycle import Status
from experiments.timetable import not_started

_READY = (Recommendation.SHIP, Recommendation.ROLL_BACK, Recommendation.STOP)


class Need(StrEnum):
    """Why somebody is needed; the most pressing first."""

    ALERT = "alert"
    HEALTH = "health"
    DECIDE = "decide"
    NOT_STARTED = "not_started"
    ENDS_TODAY = "ends_today"
    REVIEW = "review"
    RETROSPECTIVE = "retrospective"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that asks for somebody.

    Attributes
    ----------
    about
        The metric of an alert, the task of a follow-up; otherwise empty.
    recommendation
        What the newest readout says, where there is one.
    number
        Of the follow-up.
    """

    need: Need
    experiment: Experiment
    about: str = ""
    recommendation: str = ""
    day: date | None = None
    number: int = 0


def gather(*, session: Session, now: datetime) -> list[Item]:
    """Collect everything that asks for somebody, the most pressing first."""
    experiments = {each.key: each for each in list_experiments(session=session)}
    said = _said(session, experiments)
    decided = going_on(session=session, now=now)
    failed = not_started(session=session)
    found = [*_alerts(session, experiments), *_reminders(session, experiments, now)]
    for each in experiments.values():
        found += [Item(Need.NOT_STARTED, each)] if each.key in failed else []
        found += _of_one(each, said.get(each.key, ""), now, decided=each.key in decided)
    order = list(Need)
    return sorted(found, key=lambda item: order.index(item.need))


def planned_end(experiment: Experiment) -> datetime | None:
    """When an experiment is to end: the day that was named, or its days after the start."""
    draft = experiment.definition
    began = draft.starts or experiment.started_at
    if draft.ends is not None or began is None or draft.plan.days is None:
        return draft.ends
    return began + timedelta(days=draft.plan.days)


def _said(session: Session, experiments: dict[str, Experiment]) -> dict[str, str]:
    """What the newest readouts recommend; one without any unit so far recommends nothing."""
    said = readouts.recommendations(session=session)
    unread = [key for key, what in said.items() if what == Recommendation.DO_NOT_READ and key in experiments]
    running = [key for key in unread if experiments[key].status is Status.RUNNING]
    newest = readouts.latest_of(session=session, keys=running)
    empty = {key for key, each in newest.items() if not any(each.document["units"].values())}
    return {key: what for key, what in said.items() if key not in empty}


def _of_one(experiment: Experiment, said: str, now: datetime, *, decided: bool) -> Iterator[Item]:
    """Look at one experiment; what was decided to go on is not asked for again before its new end."""
    if experiment.status is Status.REVIEW:
        yield Item(Need.REVIEW, experiment)
    if experiment.status is Status.STOPPED:
        yield Item(Need.DECIDE, experiment, recommendation=said)
    if experiment.status is not Status.RUNNING:
        return
    end = planned_end(experiment)
    if said == Recommendation.DO_NOT_READ:
        yield Item(Need.HEALTH, experiment)
    elif not decided and (said in _READY or (end is not None and end <= now)):
        yield Item(Need.DECIDE, experiment, recommendation=said)
    elif end is not None and end.date() == now.date():
        yield Item(Need.ENDS_TODAY, experiment, day=end.date())


def _alerts(session: Session, experiments: dict[str, Experiment]) -> Iterator[Item]:
    for alert in standing_alerts(session=session):
        found = experiments.get(alert.experiment)
        if found is not None and alert.kind is Kind.GUARDRAIL and found.status is Status.RUNNING:
            yield Item(Need.ALERT, found, about=alert.metric)


def _reminders(session: Session, experiments: dict[str, Experiment], now: datetime) -> Iterator[Item]:
    for ending in retrospectives.retrospectives_due(session=session, now=now):
        yield Item(Need.RETROSPECTIVE, experiments[ending.experiment], day=ending.at.date())
    for task, key in retrospectives.follow_ups_due(session=session, by=now.date()):
        day = None if task.due is None else task.due.date()
        yield Item(Need.FOLLOW_UP, experiments[key], about=task.task, day=day, number=task.id)
