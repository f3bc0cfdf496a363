"""The metric registry: every metric in every version, and the one way to write another one down."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments import audit
from experiments.definition import store_form
from experiments.errors import InvalidInput, NotFound, Outdated, Problem
from experiments.legibility import legible
from experiments.metrics import MetricDraft, misfits
from experiments.store.tables import MetricRow


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in its newest version."""

    definition: MetricDraft
    version: int

    @property
    def key(self) -> str:
        """Its permanent key."""
        return self.definition.key


@dataclass(frozen=True, slots=True)
class MetricVersion:
    """One version of a metric, and since when it is the newest."""

    metric: Metric
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What applying a definition did: ``created``, ``updated`` or ``unchanged``."""

    kind: str
    key: str
    action: str


def list_metrics(*, session: Session) -> list[Metric]:
    """All metrics in their newest versions, by key."""
    newest = select(MetricRow.key, func.max(MetricRow.version)).group_by(MetricRow.key)
    versions = dict(session.exec(newest).all())
    rows = session.exec(select(MetricRow).order_by(MetricRow.key)).all()
    return legible((row for row in rows if versions[row.key] == row.version), _metric)


def find_metrics(*, session: Session, keys: Sequence[str]) -> dict[str, Metric]:
    """The newest versions of the metrics asked for.

    Raises
    ------
    NotFound
        Naming the first that is missing.
    """
    known = {metric.key: metric for metric in list_metrics(session=session)}
    for key in keys:
        if key not in known:
            raise NotFound(f"there is no metric {key!r}")
    return {key: known[key] for key in keys}


def list_versions(*, session: Session, key: str) -> list[MetricVersion]:
    """All versions of a metric, the newest first.

    Raises
    ------
    NotFound
        If there is no such metric.
    """
    versions = _versions(session, [key])[key]
    if not versions:
        raise NotFound(f"there is no metric {key!r}")
    return versions[::-1]


def find_version(*, session: Session, key: str, version: int | None) -> Metric:
    """A metric in one of its versions; in the newest where that is not known.

    Raises
    ------
    NotFound
        If there is no such metric.
    """
    versions = list_versions(session=session, key=key)
    asked = (each.metric for each in versions if each.metric.version == version)
    return next(asked, versions[0].metric)


def metrics_at(*, session: Session, keys: Sequence[str], moment: datetime | None) -> dict[str, Metric]:
    """The newest versions that were there at a moment; the oldest of a metric that came later.

    Without a moment the newest ones.

    Raises
    ------
    NotFound
        Naming the first that is missing.
    """
    found = _versions(session, keys)
    for key in keys:
        if not found[key]:
            raise NotFound(f"there is no metric {key!r}")
    chosen = {}
    for key in keys:
        there = [each for each in found[key] if moment is None or each.created_at <= moment]
        chosen[key] = (there[-1] if there else found[key][0]).metric
    return chosen


def made_of(*, session: Session, key: str) -> list[MetricDraft]:
    """The metrics that are made of a metric."""
    return [each.definition for each in list_metrics(session=session) if key in each.definition.parts]


def save_metric(
    *, session: Session, draft: MetricDraft, actor: str, now: datetime, version: int | None = None
) -> Change:
    """Write a metric down; a changed definition becomes its next version.

    Parameters
    ----------
    version
        The version that the editor saw, 0 for none; None to put another on top of whatever is there.

    Raises
    ------
    InvalidInput
        If it is made of metrics that are missing or do not fit, or no longer fits those made of it.
    Outdated
        If somebody else has changed it since.
    """
    rows = session.exec(select(MetricRow).where(MetricRow.key == draft.key).order_by(col(MetricRow.version)))
    history = list(rows)
    if version is not None and version != (history[-1].version if history else 0):
        raise Outdated(f"metric {draft.key} was changed by somebody else in the meantime; reload to see it")
    if any(newest.definition == draft for newest in legible(history[-1:], _metric)):
        return Change("metric", draft.key, "unchanged")
    _require_fitting(session, draft)
    written = store_form(draft)
    following = history[-1].version + 1 if history else 1
    session.add(MetricRow(key=draft.key, version=following, definition=written, created_at=now))
    audit.record(
        session=session,
        actor=actor,
        action="edit" if history else "create",
        object=f"metric:{draft.key}",
        before=history[-1].definition if history else None,
        after=written,
        now=now,
    )
    session.flush()
    return Change("metric", draft.key, "updated" if history else "created")


def _require_fitting(session: Session, draft: MetricDraft) -> None:
    known = {metric.key: metric.definition for metric in list_metrics(session=session)} | {draft.key: draft}
    concerned = [draft, *(each for each in known.values() if draft.key in each.parts)]
    problems = [
        Problem(f"metric {each.key}", reason) for each in concerned for reason in misfits(each, known)
    ]
    if problems:
        raise InvalidInput(problems)


def _metric(row: MetricRow) -> Metric:
    return Metric(MetricDraft.model_validate_json(row.definition), row.version)


def _versions(session: Session, keys: Sequence[str]) -> dict[str, list[MetricVersion]]:
    query = select(MetricRow).where(col(MetricRow.key).in_(keys)).order_by(col(MetricRow.version))
    found: dict[str, list[MetricVersion]] = defaultdict(list)
    for row in session.exec(query):
        metric = Metric(MetricDraft.model_validate_json(row.definition), row.version)
        found[row.key].append(MetricVersion(metric, row.created_at))
    return found
