"""Imports: files of exposures and events from other systems, into the ledger.

A row without a message id gets one from what it says and from its ordinal among the rows of its file that say
the same. So the same file twice adds nothing, nor does it in another order, packed, or after an import that
was killed half-way; and equal rows within one file all count. The id begins with the row's time, which keeps
the unique index quick.

A block of a megabyte is read, then stored in a transaction of its own: other writers come in between, and
memory does not grow with the file but for eight bytes a row (see `experiments.ordinals`).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from experiments.catalog import list_experiments
from experiments.errors import InvalidInput, Problem
from experiments.intake import ANYTHING, Intake
from experiments.ordinals import Ordinals
from experiments.rowcolumns import OPTIONAL, REQUIRED, ColumnReader, Columns, FileKind
from experiments.rowfiles import BadRow, blocks, require_whole
from experiments.store import Store
from experiments.store.floors import known_floors
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Receipt, append_rows
from experiments.store.tallies import EXPOSURE
from experiments.tracking import Unplanned

CHUNK = 20_000
"""Rows of one transaction: large enough to be quick, small enough to let other writers in between."""

MOST_NAMED = 20
"""Bad rows that a refusal names; somebody who mistook a column needs no million of them."""

MOST_KEPT = 1_000
"""Bad rows that a report keeps with their lines; the others are counted."""

_DIGEST = np.dtype([("head", np.uint64), ("tail", np.uint32)])

__all__ = ["BadRow", "FileKind", "ImportReport", "import_file"]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    rejected
        The first thousand rows that were not imported.
    rejected_total
        How many there were.
    """

    receipt: Receipt
    rejected: tuple[BadRow, ...]
    rejected_total: int = 0


@dataclass(slots=True)
class _Rejected:
    """Bad rows: the first ones, and how many there are."""

    most: int
    rows: list[BadRow] = field(default_factory=list)
    total: int = 0

    def add(self, bad: list[BadRow]) -> None:
        """Add those of a block, in the order of the file."""
        self.total += len(bad)
        self.rows += sorted(bad, key=lambda row: row.line)[: self.most - len(self.rows)]


def import_file(
    *,
    store: Store,
    kind: FileKind,
    path: Path,
    now: datetime,
    strict: bool = False,
    intake: Intake = ANYTHING,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> ImportReport:
    """Import a CSV or JSON Lines file, plain or compressed with gzip.

    Parameters
    ----------
    strict
        Import nothing if any row is bad.
    intake
        What is in force for records that come in.
    progress
        Is told the share of the file that has been read, from 0 to 1.

    Raises
    ------
    InvalidInput
        If the file as a whole cannot be read, or, when strict, naming the bad rows.
    """
    require_whole(path)
    reader = _reader(store, kind)

    def read(rejected: _Rejected, seen: Ordinals | None) -> Iterator[_Rows]:
        for block in blocks(path, required=REQUIRED[kind], optional=OPTIONAL[kind], progress=progress):
            bad: list[BadRow] = []
            columns = reader.read(block, bad.append)
            ids = _message_ids(kind, columns, seen, intake.secret) if seen is not None else columns.message_id
            rows = _taken(intake, kind, columns, _rows(kind, columns, ids, to_millis(now)), bad.append)
            rejected.add(bad)
            yield rows

    if strict:
        wrong = _Rejected(MOST_NAMED)
        for _ in read(wrong, None):
            pass
        if wrong.total:
            raise InvalidInput(_problems(path, wrong))
    rejected = _Rejected(MOST_KEPT)
    receipt = Receipt()
    for rows in read(rejected, Ordinals()):
        for start in range(0, len(rows), CHUNK):
            with store.write() as session:
                receipt += append_rows(session=session, kind=_RECORDS[kind], rows=rows[start : start + CHUNK])
    return ImportReport(receipt, tuple(rejected.rows), rejected.total)


_RECORDS: Mapping[FileKind, type[Exposure | Event]] = {FileKind.EXPOSURES: Exposure, FileKind.EVENTS: Event}
_Rows = list[tuple[Any, ...]]


def _reader(store: Store, kind: FileKind) -> ColumnReader:
    with store.read() as session:
        variants = {
            each.key: frozenset(variant.key for variant in each.definition.variants)
            for each in list_experiments(session=session)
        }
        return ColumnReader(kind, variants, known_floors(session=session))


def _taken(
    intake: Intake, kind: FileKind, columns: Columns, rows: _Rows, reject: Callable[[BadRow], None]
) -> _Rows:
    """What is stored of the rows. Most say the same beside who and when, and are judged together."""
    names = repeat(EXPOSURE) if kind is FileKind.EXPOSURES else columns.subject
    said = list(zip(names, columns.document, strict=False))
    touched = {each for each in set(said) if not intake.leaves(*each)}
    if not touched:
        return rows
    taken: _Rows = []
    for row, line, what in zip(rows, columns.line, said, strict=True):
        try:
            taken.append(intake.take(_RECORDS[kind](*row))[0] if what in touched else row)
        except Unplanned as problem:
            reject(BadRow(line, str(problem)))
    return taken


def _problems(path: Path, wrong: _Rejected) -> list[Problem]:
    named = [Problem(f"{path.name} line {each.line}", each.reason) for each in wrong.rows]
    more = wrong.total - len(named)
    return [*named, Problem("", f"and {more} more")] if more else named


def _message_ids(kind: FileKind, columns: Columns, seen: Ordinals, secret: bytes) -> Sequence[str | None]:
    """The ids that the file gives; where it gives none, derived ones."""
    given = columns.message_id
    if None not in given:
        return given
    if any(given):
        lacking = [place for place, each in enumerate(given) if each is None]
        derived = iter(_derived(kind, columns.at(lacking), seen, secret))
        return [next(derived) if each is None else each for each in given]
    return _derived(kind, columns, seen, secret)


def _derived(kind: FileKind, columns: Columns, seen: Ordinals, secret: bytes) -> list[str]:
    # No part can hold a NUL, so two rows have the same content only if they say the same.
    contents = (
        f"{kind}\0{user or ''}\0{anonymous or ''}\0{subject}\0{detail}\0{occurred_at}\0{document or ''}"
        for user, anonymous, subject, detail, occurred_at, document in columns.said()
    )
    # Under a key, nobody can try out whose row an id was made of.
    blake = partial(hashlib.blake2b, digest_size=_DIGEST.itemsize, key=secret)
    digests = b"".join([blake(each.encode()).digest() for each in contents])
    heads = np.frombuffer(digests, dtype=_DIGEST)["head"]
    moments = np.array(columns.occurred_at, dtype=">i8").clip(min=0).view(np.uint8).reshape(-1, 8)[:, 2:]
    ids = np.hstack([moments, np.frombuffer(digests, dtype=np.uint8).reshape(-1, _DIGEST.itemsize)])
    texts = ids.tobytes().hex(" ", ids.shape[1]).split()
    ordinals = seen.of(heads)
    for place in np.flatnonzero(ordinals).tolist():
        texts[place] += f"-{ordinals[place]}"
    return texts


def _rows(kind: FileKind, columns: Columns, message_ids: Sequence[str | None], received_at: int) -> _Rows:
    who = (columns.user_id, columns.anonymous_id)
    when = (columns.occurred_at, repeat(received_at), columns.document, repeat(None))
    if kind is FileKind.EXPOSURES:
        return list(zip(message_ids, columns.subject, *who, columns.detail, *when, strict=False))
    return list(zip(message_ids, *who, columns.subject, columns.detail, *when, strict=False))
