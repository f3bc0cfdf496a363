"""Sheets: what somebody has typed of an experiment so far, kept as it was typed.

An experiment is always right in itself; what is on a sheet may be half a sentence. So typing is kept here
from the first key on, and when the sheet says something complete, and its author means it, the draft is
written.

Two people may type at the same time. Each save says which revision of the sheet it was made on; the second
one is told, and nothing is overwritten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from experiments import launch
from experiments.catalog import Experiment, create_experiment, find_experiment
from experiments.definition import ExperimentDraft
from experiments.errors import Conflict, InvalidInput, NotAllowed, NotFound
from experiments.lifecycle import Status
from experiments.store.tables import ExperimentRow, SheetRow

LARGEST = 512 * 1024
"""Bytes of a sheet: every field may be long, and variants may carry large values."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was typed.

    Attributes
    ----------
    revision
        How often it was saved; 0 before the first time.
    stands_on
        The revision of the experiment that it was begun from or last wrote; 0 while there is none.
    """

    key: str
    typed: Mapping[str, Any]
    author: str
    revision: int
    stands_on: int
    updated_at: datetime


def find_sheet(*, session: Session, key: str) -> Sheet | None:
    """The sheet of an experiment; None where nothing is being typed."""
    row = _row(session, key)
    return None if row is None else _restored(row)


def list_sheets(*, session: Session, author: str | None = None) -> list[Sheet]:
    """Sheets of experiments that are not over, the newest first."""
    query = select(SheetRow).order_by(col(SheetRow.updated_at).desc(), col(SheetRow.id).desc())
    if author is not None:
        query = query.where(SheetRow.author == author)
    statuses = dict(session.exec(select(ExperimentRow.key, ExperimentRow.status)).all())
    over = (Status.CONCLUDED, Status.ARCHIVED)
    return [_restored(row) for row in session.exec(query) if statuses.get(row.key) not in over]


def keep_sheet(
    *, session: Session, key: str, typed: Mapping[str, Any], actor: str, now: datetime, revision: int
) -> Sheet:
    """Keep what was typed. The same save again, as a second click sends it, changes nothing.

    Parameters
    ----------
    revision
        Of the sheet that the typing began from; 0 for a new one.

    Raises
    ------
    Conflict
        If somebody else has saved this sheet since, or the key of a new one is taken.
    NotAllowed
        If the experiment is over.
    InvalidInput
        If it is too large to keep.
    """
    text = _written(typed)
    if len(text.encode(errors="replace")) > LARGEST:
        raise InvalidInput.at("form", f"longer than {LARGEST // 1024} kB; nothing of it was kept")
    row, experiment = _row(session, key), _experiment(session, key)
    if experiment is not None and experiment.status in (Status.CONCLUDED, Status.ARCHIVED):
        raise NotAllowed(f"{key} is {experiment.status}; its definition is kept as it was")
    if row is None:
        row = SheetRow(
            key=key,
            revision=0,
            stands_on=experiment.revision if experiment else 0,
            author=actor,
            updated_at=now,
        )
    if _is_same_save(row, text, actor=actor, revision=revision):
        return _restored(row)
    if row.revision != revision:
        raise Conflict(f"{row.author} has changed {key} in the meantime")
    row.typed, row.author, row.updated_at = text, actor, now
    row.revision += 1
    session.add(row)
    session.flush()
    return _restored(row)


def begin_sheet(*, session: Session, key: str, typed: Mapping[str, Any], actor: str, now: datetime) -> Sheet:
    """Keep what was typed first, under a key that nobody has. The same again changes nothing.

    Raises
    ------
    Conflict
        If the key is taken.
    InvalidInput
        If it is too large to keep.
    """
    row = _row(session, key)
    if row is None or not _is_same_save(row, _written(typed), actor=actor, revision=0):
        require_free(session=session, key=key)
    return keep_sheet(session=session, key=key, typed=typed, actor=actor, now=now, revision=0)


def write_draft(
    *, session: Session, sheet: Sheet, draft: ExperimentDraft, actor: str, now: datetime
) -> Experiment:
    """Write the experiment down as its sheet has it.

    Raises
    ------
    Conflict
        If the experiment was changed through another door since the sheet was begun.
    """
    row = _row(session, sheet.key)
    if row is None:
        raise NotFound(f"nothing is being typed about {sheet.key}")
    if sheet.stands_on:
        written = launch.edit(session=session, draft=draft, actor=actor, now=now, revision=sheet.stands_on)
    else:
        written = create_experiment(session=session, draft=draft, actor=actor, now=now)
    row.stands_on = written.revision
    session.add(row)
    session.flush()
    return written


def put_over(*, session: Session, key: str) -> None:
    """Let a sheet stand on the experiment as it is now, so that writing it replaces what others wrote since.

    Raises
    ------
    NotFound
        If nothing is being typed about it.
    """
    row, experiment = _row(session, key), _experiment(session, key)
    if row is None:
        raise NotFound(f"nothing is being typed about {key}")
    row.stands_on = experiment.revision if experiment else 0
    session.add(row)
    session.flush()


def rename_sheet(*, session: Session, key: str, wanted: str) -> None:
    """Give a sheet another key, as long as no experiment has its own.

    Raises
    ------
    Conflict
        If the wanted key is taken.
    NotAllowed
        If the experiment exists: its key is permanent.
    """
    row = _row(session, key)
    if row is None or wanted == key:
        return
    if _experiment(session, key) is not None:
        raise NotAllowed(f"{key} is written down; its key is permanent")
    require_free(session=session, key=wanted)
    row.key = wanted
    session.add(row)
    session.flush()


def require_free(*, session: Session, key: str) -> None:
    """Refuse a key that an experiment or another sheet has.

    Raises
    ------
    Conflict
        If it is taken.
    """
    if _experiment(session, key) is not None:
        raise Conflict(f"an experiment {key!r} exists already; keys are never used twice")
    if _row(session, key) is not None:
        raise Conflict(f"somebody is typing about {key!r} already; choose another key, or type there")


def drop_sheet(*, session: Session, key: str) -> None:
    """Throw a sheet away; the experiment, where there is one, stays as it is."""
    row = _row(session, key)
    if row is not None:
        session.delete(row)
        session.flush()


def _row(session: Session, key: str) -> SheetRow | None:
    return session.exec(select(SheetRow).where(SheetRow.key == key)).first()


def _experiment(session: Session, key: str) -> Experiment | None:
    try:
        return find_experiment(session=session, key=key)
    except NotFound:
        return None


def _written(typed: Mapping[str, Any]) -> str:
    return json.dumps(typed, ensure_ascii=False, separators=(",", ":"))


def _is_same_save(row: SheetRow, text: str, *, actor: str, revision: int) -> bool:
    """Whether somebody's save of a text has been kept already, as the newest one."""
    return (row.revision, row.author, row.typed) == (revision + 1, actor, text)


def _restored(row: SheetRow) -> Sheet:
    return Sheet(row.key, json.loads(row.typed), row.author, row.revision, row.stands_on, row.updated_at)
