"""Phases: the randomisations of an experiment, each with what was fixed when it began."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.definition import ExperimentDraft, restore_experiment
from experiments.store.tables import PhaseRow


@dataclass(frozen=True, slots=True)
class Phase:
    """One randomisation, from its start to its end."""

    number: int
    started_at: datetime | None
    stopped_at: datetime | None
    holdouts: Sequence[str]
    definition: ExperimentDraft


def list_phases(*, session: Session, key: str) -> list[Phase]:
    """All phases of an experiment that have begun, the newest first."""
    rows = session.exec(
        select(PhaseRow).where(PhaseRow.experiment == key).order_by(col(PhaseRow.number).desc())
    )
    return [
        Phase(
            row.number,
            row.started_at,
            row.stopped_at,
            tuple(json.loads(row.holdouts)),
            restore_experiment(row.definition),
        )
        for row in rows
    ]
