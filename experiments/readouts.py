"""Readouts: computing one, keeping it for good, and finding it again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from analysis import Observation, Readout, read
from experiments.catalog import Experiment, find_experiment, require_row
from experiments.errors import NotAllowed, NotFound
from experiments.interruptions import find_interruption
from experiments.store.instants import to_millis
from experiments.store.tables import SnapshotRow

MOST_LISTED = 20_000
"""Readouts that are looked through for a list of days; the oldest of a very busy experiment stay unlisted."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored readout; it never changes."""

    id: int
    experiment: str
    text: str

    @property
    def document(self) -> Mapping[str, Any]:
        """The readout in its JSON form."""
        document: Mapping[str, Any] = json.loads(self.text)
        return document

    @property
    def readout(self) -> Readout:
        """The readout as a value."""
        return Readout.from_json(self.document)


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """A stored readout by its number: when it was computed, in which phase, and what it said to do.

    Attributes
    ----------
    left_to_people
        Whether it had run its time and left the decision to people, because a harm limit stayed open.
    """

    id: int
    as_of: datetime
    phase: int
    recommendation: str
    left_to_people: bool = False


def latest(*, session: Session, key: str) -> Snapshot | None:
    """The newest readout of an experiment; None before the first analysis."""
    query = select(SnapshotRow).where(SnapshotRow.experiment == key).order_by(col(SnapshotRow.id).desc())
    row = session.exec(query).first()
    return None if row is None else _snapshot(row)


def latest_of_all(*, session: Session) -> dict[str, Snapshot]:
    """The newest readout of every experiment that has one, by key."""
    newest = select(func.max(SnapshotRow.id)).group_by(SnapshotRow.experiment)
    rows = session.exec(select(SnapshotRow).where(col(SnapshotRow.id).in_(newest)))
    return {row.experiment: _snapshot(row) for row in rows}


def latest_of(*, session: Session, keys: Collection[str]) -> dict[str, Snapshot]:
    """The newest readouts of the experiments asked for, by key; those without one are left out."""
    newest = (
        select(func.max(SnapshotRow.id))
        .where(col(SnapshotRow.experiment).in_(keys))
        .group_by(SnapshotRow.experiment)
    )
    rows = session.exec(select(SnapshotRow).where(col(SnapshotRow.id).in_(newest)))
    return {row.experiment: _snapshot(row) for row in rows}


def find_snapshots(*, session: Session, ids: Collection[int]) -> dict[int, Snapshot]:
    """Readouts by their numbers."""
    rows = session.exec(select(SnapshotRow).where(col(SnapshotRow.id).in_(ids)))
    return {row.id or 0: _snapshot(row) for row in rows}


def recommendations(*, session: Session) -> dict[str, str]:
    """What the newest readout of every experiment recommends, by key, without reading the readouts."""
    newest = select(func.max(SnapshotRow.id)).group_by(SnapshotRow.experiment)
    query = select(SnapshotRow.experiment, SnapshotRow.recommendation).where(col(SnapshotRow.id).in_(newest))
    return dict(session.exec(query).all())


def latest_id(*, session: Session, key: str) -> int | None:
    """The number of the newest readout of an experiment; None before the first analysis."""
    query = select(func.max(SnapshotRow.id)).where(SnapshotRow.experiment == key)
    return session.exec(query).one()


def count_snapshots(*, session: Session, key: str, phase: int) -> int:
    """How many readouts of a phase there are."""
    query = select(func.count()).where(SnapshotRow.experiment == key, SnapshotRow.phase == phase)
    return session.exec(query).one()


def told(*, session: Session, snapshot: Snapshot) -> tuple[dict[str, Any], str]:
    """The newest readout for programs, with what keeps it from being refreshed, and a tag of both."""
    found = find_interruption(session=session, key=snapshot.experiment)
    if found is None:
        return dict(snapshot.document), str(snapshot.id)
    document = {**snapshot.document, "interrupted": found.to_json()}
    return document, f"{snapshot.id}-{to_millis(found.tried_at)}"


def not_analysed(*, session: Session, key: str) -> str:
    """Why there is no readout of an experiment yet."""
    found = find_interruption(session=session, key=key)
    said = f"{key} has not been analysed yet"
    return said if found is None else f"{said}, tried since {found.since.isoformat()}: {found.reason}"


def find_snapshot(*, session: Session, key: str, id: int) -> Snapshot:  # noqa: A002 - the column's name
    """A readout of an experiment by its number.

    Raises
    ------
    NotFound
        If this experiment has none of that number.
    """
    row = session.get(SnapshotRow, id)
    if row is None or row.experiment != key:
        raise NotFound(f"{key} has no readout {id}")
    return _snapshot(row)


