"""Row columns: the rows of a file, read into the columns of the ledger.

There are two readers with one meaning. The quick one looks at whole columns and only ever says "all of this
is good"; where it cannot, the rows are halved until the few that are left go to the careful one, which looks
at each and says what is wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np

from experiments.messages import MAX_EVENT_NAME, MAX_ID, MAX_MESSAGE_ID
from experiments.rowcells import Row, document_in, identity_in, moment_in, number_in, shown, text_in, written
from experiments.rowfiles import BadRow, Block
from experiments.storable import LARGEST_NUMBER
from experiments.store.floors import EXPOSURES, Floors
from experiments.store.instants import to_millis

FEW = 16
"""Rows that are looked at one by one rather than halved again."""

_MAX_KEY = 128
_PLAIN_LENGTHS = {20, 24, 27}
_MAX_TIME = 40
_LAST_MILLIS = to_millis(datetime(9000, 1, 1, tzinfo=UTC))


class FileKind(StrEnum):
    """What a file holds."""

    EXPOSURES = "exposures"
    EVENTS = "events"


REQUIRED = {
    FileKind.EXPOSURES: frozenset({"experiment", "variant", "timestamp"}),
    FileKind.EVENTS: frozenset({"event", "timestamp"}),
}
OPTIONAL = {
    FileKind.EXPOSURES: frozenset({"user_id", "anonymous_id", "attributes", "message_id"}),
    FileKind.EVENTS: frozenset({"user_id", "anonymous_id", "value", "properties", "message_id"}),
}


@dataclass(slots=True)
class Columns:
    """Good rows, as columns of equal length.

    Attributes
    ----------
    subject, detail
        Event and value of an event; experiment and variant of an exposure.
    document
        Properties or attributes, as JSON.
    line
        Where each stands in the file.
    """

    message_id: list[str | None] = field(default_factory=list)
    user_id: list[str | None] = field(default_factory=list)
    anonymous_id: list[str | None] = field(default_factory=list)
    subject: list[str] = field(default_factory=list)
    detail: list[Any] = field(default_factory=list)
    occurred_at: list[int] = field(default_factory=list)
    document: list[str | None] = field(default_factory=list)
    line: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.occurred_at)

    def extend(self, *columns: Sequence[Any]) -> None:
        """Add rows, given as columns in the order of the fields."""
        for mine, more in zip(self._all(), columns, strict=True):
            mine.extend(more)

    def said(self) -> Iterator[tuple[Any, ...]]:
        """The rows without their ids: what each says."""
        return zip(*self._all()[1:-1], strict=True)

    def at(self, places: Sequence[int]) -> "Columns":
        """The rows at some places."""
        return Columns(*([each[place] for place in places] for each in self._all()))

    def _all(self) -> tuple[list[Any], ...]:
        ids = (self.message_id, self.user_id, self.anonymous_id)
        return (*ids, self.subject, self.detail, self.occurred_at, self.document, self.line)


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """Reads the blocks of one file.

    Attributes
    ----------
    variants
        The variants of every known experiment.
    floors
        What is older than these has been forgotten, and is not taken in again.
    """

    kind: FileKind
    variants: Mapping[str, frozenset[str]]
    floors: Floors

    def read(self, block: Block, reject: Callable[[BadRow], None]) -> Columns:
        """Read a block; rows that are wrong are rejected."""
        columns = Columns()
        for each in block.bad:
            reject(each)
        self._read(block, columns, reject)
        return columns

    def _read(self, block: Block, into: Columns, reject: Callable[[BadRow], None]) -> None:
        size = len(block.lines)
        if size <= FEW:
            for place, line in enumerate(block.lines):
                try:
                    cells = self._careful({name: each[place] for name, each in block.columns.items()})
                except ValueError as problem:
                    reject(BadRow(line, str(problem)))
                else:
                    into.extend(*((cell,) for cell in (*cells, line)))
            return
        try:
            columns = self._quick(block.columns, size)
        except (ValueError, TypeError, OverflowError, RecursionError):
            self._read(block.part(0, size // 2), into, reject)
            self._read(block.part(size // 2, size), into, reject)
        else:
            into.extend(*columns, block.lines)

    def _quick(self, columns: Mapping[str, Sequence[Any]], size: int) -> tuple[Sequence[Any], ...]:
        """Read whole columns.

        Raises
        ------
        ValueError, TypeError, OverflowError, RecursionError
            If any row might be wrong.
        """
        nothing = [None] * size
        users = _ids(columns.get("user_id", nothing))
        anonymous = _ids(columns.get("anonymous_id", nothing))
        if None in users and not all(map(_either, users, anonymous)):
            raise ValueError("nobody")
        given = _texts(columns.get("message_id", nothing), MAX_MESSAGE_ID)
        moments = _moments(columns["timestamp"])
        subject: Sequence[Any]
        detail: Sequence[Any]
        if self.kind is FileKind.EXPOSURES:
            subject, detail = columns["experiment"], columns["variant"]
            pairs = set(zip(subject, detail, strict=True))
            if not all(variant in self.variants.get(key, ()) for key, variant in pairs):
                raise ValueError("unknown")
            documents = _documents(columns.get("attributes", nothing))
        else:
            subject = _texts(columns["event"], MAX_EVENT_NAME)
            if None in subject:
                raise ValueError("no event")
            detail = _numbers(columns.get("value", nothing))
            documents = _documents(columns.get("properties", nothing))
        names = {EXPOSURES} if self.kind is FileKind.EXPOSURES else set(subject)
        if min(moments) < self.floors.highest(names):
            raise ValueError("forgotten")
        return given, users, anonymous, subject, detail, moments, documents

    def _careful(self, row: Row) -> tuple[Any, ...]:
        """Read one row.

        Raises
        ------
        ValueError
            Saying what is wrong with it.
        """
        user, anonymous = identity_in(row, "user_id"), identity_in(row, "anonymous_id")
        if user is None and anonymous is None:
            raise ValueError("expected user_id or anonymous_id")
        occurred_at = to_millis(moment_in(row))
        given = text_in(row, "message_id", MAX_MESSAGE_ID)
        if self.kind is FileKind.EXPOSURES:
            subject, detail = self._assignment(row)
            document = document_in(row, "attributes")
            floor = self.floors.of_exposures
        else:
            subject, detail = _event(row), number_in(row)
            document = document_in(row, "properties")
            floor = self.floors.of_event(subject)
        if occurred_at < floor:
            raise ValueError("timestamp: older than what is kept; what was forgotten must not come back")
        return given, user, anonymous, subject, detail, occurred_at, document

    def _assignment(self, row: Row) -> tuple[str, Any]:
        experiment, variant = text_in(row, "experiment", _MAX_KEY), text_in(row, "variant", _MAX_KEY)
        if experiment is None or experiment not in self.variants:
            raise ValueError(f"experiment: there is no experiment {shown(experiment)}")
        if variant is None or variant not in self.variants[experiment]:
            raise ValueError(f"variant: {experiment} has no variant {shown(variant)}")
        return experiment, variant


def _event(row: Row) -> str:
    name = text_in(row, "event", MAX_EVENT_NAME)
    if name is None:
        raise ValueError("event: expected the name of what happened")
    return name


# Whole columns


def _either(one: str | None, other: str | None) -> bool:
    return (one or other) is not None


def _texts(column: Sequence[Any], longest: int) -> Sequence[str | None]:
    kinds = set(map(type, column))
    if kinds == {type(None)}:
        return column
    if kinds != {str}:
        if kinds != {str, type(None)}:
            raise ValueError("not texts")
        column = [text or None for text in column]
    elif "" in column:
        column = [text or None for text in column]
    present = [text for text in column if text is not None] if None in column else column
    whole = "".join(present)
    if "\0" in whole or max(map(len, present), default=0) > longest:
        raise ValueError("too long, or a NUL")
    if not whole.isascii():
        whole.encode()  # refuses lone surrogates; UnicodeEncodeError is a ValueError
    return column


def _ids(column: Sequence[Any]) -> Sequence[str | None]:
    if int in set(map(type, column)):
        column = [str(each) if type(each) is int else each for each in column]
    return _texts(column, MAX_ID)


def _moments(column: Sequence[Any]) -> list[int]:
    """Milliseconds; Python judges what is a time, numpy reads those in UTC without making objects."""
    moments = list(map(datetime.fromisoformat, column))
    if max(map(len, column)) > _MAX_TIME:
        raise ValueError("too long")
    if _all_plain(column):
        read = np.array([text[:-1] for text in column], dtype="datetime64[ms]").astype(np.int64)
        if read.min() < 0 or read.max() >= _LAST_MILLIS:
            raise ValueError("out of range")
        millis: list[int] = read.tolist()
        return millis
    if not all(1970 <= moment.year < 9000 for moment in moments):
        raise ValueError("out of range")
    return [to_millis(each if each.tzinfo else each.replace(tzinfo=UTC)) for each in moments]


def _all_plain(times: Sequence[str]) -> bool:
    """Whether valid ISO times all look like ``2026-03-15T09:30:00Z``, with three or six decimals or none."""
    whole, twice = "".join(times), 2 * len(times)
    dashes, colons = whole.count("-"), whole.count(":")
    return (
        set(map(len, times)) <= _PLAIN_LENGTHS
        and (dashes, colons, whole.count("Z")) == (twice, twice, len(times))
        and "," not in whole
    )


def _numbers(column: Sequence[Any]) -> Sequence[float | None]:
    kinds = set(map(type, column))
    if kinds == {type(None)}:
        return column
    if not kinds <= {str, int, float, type(None)}:
        raise ValueError("not numbers")
    numbers = [None if cell is None or cell == "" else float(cell) for cell in column]
    present = np.array([number for number in numbers if number is not None], dtype=np.float64)
    if not (np.abs(present) <= LARGEST_NUMBER).all():
        raise ValueError("beyond the range")
    return numbers


def _documents(column: Sequence[Any]) -> Sequence[str | None]:
    return column if set(map(type, column)) == {type(None)} else [written(each) for each in column]
