"""Readouts: computing one, keeping it for good, and finding it again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from analysis import Observation, Readout, read
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


def find_snapshot(*, session: Session, key: str, id: int) -> Snapshot | None:  # noqa: A002 - its number
    """A readout of an experiment by its number; None where the experiment has no such readout."""
    row = session.get(SnapshotRow, id)
    return None if row is None or row.experiment != key else _snapshot(row)


def find_snapshots(*, session: Session, ids: Collection[int]) -> dict[int, Snapshot]:
    """Readouts by their numbers."""
    rows = session.exec(select(SnapshotRow).where(col(SnapshotRow.id).in_(ids)))
    return {row.id or 0: _snapshot(row) for row in rows}


def recommendations(*, session: Session) -> dict[str, str]:
    """What the newest readout of every experiment recommends, by key, without reading the readouts."""
    newest = select(func.max(SnapshotRow.id)).group_by(SnapshotRow.experiment)
    query = select(SnapshotRow.experiment, SnapshotRow.recommendation).where(col(SnapshotRow.id).in_(newest))
    return dict(session.exec(query).all())


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
