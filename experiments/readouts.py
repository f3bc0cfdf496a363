"""Readouts: computing one, keeping it for good, and finding it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from analysis import Observation, Readout, read
from experiments.catalog import Experiment, find_experiment, require_row
from experiments.errors import NotAllowed
from experiments.store.tables import SnapshotRow


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
    """A stored readout, as a list shows it."""

    id: int
    as_of: datetime
    phase: int
    recommendation: str


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


def find_snapshot(*, session: Session, key: str, id: int) -> Snapshot | None:  # noqa: A002 - its number
    """A readout of an experiment by its number; None where the experiment has no such readout."""
    row = session.get(SnapshotRow, id)
    return None if row is None or row.experiment != key else _snapshot(row)


def list_snapshots(*, session: Session, key: str, limit: int, below: int | None = None) -> list[SnapshotLine]:
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


def recompute(*, session: Session, snapshot: Snapshot) -> str:
    """Read a snapshot's observation again, under its own plan and version.

    Returns
    -------
    str
        The text of the readout; equal to the stored one, byte for byte, as long as the code reads alike.
    """
    row = session.get_one(SnapshotRow, snapshot.id)
    stored = snapshot.readout
    observation = Observation.from_json(json.loads(row.observation))
    return _written(read(stored.plan, observation, version=stored.version).to_json())


def _snapshot(row: SnapshotRow) -> Snapshot:
    return Snapshot(row.id or 0, row.experiment, row.readout)


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
