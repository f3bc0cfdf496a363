"""Row files: CSV and JSON Lines, plain or compressed, taken apart into blocks of columns.

A block holds about a megabyte of text, so memory stays the same however long the file is. It knows on which
line each of its rows begins; a quoted cell may hold line breaks of its own.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from typing import Any

from experiments.errors import InvalidInput

BLOCK_CHARACTERS = 1 << 20
"""Text that is read at once; its rows fit one transaction."""

_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not imported, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file, as columns of equal length, and the rows that could not even be taken apart."""

    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    bad: list[BadRow] = field(default_factory=list)

    def part(self, start: int, stop: int) -> "Block":
        """Some of its rows."""
        return Block(self.lines[start:stop], {name: each[start:stop] for name, each in self.columns.items()})


def blocks(
    path: Path, *, required: frozenset[str], optional: frozenset[str], progress: Callable[[float], None]
) -> Iterator[Block]:
    """Walk through a file.

    Parameters
    ----------
    required, optional
        Names of columns. Those that a file does not have are left out of its blocks.
    progress
        Is told the share of the file that has been read, from 0 to 1.

    Raises
    ------
    InvalidInput
        If the file as a whole cannot be read.
    """
    with _opened(path) as (text, share_read):
        number, first = next(((n, line) for n, line in enumerate(text, start=1) if line.strip()), (0, ""))
        if not first:
            raise InvalidInput.at(path.name, "the file is empty")
        if first.lstrip().startswith("{"):
            found = _json_blocks(number, first, text, sorted(required | optional))
        else:
            place = f"{path.name} line {number}"
            found = _csv_blocks(number, _header(place, first, required, optional), text)
        for block in found:
            progress(share_read())
            yield block
        progress(1.0)


def require_whole(path: Path) -> None:
    """Read a file to its end: damage may sit anywhere, and should be found before anything is stored.

    Raises
    ------
    InvalidInput
        If it is damaged or not text.
    """
    with _opened_bytes(path) as (raw, _):
        decoder = codecs.getincrementaldecoder("utf-8")()
        while piece := raw.read(BLOCK_CHARACTERS):
            decoder.decode(piece)
        decoder.decode(b"", final=True)


def _header(place: str, line: str, required: frozenset[str], optional: frozenset[str]) -> list[str]:
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


def _csv_blocks(above: int, columns: list[str], text: io.TextIOWrapper) -> Iterator[Block]:
    while lines := text.readlines(BLOCK_CHARACTERS):
        if (plain := _plain(columns, lines)) is not None:
            yield Block(range(above + 1, above + 1 + len(lines)), plain)
            above += len(lines)
            continue
        # A row that is still open at the last of the lines goes on in those that follow.
        reader = csv.reader(chain(lines, text))
        rows: list[list[str]] = []
        starts: list[int] = []
        bad: list[BadRow] = []
        while (before := reader.line_num) < len(lines):
            found: list[list[str]] = []
            try:
                # What was read before an error stays in the list.
                found.extend(islice(reader, len(lines) - before))
            except csv.Error as problem:
                starts += _starts(above + before + 1, found, reader.line_num - before - 1)
                bad.append(BadRow(_after(above + before + 1, found), f"{problem}; a quote may be open"))
            else:
                starts += _starts(above + before + 1, found, reader.line_num - before)
            rows += found
        above += reader.line_num
        yield _table(columns, rows, starts, bad)


def _plain(columns: list[str], lines: list[str]) -> dict[str, Sequence[str]] | None:
    """Split lines that hold nothing but cells, commas and line breaks; None when there is more to them."""
    width = len(columns)
    if (
        set(map(str.count, lines, repeat(","))) != {width - 1}
        or max(map(len, lines)) > csv.field_size_limit()
    ):
        return None
    text = "".join(lines).removesuffix("\n")
    if '"' in text or "\r" in text:
        return None
    cells = text.replace("\n", ",").split(",")
    return {name: cells[place::width] for place, name in enumerate(columns)}


def _starts(first: int, rows: Sequence[Sequence[str]], consumed: int) -> Iterable[int]:
    """On which line each row begins."""
    if consumed == len(rows):
        return range(first, first + consumed)
    return islice(accumulate((1 + _breaks(row) for row in rows), initial=first), len(rows))


def _after(first: int, rows: Sequence[Sequence[str]]) -> int:
    return first + sum(1 + _breaks(row) for row in rows)


def _breaks(row: Sequence[str]) -> int:
    return sum(len(_BREAK.findall(cell)) for cell in row)


def _table(columns: list[str], rows: list[list[str]], lines: list[int], bad: list[BadRow]) -> Block:
    width = len(columns)
    if set(map(len, rows)) - {width}:
        bad += [
            BadRow(line, f"{len(row)} cells where the header has {width}")
            for line, row in zip(lines, rows, strict=True)
            if len(row) not in (0, width)
        ]
        bad.sort(key=lambda each: each.line)
        fitting = [len(row) == width for row in rows]
        lines = [line for line, fits in zip(lines, fitting, strict=True) if fits]
        rows = [row for row, fits in zip(rows, fitting, strict=True) if fits]
    cells = list(zip(*rows, strict=True)) if rows else [()] * width
    return Block(lines, dict(zip(columns, cells, strict=True)), bad)


def _json_blocks(above: int, first: str, text: io.TextIOWrapper, columns: Sequence[str]) -> Iterator[Block]:
    # The decoder itself: json.loads looks at its own arguments again for every line.
    decode = json.JSONDecoder().decode
    texts = [first]
    while texts:
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        bad: list[BadRow] = []
        for line, each in enumerate(texts, start=above):
            try:
                row = decode(each)
            except (ValueError, RecursionError) as problem:
                if each.strip():
                    bad.append(BadRow(line, f"not JSON: {problem}"))
                continue
            if isinstance(row, dict):
                rows.append(row)
                lines.append(line)
            else:
                bad.append(BadRow(line, "expected a JSON object"))
        yield Block(lines, {name: [row.get(name) for row in rows] for name in columns}, bad)
        above += len(texts)
        texts = text.readlines(BLOCK_CHARACTERS)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[io.TextIOWrapper, Callable[[], float]]]:
    """Open a file for reading as text, with a way to ask which share of it has been read."""
    with _opened_bytes(path) as (raw, share_read):
        yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), share_read


@contextmanager
def _opened_bytes(path: Path) -> Iterator[tuple[io.BufferedReader | gzip.GzipFile, Callable[[], float]]]:
    try:
        raw = path.open("rb")
    except OSError as problem:
        raise InvalidInput.at(str(path), f"cannot be read: {problem.strerror}") from problem
    with raw:
        size = path.stat().st_size or 1
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        try:
            yield gzip.GzipFile(fileobj=raw) if packed else raw, lambda: min(1.0, raw.tell() / size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
            raise InvalidInput.at(path.name, f"the compressed file is damaged: {problem}") from problem
        except UnicodeDecodeError as problem:
            raise InvalidInput.at(path.name, f"not UTF-8 text: {problem}") from problem