def list_snapshots(*, session: Session, key: str, limit: int = 60) -> list[SnapshotLine]:
    """The readouts of an experiment, the newest first; of each day the last one."""
    row = SnapshotRow
    columns = (col(row.id), col(row.as_of), col(row.phase), col(row.recommendation))
    query = select(*columns).where(row.experiment == key).order_by(col(row.id).desc()).limit(MOST_LISTED)
    of_days: dict[object, SnapshotLine] = {}
    for id_, as_of, phase, recommendation in session.exec(query):
        line = SnapshotLine(id_ or 0, as_of, phase, recommendation)
        of_days.setdefault((as_of.date(), phase), line)
        if len(of_days) == limit:
            break
    left = _left_to_people(session, [line.id for line in of_days.values()])
    return [replace(line, left_to_people=line.id in left) for line in of_days.values()]


def _left_to_people(session: Session, ids: Collection[int]) -> set[int]:
    """Look into the verdicts of those texts in which the word stands at all, also as somebody's name."""
    row = SnapshotRow
    said = col(row.readout).contains('"your_call"', autoescape=True)
    texts = session.exec(select(col(row.id), col(row.readout)).where(col(row.id).in_(ids), said))
    return {id_ or 0 for id_, text in texts if "your_call" in json.loads(text)["verdict"]["reasons"]}


def against(*, session: Session, snapshot: Snapshot, control: str) -> Readout:
    """Read a snapshot's observation with another variant as the baseline.

    The plan's own control decides about the experiment; this reading is for looking closer, and is not kept.

    Raises
    ------
    NotFound
        If the plan has no such variant.
    """
    stored = snapshot.readout
    if control not in stored.plan.weights:
        raise NotFound(f"{snapshot.experiment} has no variant {control!r}")
    plan = replace(stored.plan, control=control)
    return read(plan, observation_of(session=session, snapshot=snapshot), version=stored.version)


def observation_of(*, session: Session, snapshot: Snapshot) -> Observation:
    """What was counted for a snapshot."""
    row = session.get_one(SnapshotRow, snapshot.id)
    return Observation.from_json(json.loads(row.observation))


def stored_snapshots(
    *, session: Session, key: str, limit: int, below: int | None = None
) -> list[SnapshotLine]:
    """The readouts of an experiment, the newest first.

    Parameters
    ----------
    below
        Where to go on: only readouts with a smaller number.
    """
    query = select(SnapshotRow.id, SnapshotRow.as_of, SnapshotRow.phase, SnapshotRow.recommendation).where(
        SnapshotRow.experiment == key
    )
    if below is not None:
        query = query.where(col(SnapshotRow.id) < below)
    rows = session.exec(query.order_by(col(SnapshotRow.id).desc()).limit(limit))
    return [SnapshotLine(number or 0, at, phase, said) for number, at, phase, said in rows]


def ask(*, session: Session, key: str, now: datetime) -> Experiment:
    """Ask for a fresh readout; the worker makes it at its next look.

    Raises
    ------
    NotAllowed
        If the experiment has no data, because it has not started.
    """
    row = require_row(session=session, key=key)
    if row.started_at is None:
        raise NotAllowed(f"{key} is a {row.status}; it has no data before it starts")
    row.analysis_asked_at = now
    session.add(row)
    session.flush()
    return find_experiment(session=session, key=key)


def keep(*, session: Session, readout: Readout, observation: Observation) -> Snapshot:
    """Store a readout with the observation behind it."""
    row = SnapshotRow(
        experiment=readout.experiment,
        phase=readout.phase,
        as_of=readout.as_of,
        version=readout.version,
        recommendation=readout.verdict.recommendation,
        readout=_written(readout.to_json()),
        observation=_written(observation.to_json()),
    )
    session.add(row)
    session.flush()
    return _snapshot(row)


def kept_already(*, session: Session, key: str, observation: Observation) -> bool:
    """Whether an experiment has a readout of this very observation."""
    query = select(SnapshotRow.observation).where(
        SnapshotRow.experiment == key, SnapshotRow.as_of == observation.as_of
    )
    return _written(observation.to_json()) in set(session.exec(query))


def recompute(*, session: Session, snapshot: Snapshot) -> str:
    """Read a snapshot's observation again, under its own plan and version.

    Returns
    -------
    str
        The text of the readout; equal to the stored one, byte for byte, as long as the code reads alike.
    """
    stored = snapshot.readout
    observation = observation_of(session=session, snapshot=snapshot)
    return _written(read(stored.plan, observation, version=stored.version).to_json())


def _snapshot(row: SnapshotRow) -> Snapshot:
    return Snapshot(row.id or 0, row.experiment, row.readout)


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
