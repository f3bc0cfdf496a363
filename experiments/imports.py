"""Imports: files of exposures and events from other systems, into the ledger.

A row without a message id gets one from its content and its ordinal among identical rows of its file. So the
same file twice adds nothing, and equal rows within one file all count. The id begins with the row's time,
which keeps the unique index quick.
"""

import csv
import gzip
import hashlib
import io
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from experiments.catalog import list_experiments
from experiments.errors import InvalidInput, Problem
from experiments.intake import ANYTHING, Intake
from experiments.message_times import parse_time
from experiments.messages import MAX_EVENT_NAME, MAX_ID, MAX_MESSAGE_ID
from experiments.storable import LARGEST_NUMBER, unstorable
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Receipt, Record, append
from experiments.tracking import Unplanned

CHUNK = 20_000
"""Rows of one transaction: large enough to be quick, small enough to let other writers in between."""

MOST_NAMED = 20
"""Bad rows that a refusal names; somebody who mistook a column needs no million of them."""

Row = Mapping[str, Any]


class FileKind(StrEnum):
    """What a file holds."""

    EXPOSURES = "exposures"
    EVENTS = "events"


_COLUMNS = {
    FileKind.EXPOSURES: (
        {"experiment", "variant", "timestamp"},
        {"user_id", "anonymous_id", "attributes", "message_id"},
    ),
    FileKind.EVENTS: (
        {"event", "timestamp"},
        {"user_id", "anonymous_id", "value", "properties", "message_id"},
    ),
}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not imported, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    receipt: Receipt
    rejected: tuple[BadRow, ...]


@dataclass
class _Reader:
    """Turns the rows of one file into records."""

    kind: FileKind
    received_at: int
    variants: Mapping[str, frozenset[str]]
    secret: bytes = b""
    seen: Counter[bytes] = field(default_factory=Counter)

    def record(self, row: Row) -> Record:
        """Read one row.

        Raises
        ------
        ValueError
            Saying what is wrong with it.
        """
        user, anonymous = _identity(row, "user_id"), _identity(row, "anonymous_id")
        if user is None and anonymous is None:
            raise ValueError("expected user_id or anonymous_id")
        moment = parse_time(row.get("timestamp"))
        if moment is None:
            raise ValueError(
                f"timestamp: {_shown(row.get('timestamp'))} is not ISO 8601, such as 2026-03-15T09:30:00Z"
            )
        occurred_at = to_millis(moment)
        message_id = _text(row, "message_id", MAX_MESSAGE_ID) or self._derived_id(row, occurred_at)
        if self.kind is FileKind.EXPOSURES:
            experiment, variant = self._assignment(row)
            attributes = _object(row, "attributes")
            return Exposure(
                message_id, experiment, user, anonymous, variant, occurred_at, self.received_at, attributes
            )
        name = _text(row, "event", MAX_EVENT_NAME)
        if name is None:
            raise ValueError("event: expected the name of what happened")
        properties = _object(row, "properties")
        value = _number(row)
        return Event(message_id, user, anonymous, name, value, occurred_at, self.received_at, properties)

    def _assignment(self, row: Row) -> tuple[str, str]:
        experiment, variant = _text(row, "experiment", 128), _text(row, "variant", 128)
        if experiment is None or experiment not in self.variants:
            raise ValueError(f"experiment: there is no experiment {_shown(experiment)}")
        if variant is None or variant not in self.variants[experiment]:
            raise ValueError(f"variant: {experiment} has no variant {_shown(variant)}")
        return experiment, variant

    def _derived_id(self, row: Row, occurred_at: int) -> str:
        content = json.dumps([self.kind, sorted(row.items())], ensure_ascii=False, default=str)
        spoken = content.encode("utf-8", "surrogatepass")
        # Under a key, nobody can try out whose row an id was made of.
        digest = hashlib.blake2b(spoken, digest_size=12, key=self.secret).digest()
        ordinal = self.seen[digest]
        self.seen[digest] += 1
        return f"{max(occurred_at, 0):012x}-{digest.hex()}-{ordinal}"


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
    with store.read() as session:
        variants = {
            each.key: frozenset(variant.key for variant in each.definition.variants)
            for each in list_experiments(session=session)
        }

    def records(bad: list[BadRow]) -> Iterator[Record]:
        reader = _Reader(kind, to_millis(now), variants, intake.secret)
        for line, row in _rows(path, kind, progress):
            try:
                yield intake.take(reader.record(row if isinstance(row, Mapping) else _raise(str(row))))[0]
            except (ValueError, Unplanned) as problem:
                bad.append(BadRow(line, str(problem)))

    if strict:
        bad: list[BadRow] = []
        for _ in records(bad):
            pass
        if bad:
            raise InvalidInput(_problems(path, bad))
    _require_whole(path)
    rejected: list[BadRow] = []
    receipt = Receipt()
    for chunk in _chunks(records(rejected)):
        with store.write() as session:
            receipt += append(session=session, records=chunk)
    return ImportReport(receipt, tuple(rejected))


