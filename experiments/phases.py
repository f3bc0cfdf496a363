"""Phases: the randomisations of an experiment, each with what was fixed when it began."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments import audit, eligibility
from experiments.catalog import Experiment, require_row
from experiments.definition import ExperimentDraft, restore_experiment
from experiments.lifecycle import Status
from experiments.store.tables import ExperimentRow, PhaseRow


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


def begin_phase(session: Session, experiment: Experiment, actor: str, now: datetime) -> None:
    """Draw lots again: a new salt, so that no unit's place depends on the phase before."""
    row = require_row(session=session, key=experiment.key)
    running = experiment.status is Status.RUNNING
    if running:
        close_phase(session, row, now)
    row.phase += 1
    row.salt = secrets.token_hex(8)
    session.add(row)
    if running:  # a stopped experiment opens it when it goes on
        open_phase(session, row, experiment.definition, now)
    audit.record(
        session=session, actor=actor, action="new_phase", object=row.key, after=str(row.phase), now=now
    )
    session.flush()


def open_phase(session: Session, row: ExperimentRow, draft: ExperimentDraft, now: datetime) -> None:
    """Write down what is fixed from now on: the salt, the definition, and the holdouts it honours."""
    holdouts = draft.holdouts
    if holdouts is None:
        holdouts = tuple(each.definition.key for each in eligibility.list_holdouts(session=session))
    session.add(
        PhaseRow(
            experiment=row.key,
            number=row.phase,
            salt=row.salt,
            holdouts=json.dumps(holdouts),
            definition=row.definition,
            started_at=now,
        )
    )


def reopen_phase(session: Session, row: ExperimentRow) -> bool:
    """Go on with the phase, if it was ever opened."""
    phase = _phase(session, row)
    if phase is not None:
        phase.stopped_at = None
        session.add(phase)
    return phase is not None


def close_phase(session: Session, row: ExperimentRow, now: datetime) -> None:
    """Write down when the phase ended."""
    phase = _phase(session, row)
    if phase is not None:
        phase.stopped_at = now
        session.add(phase)


def _phase(session: Session, row: ExperimentRow) -> PhaseRow | None:
    return session.exec(
        select(PhaseRow).where(PhaseRow.experiment == row.key, PhaseRow.number == row.phase)
    ).first()
