"""The digest: what happened over all experiments in a day or a week, and what asks for somebody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from experiments import attention
from experiments.alerts import Alert, list_alerts
from experiments.attention import Item
from experiments.catalog import Experiment, list_experiments
from experiments.choices import ENDINGS
from experiments.concluded import Conclusion
from experiments.conclusions import restore
from experiments.lifecycle import Status
from experiments.readouts import Snapshot, latest_of
from experiments.store.outcomes import ConclusionRow

MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Digest:
    """One look at everything.

    Attributes
    ----------
    running
        What runs now, each with its newest readout where there is one.
    """

    since: datetime
    until: datetime
    needs: tuple[Item, ...]
    started: tuple[Experiment, ...]
    concluded: tuple[Conclusion, ...]
    alerts: tuple[Alert, ...]
    running: tuple[tuple[Experiment, Snapshot | None], ...]


def digest_of(*, session: Session, now: datetime, days: int = 1) -> Digest:
    """Bring together what happened in the last days."""
    since = now - timedelta(days=days)
    experiments = list_experiments(session=session)
    running = [each for each in experiments if each.status is Status.RUNNING]
    newest = latest_of(session=session, keys=[each.key for each in running])
    query = select(ConclusionRow).where(
        col(ConclusionRow.choice).in_(list(ENDINGS)), col(ConclusionRow.at) >= since
    )
    fired = [each for each in list_alerts(session=session) if each.fired_at and each.fired_at >= since]
    return Digest(
        since=since,
        until=now,
        needs=tuple(attention.gather(session=session, now=now)),
        started=tuple(each for each in experiments if each.started_at and each.started_at >= since),
        concluded=tuple(restore(session, list(session.exec(query.order_by(col(ConclusionRow.id).desc()))))),
        alerts=tuple(fired),
        running=tuple((each, newest.get(each.key)) for each in running),
    )
