"""Alerts: a breach that lasts is told once, delivered until it arrives, and kept in a history.

Each analysis asks anew. A breach that is gone ends its alert; one that returns later is a new one. While the
data of an experiment cannot be trusted, its guardrails are not judged: that itself is what alerts then.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from analysis import Readout, Recommendation
from analysis.alarms import breaches
from experiments.catalog import Experiment, find_experiment
from experiments.readouts import Snapshot
from experiments.store.outcomes import AlertRow
from experiments.thresholds import Threshold, thresholds_of

ATTEMPTS = 8
"""Deliveries that are tried before an alert is only in the history."""

FIRST_PAUSE = timedelta(minutes=1)
"""Between the first two attempts; each further pause is twice as long."""


class Kind(StrEnum):
    """What an alert is about."""

    GUARDRAIL = "guardrail"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Alert:
    """A breach from its beginning to its end.

    Attributes
    ----------
    metric, variant
        Of a guardrail; for a health check ``metric`` is the name of the check.
    snapshot
        The number of the newest readout that shows it.
    fired_at
        When it had lasted as long as its threshold waits; None before that.
    """

    id: int
    experiment: str
    kind: Kind
    metric: str
    variant: str
    limit: float | None
    who: str
    snapshot: int
    began_at: datetime
    fired_at: datetime | None
    ended_at: datetime | None
    attempts: int
    delivered_at: datetime | None
    failure: str | None

    @property
    def stands(self) -> bool:
        """Whether it has fired and its breach has not ended."""
        return self.fired_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class _Breach:
    kind: Kind
    metric: str
    variant: str
    limit: float | None
    who: str
    wait: timedelta


def watch(*, session: Session, snapshot: Snapshot, now: datetime) -> list[Alert]:
    """Compare a new readout with the thresholds of its experiment.

    Returns
    -------
    list of Alert
        Those that have fired now.
    """
    experiment, readout = find_experiment(session=session, key=snapshot.experiment), snapshot.readout
    thresholds = thresholds_of(session=session, experiments=[experiment])[experiment.key]
    breached = {
        (each.kind, each.metric, each.variant): each for each in _breaches(readout, experiment, thresholds)
    }
    query = select(AlertRow).where(AlertRow.experiment == experiment.key, col(AlertRow.ended_at).is_(None))
    open_rows = {(row.kind, row.metric, row.variant): row for row in session.exec(query)}
    unread = _untrusted(readout)
    for place, row in open_rows.items():
        if place not in breached and not (unread and row.kind == Kind.GUARDRAIL):
            row.ended_at = now
            session.add(row)
    fired = []
    for place, breach in breached.items():
        row = open_rows.get(place) or _opened(experiment.key, breach, now)
        row.snapshot, row.limit, row.who = snapshot.id, breach.limit, breach.who
        if row.fired_at is None and now - row.began_at >= breach.wait:
            row.fired_at = row.next_attempt = now
            fired.append(row)
        session.add(row)
    session.flush()
    return [_alert(row) for row in fired]


def settle(*, session: Session, running: Collection[str], now: datetime) -> frozenset[str]:
    """End the alerts of what no longer runs, and name the experiments whose breach still waits to be told."""
    waiting = set()
    for row in session.exec(select(AlertRow).where(col(AlertRow.ended_at).is_(None))):
        if row.experiment not in running:
            row.ended_at = now
            session.add(row)
        elif row.fired_at is None:
            waiting.add(row.experiment)
    session.flush()
    return frozenset(waiting)


def list_alerts(*, session: Session, experiment: str = "", count: int = 100) -> list[Alert]:
    """The history, the newest first."""
    query = select(AlertRow).order_by(col(AlertRow.id).desc()).limit(count)
    if experiment:
        query = query.where(AlertRow.experiment == experiment)
    return [_alert(row) for row in session.exec(query)]


def standing_alerts(*, session: Session) -> list[Alert]:
    """Alerts that have fired and whose breach has not ended, the newest first."""
    query = (
        select(AlertRow)
        .where(col(AlertRow.fired_at).is_not(None), col(AlertRow.ended_at).is_(None))
        .order_by(col(AlertRow.id).desc())
    )
    return [_alert(row) for row in session.exec(query)]


def undelivered(*, session: Session, now: datetime) -> list[Alert]:
    """Alerts whose delivery is to be tried now, the oldest first."""
    query = select(AlertRow).where(col(AlertRow.next_attempt) <= now).order_by(col(AlertRow.id))
    return [_alert(row) for row in session.exec(query)]


def record_attempt(
    *,
    session: Session,
    id: int,  # noqa: A002 - its number
    now: datetime,
    failure: str | None = None,
    last: bool = False,
    not_before: datetime | None = None,
) -> None:
    """Write down how a delivery went; a failed one is tried again, ever later, up to a last time.

    Parameters
    ----------
    not_before
        When the receiver wants the next attempt at the earliest.
    """
    row = session.get_one(AlertRow, id)
    row.attempts += 1
    row.failure, row.next_attempt = failure, None
    if failure is None:
        row.delivered_at = now
    elif row.attempts < ATTEMPTS and not last:
        row.next_attempt = max(now + FIRST_PAUSE * 2 ** (row.attempts - 1), not_before or now)
    session.add(row)


def _breaches(readout: Readout, experiment: Experiment, thresholds: list[Threshold]) -> Iterator[_Breach]:
    if _untrusted(readout):
        for check in readout.failed:
            if check.name != "exposures":  # before the first unit there is no data yet
                owner = experiment.definition.owner
                yield _Breach(Kind.HEALTH, check.name, "", None, owner, timedelta())
        return
    watched = {each.metric: each for each in thresholds if not each.muted}
    limits = {metric: each.limit for metric, each in watched.items()}
    for finding in breaches(readout, limits):
        rule = watched[finding.metric]
        yield _Breach(Kind.GUARDRAIL, finding.metric, finding.variant, rule.limit, rule.who, rule.wait)


def _untrusted(readout: Readout) -> bool:
    return readout.verdict.recommendation is Recommendation.DO_NOT_READ


def _opened(experiment: str, breach: _Breach, now: datetime) -> AlertRow:
    return AlertRow(
        experiment=experiment,
        kind=breach.kind,
        metric=breach.metric,
        variant=breach.variant,
        who=breach.who,
        snapshot=0,
        began_at=now,
    )


def _alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id or 0,
        experiment=row.experiment,
        kind=Kind(row.kind),
        metric=row.metric,
        variant=row.variant,
        limit=row.limit,
        who=row.who,
        snapshot=row.snapshot,
        began_at=row.began_at,
        fired_at=row.fired_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        delivered_at=row.delivered_at,
        failure=row.failure,
    )
