"""Home: what needs you, what runs, what you have begun, and what was decided last."""

from dataclasses import dataclass
from datetime import datetime

from flask import render_template

from experiments import attention, catalog, learnings, readouts, registry, sheets
from experiments.catalog import Experiment
from experiments.concluded import Conclusion
from experiments.lifecycle import BEFORE_START, Status
from experiments.project import find_project
from experiments.store import Session
from web import auth, deployment
from web.entries import entries_of
from web.pages.site import site
from web.wording.decided import outcome_chip
from web.wording.needs import call_of
from web.wording.states import status_chip

RECENT = 5
"""Decisions that are shown."""

MOST_RUNNING = 30
"""Running experiments that are shown; the list has them all."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with the name of its experiment."""

    conclusion: Conclusion
    title: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What somebody has begun to type, and is no experiment yet."""

    key: str
    title: str
    updated_at: datetime


@site.get("/", endpoint="home")
def show_home() -> str:
    """The first page."""
    now = deployment.current().now()
    with deployment.current().store.read() as session:
        everything = catalog.list_experiments(session=session)
        needs = attention.gather(session=session, now=now)
        latest = learnings.latest_conclusions(session=session, count=RECENT)
        metrics = {metric.key: metric for metric in registry.list_metrics(session=session)}
        running = [each for each in everything if each.status is Status.RUNNING]
        shown = running[:MOST_RUNNING]
        zone = find_project(session=session).definition.zone
        begun = _begun(session, {each.key for each in everything})
        newest = readouts.latest_of(session=session, keys=[each.key for each in shown])
    names = {each.key: each.title for each in everything}
    titles = {key: metric.definition.title for key, metric in metrics.items()}
    entries = entries_of(shown, newest, metrics)
    verdicts = {each.experiment.key: each.conclusion.tag for each in entries if each.conclusion}
    return render_template(
        "home.html",
        calls=[
            call_of(item, titles.get(item.about) or verdicts.get(item.experiment.key, "")) for item in needs
        ],
        entries=entries,
        running=len(running),
        drafts=_mine(everything),
        begun=begun,
        decided=[Decided(each, names.get(each.experiment, each.experiment)) for each in latest],
        outcome=outcome_chip,
        chip=status_chip,
        zone=zone,
        empty=not everything and not begun,
    )


def _begun(session: Session, known: set[str]) -> list[Begun]:
    """Sheets of the person who looks that were not written down, the newest first."""
    mine = sheets.list_sheets(session=session, author=auth.name())
    return [
        Begun(each.key, each.typed.get("texts", {}).get("name") or each.key, each.updated_at)
        for each in mine
        if each.key not in known
    ]


def _mine(experiments: list[Experiment]) -> list[Experiment]:
    """Drafts of the person who looks; those that nobody owns are everybody's."""
    person = auth.person()
    name = person.name if person else ""
    begun = [each for each in experiments if each.status in BEFORE_START]
    return [each for each in begun if each.definition.owner in ("", name)]
