"""The digest in words, the same on its page, in a terminal and in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.attention import Need
from experiments.digest import Digest
from experiments.registry import Metric
from web.entries import Entry, entry_of
from web.wording import numbers
from web.wording.decided import outcome_chip
from web.wording.language import gettext, ngettext
from web.wording.names import metric_title


@dataclass(frozen=True, slots=True)
class Piece:
    """One line: the experiment, what is to be said of it, and the key to find it by."""

    key: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with its lines."""

    name: str
    heading: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A digest in the reader's language."""

    heading: str
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return {
            "heading": self.heading,
            **{
                part.name: [
                    {"experiment": each.key, "title": each.title, "text": each.text} for each in part.pieces
                ]
                for part in self.parts
            },
        }


def tell(digest: Digest, metrics: Mapping[str, Metric], titles: Mapping[str, str]) -> Told:
    """Word a digest."""
    names = {key: metric_title(metric) for key, metric in metrics.items()}
    return Told(
        numbers.days(digest.since.date(), digest.until.date()),
        (
            Part("needs", gettext("Needs you"), tuple(_needs(digest, names))),
            Part("concluded", gettext("Decided"), tuple(_concluded(digest, titles))),
            Part("started", gettext("Started"), tuple(_started(digest))),
            Part("alerts", gettext("Alerted"), tuple(_alerted(digest, names, titles))),
            Part("running", gettext("Running"), tuple(_running(digest, metrics))),
        ),
    )


def need_told(need: Need, about: str) -> str:
    """Say in a few words why somebody is needed."""
    words = {
        Need.ALERT: lambda: gettext("%(metric)s is beyond its harm limit.", metric=about),
        Need.HEALTH: lambda: gettext("The data cannot be trusted."),
        Need.DECIDE: lambda: gettext("Ready to decide."),
        Need.NOT_STARTED: lambda: gettext("It could not start by itself; its history says why."),
        Need.ENDS_TODAY: lambda: gettext("Ends today."),
        Need.REVIEW: lambda: gettext("Waits for a review."),
        Need.RETROSPECTIVE: lambda: gettext("Did the gain hold?"),
        Need.FOLLOW_UP: lambda: gettext("To do: %(task)s", task=about),
    }
    return words[need]()


def _needs(digest: Digest, names: Mapping[str, str]) -> list[Piece]:
    return [
        Piece(
            each.experiment.key,
            each.experiment.title,
            need_told(each.need, names.get(each.about, each.about)),
        )
        for each in digest.needs
    ]


def _concluded(digest: Digest, titles: Mapping[str, str]) -> list[Piece]:
    return [
        Piece(
            each.experiment,
            titles.get(each.experiment, each.experiment),
            gettext(
                "%(outcome)s: %(learning)s", outcome=outcome_chip(each.choice).word, learning=each.learning
            ),
        )
        for each in digest.concluded
    ]


def _started(digest: Digest) -> list[Piece]:
    return [
        Piece(each.key, each.title, "" if each.started_at is None else numbers.day(each.started_at.date()))
        for each in digest.started
    ]


def _alerted(digest: Digest, names: Mapping[str, str], titles: Mapping[str, str]) -> list[Piece]:
    return [
        Piece(
            each.experiment,
            titles.get(each.experiment, each.experiment),
            need_told(Need.ALERT if each.variant else Need.HEALTH, names.get(each.metric, each.metric)),
        )
        for each in digest.alerts
    ]


def _running(digest: Digest, metrics: Mapping[str, Metric]) -> list[Piece]:
    entries = [
        entry_of(experiment, None if snapshot is None else snapshot.readout, metrics)
        for experiment, snapshot in digest.running
    ]
    return [Piece(each.experiment.key, each.experiment.title, _standing(each)) for each in entries]


def _standing(entry: Entry) -> str:
    """How an experiment stands: what the numbers say, the goal with its interval, and its days."""
    said = gettext("Not analysed yet") if entry.conclusion is None else entry.conclusion.tag
    parts = [said]
    if entry.goal_text:
        parts.append(f"{entry.goal_name} {entry.goal_text} ({entry.goal_interval})")
    if entry.days:
        run, planned = entry.days
        told = ngettext("%(num)s day", "%(num)s days", run)
        parts.append(
            told if planned is None else gettext("day %(run)s of %(planned)s", run=run, planned=planned)
        )
    return " · ".join(parts)
