"""The quality of data: what became of every message, by event and day, as the ledger itself counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session, col, select

from experiments.store.instants import from_millis
from experiments.store.tables import EventRow, ExposureRow, QualityRow, RejectionRow
from experiments.store.tallies import DAY_MS, EXPOSURE, LAGS, LATE

MOST_MESSAGES = 50
"""Messages that the live tail shows."""

_REJECTED = "rejected:"


@dataclass(frozen=True, slots=True)
class Quality:
    """What became of the messages of one event.

    Attributes
    ----------
    outcomes
        How often, by outcome: ``accepted``, ``duplicate``, ``outdated``, ``skewed``, ``unsent``, ``unknown``,
        ``mismatch``, ``override``, ``dropped``, ``unplanned``, ``mistyped``, ``missing``,
        ``rejected:…`` and ``lag:…``.
    """

    event: str
    outcomes: Mapping[str, int]

    def count(self, outcome: str) -> int:
        """How often one thing happened."""
        return self.outcomes.get(outcome, 0)

    @property
    def reasons(self) -> dict[str, int]:
        """Why messages were rejected, and how many."""
        return {
            outcome.removeprefix(_REJECTED): count
            for outcome, count in sorted(self.outcomes.items())
            if outcome.startswith(_REJECTED)
        }

    @property
    def rejected(self) -> int:
        """Messages that were not stored."""
        return sum(self.reasons.values())

    @property
    def late(self) -> int:
        """Events that came more than an hour after they happened."""
        return sum(self.count(lag) for lag in LATE)

    @property
    def doubtful(self) -> int:
        """Things to look into: out of plan, of unknown experiments, or at odds with our own assignment."""
        names = ("unknown", "mismatch", "unplanned", "mistyped", "missing", "dropped", "outdated", "unsent")
        return sum(self.count(name) for name in names)

    def to_json(self) -> dict[str, Any]:
        """What the command line and the API say."""
        named = (
            *("outdated", "unsent", "unknown", "mismatch", "override"),
            *("dropped", "unplanned", "mistyped", "missing"),
        )
        return {
            "event": self.event,
            "accepted": self.count("accepted"),
            "duplicate": self.count("duplicate"),
            "rejected": self.rejected,
            "late": self.late,
            "skewed": self.count("skewed"),
            **{name: self.count(name) for name in named},
            "reasons": self.reasons,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One of the latest messages, as the live tail shows it. ``kind`` is event, exposure or rejected."""

    at: datetime
    kind: str
    name: str
    unit: str
    message_id: str
    detail: str
    mark: str


def by_event(*, session: Session, since: date | None = None) -> list[Quality]:
    """What became of all messages, by event."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in _rows(session, since):
        sums[row.event][row.outcome] += row.count
    return _qualities(sums)


def by_day(*, session: Session, since: date | None = None) -> list[tuple[date, list[Quality]]]:
    """The same for each day, the newest first."""
    days: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in _rows(session, since):
        days[row.day][row.event][row.outcome] = row.count
    found = [(day_of(day), _qualities(events)) for day, events in sorted(days.items(), reverse=True)]
    return [(day, qualities) for day, qualities in found if qualities]


def lateness(qualities: Iterable[Quality]) -> list[tuple[str, int]]:
    """How long after they happened the events came, from on time to more than a week."""
    sums = dict.fromkeys(LAGS, 0)
    accepted = 0
    for quality in qualities:
        accepted += quality.count("accepted")
        for lag in LAGS:
            sums[lag] += quality.count(lag)
    return [("lag:0", accepted - sum(sums.values())), *sums.items()]


def latest_messages(*, session: Session, limit: int = MOST_MESSAGES) -> list[Message]:
    """The latest messages, whatever became of them, the newest first."""
    events = session.exec(select(EventRow).order_by(col(EventRow.id).desc()).limit(limit))
    exposures = session.exec(select(ExposureRow).order_by(col(ExposureRow.id).desc()).limit(limit))
    rejected = session.exec(select(RejectionRow).order_by(col(RejectionRow.id).desc()).limit(limit))
    found: Sequence[Message] = [
        *(_event(row) for row in events),
        *(_exposure(row) for row in exposures),
        *(
            Message(
                from_millis(row.at), "rejected", row.event, "", row.message_id or "", row.detail, row.code
            )
            for row in rejected
        ),
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)[:limit]


def day_of(number: int) -> date:
    """The date of a day that is counted since 1970."""
    return from_millis(number * DAY_MS).date()


def number_of(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def _rows(session: Session, since: date | None) -> Sequence[QualityRow]:
    query = select(QualityRow).where(QualityRow.outcome != "happened")
    if since is not None:
        query = query.where(QualityRow.day >= number_of(since))
    return session.exec(query).all()


def _qualities(events: Mapping[str, Mapping[str, int]]) -> list[Quality]:
    return [Quality(event, dict(outcomes)) for event, outcomes in sorted(events.items())]


def _event(row: EventRow) -> Message:
    unit = row.user_id or row.anonymous_id or ""
    at = from_millis(row.received_at)
    return Message(at, "event", row.event, unit, row.message_id, row.properties or "", row.mark or "")


def _exposure(row: ExposureRow) -> Message:
    unit, at = row.user_id or row.anonymous_id or "", from_millis(row.received_at)
    shown = f"{row.experiment} → {row.variant}"
    return Message(at, "exposure", EXPOSURE, unit, row.message_id, shown, row.mark or "")
