"""Seeding: putting a synthetic log into the ledger, or into files that can be imported."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments import launch
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput, Unavailable
from experiments.imports import CHUNK
from experiments.seed import Expected, Size, TrueEffect, definitions, records
from experiments.store import Store
from experiments.store.instants import from_millis
from experiments.store.ledger import Event, Exposure, Receipt, append_rows


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was written, and what a perfect analysis of it finds."""

    exposures: int
    events: int
    receipt: Receipt
    effects: list[TrueEffect]


def plant(
    *,
    store: Store,
    size: Size,
    actor: str,
    now: datetime,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Seeded:
    """Define the experiments and write the log into the ledger; the same size again adds nothing."""
    with store.write() as session:
        drafts = definitions(size, assignment="internal")
        launch.apply(session=session, definitions=drafts, actor=actor, now=now)
        salts = {key: find_experiment(session=session, key=key).salt for key in size.keys}
    expected, receipt = Expected(), Receipt()
    exposures = events = 0
    for shown, happened in records(size, salts, expected):
        for kind, rows in ((Exposure, shown), (Event, happened)):
            for start in range(0, len(rows), CHUNK):
                with store.write() as session:
                    receipt += append_rows(session=session, kind=kind, rows=rows[start : start + CHUNK])
        exposures, events = exposures + len(shown), events + len(happened)
        progress(expected.people / size.people)
    return Seeded(exposures, events, receipt, expected.effects(size))


def write_files(
    *,
    folder: Path,
    size: Size,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Seeded:
    """Write the log as ``definitions.json``, ``exposures.csv`` and ``events.csv``.

    Raises
    ------
    InvalidInput
        If one of them is there already.
    Unavailable
        If they cannot be written.
    """
    names = ("definitions.json", "exposures.csv", "events.csv")
    if there := [name for name in names if (folder / name).exists()]:
        raise InvalidInput.at(str(folder), f"holds {there[0]} already; choose another folder")
    expected = Expected()
    exposures = events = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drafts = definitions(size, assignment="external").model_dump(mode="json", exclude_unset=True)
        (folder / names[0]).write_text(json.dumps(drafts, indent=1), encoding="utf-8")
        with (
            (folder / names[1]).open("w", newline="") as first,
            (folder / names[2]).open("w", newline="") as second,
        ):
            to_exposures, to_events = csv.writer(first), csv.writer(second)
            to_exposures.writerow(
                ("experiment", "user_id", "variant", "timestamp", "attributes", "message_id")
            )
            to_events.writerow(("user_id", "event", "value", "timestamp", "message_id"))
            for shown, happened in records(size, {key: key for key in size.keys}, expected):
                to_exposures.writerows(map(_exposure, shown))
                to_events.writerows(map(_event, happened))
                exposures, events = exposures + len(shown), events + len(happened)
                progress(expected.people / size.people)
    except OSError as problem:
        raise Unavailable(f"{folder} cannot be written: {problem.strerror}") from problem
    return Seeded(exposures, events, Receipt(), expected.effects(size))


def _exposure(row: Exposure) -> tuple[Any, ...]:
    return row.experiment, row.user_id, row.variant, _time(row.occurred_at), row.attributes, row.message_id


def _event(row: Event) -> tuple[Any, ...]:
    return row.user_id, row.event, row.value, _time(row.occurred_at), row.message_id


def _time(millis: int) -> str:
    return from_millis(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")