def _problems(path: Path, bad: list[BadRow]) -> list[Problem]:
    named = [Problem(f"{path.name} line {each.line}", each.reason) for each in bad[:MOST_NAMED]]
    more = len(bad) - len(named)
    return [*named, Problem("", f"and {more} more")] if more else named


def _require_whole(path: Path) -> None:
    """Read a file to its end before anything of it is stored: damage may sit anywhere."""
    if path.is_file():
        with _opened(path) as (text, _):
            while text.read(1 << 20):
                pass


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    source = iter(records)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def _raise(reason: str) -> Row:
    raise ValueError(reason)


def _rows(path: Path, kind: FileKind, progress: Callable[[float], None]) -> Iterator[tuple[int, Row | str]]:
    """Walk through the rows; one that cannot even be taken apart comes as the reason why."""
    with _opened(path) as (text, share_read):
        number, first = next(((n, line) for n, line in enumerate(text, start=1) if line.strip()), (0, ""))
        if not first:
            raise InvalidInput.at(path.name, "the file is empty")
        if first.lstrip().startswith("{"):
            rows = _json_lines(number, first, text)
        else:
            rows = _csv_rows(number, _header(f"{path.name} line {number}", kind, first), text)
        yield from _reported(rows, share_read, progress)


def _header(place: str, kind: FileKind, line: str) -> list[str]:
    required, optional = _COLUMNS[kind]
    try:
        columns = next(csv.reader([line]))
    except csv.Error as problem:
        raise InvalidInput.at(place, f"not a header: {problem}") from problem
    missing = sorted(required - set(columns))
    unknown = sorted(set(columns) - required - optional)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    for wrong, names in (("missing", missing), ("unknown", unknown)):
        if names:
            known = ", ".join(sorted(required | optional))
            said = ", ".join(names) if len(names) < 20 else "columns"
            raise InvalidInput.at(place, f"{wrong} {said[:200]}; the columns are {known}")
    if twice:
        raise InvalidInput.at(place, f"{twice[0]} twice")
    return columns


def _reported(
    rows: Iterable[tuple[int, Row | str]], share_read: Callable[[], float], progress: Callable[[float], None]
) -> Iterator[tuple[int, Row | str]]:
    for count, row in enumerate(rows):
        if count % 1_000 == 0:
            progress(share_read())
        yield row
    progress(1.0)


def _csv_rows(above: int, columns: list[str], text: io.TextIOWrapper) -> Iterator[tuple[int, Row | str]]:
    reader = csv.reader(text)
    while True:
        line = above + reader.line_num + 1  # where the row begins: a quoted cell may hold line breaks
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield line, f"{problem}; a quote may be open"
            continue
        if len(cells) == len(columns):
            yield line, dict(zip(columns, cells, strict=True))
        elif cells:
            yield line, f"{len(cells)} cells where the header has {len(columns)}"


def _json_lines(above: int, first: str, text: io.TextIOWrapper) -> Iterator[tuple[int, Row | str]]:
    yield above, _json_row(first)
    for number, line in enumerate(text, start=above + 1):
        if line.strip():
            yield number, _json_row(line)


def _json_row(line: str) -> Row | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as problem:
        return f"not JSON: {problem}"
    return row if isinstance(row, dict) else "expected a JSON object"


@contextmanager
def _opened(path: Path) -> Iterator[tuple[io.TextIOWrapper, Callable[[], float]]]:
    """Open a file for reading as text, with a way to ask which share of it has been read."""
    try:
        raw = path.open("rb")
    except OSError as problem:
        raise InvalidInput.at(str(path), f"cannot be read: {problem.strerror}") from problem
    with raw:
        size = path.stat().st_size or 1
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        text = io.TextIOWrapper(
            gzip.GzipFile(fileobj=raw) if packed else raw, encoding="utf-8-sig", newline=""
        )
        try:
            yield text, lambda: raw.tell() / size
        except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
            raise InvalidInput.at(path.name, f"the compressed file is damaged: {problem}") from problem
        except UnicodeDecodeError as problem:
            raise InvalidInput.at(path.name, f"not UTF-8 text: {problem}") from problem


def _identity(row: Row, column: str) -> str | None:
    value = row.get(column)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(row, column, MAX_ID)


def _text(row: Row, column: str, longest: int) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{column}: expected a text of at most {longest} characters")
    if problem := unstorable(value):
        raise ValueError(f"{column}: {problem}")
    return value


def _number(row: Row) -> float | None:
    value = row.get("value")
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise ValueError(f"value: {value} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise ValueError(f"value: {_shown(value)} is not a number") from None
    if not abs(number) <= LARGEST_NUMBER:
        raise ValueError(f"value: {_shown(value)} is beyond the range of numbers")
    return number


def _shown(value: Any) -> str:
    """A wrong value as a message shows it: quoted, and no longer than a line."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number of very many digits"
    return text if len(text) <= 80 else f"{text[:80]}…"


def _object(row: Row, column: str) -> str | None:
    value = row.get(column)
    if value is None or value in ("", "{}"):
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as unreadable:
            raise ValueError(f"{column}: not JSON: {unreadable}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{column}: expected a JSON object")
    if problem := unstorable(value):
        raise ValueError(f"{column}: {problem}")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
