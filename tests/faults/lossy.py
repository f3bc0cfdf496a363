"""A disk that loses what was not flushed, and a driver that puts the product's own store on it.

The disk is a layer of APSW's own SQLite: writes go to the file at once, as they go to a page cache, and a
second image holds what a flush has made safe. When the power fails, that image is left, with any of the
later writes, in whole sectors, that happened to reach the disk by themselves.
"""

import random
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512

Write = tuple[int, bytes | None]
"""Where, and what; None is the end of the file."""


@dataclass
class _Image:
    """What a file holds for certain, and what was written since the last flush."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)


def _apply(content: bytearray, write: Write) -> None:
    offset, data = write
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class LossyDisk(apsw.VFS):
    """Remembers of every file what has been flushed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.images: dict[str, _Image] = {}
        self.lock = threading.RLock()
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - APSW's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return _LossyFile(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - APSW's name
        with self.lock:
            self.images.pop(filename, None)
        super().xDelete(filename, syncdir)

    def fail(self, into: Path, rng: random.Random) -> None:
        """Cut the power: write what is left of the files into a folder."""
        with self.lock:
            for path, image in self.images.items():
                left = bytearray(image.durable)
                share = rng.choice((0.0, 0.5, 0.9))
                for offset, data in image.pending:
                    for write in _sectors(offset, data):
                        if rng.random() < share:
                            _apply(left, write)
                (into / Path(path).name).write_bytes(left)


def _sectors(offset: int, data: bytes | None) -> Iterable[Write]:
    if data is None:
        yield offset, None
        return
    for start in range(0, len(data), SECTOR):
        yield offset + start, data[start : start + SECTOR]


class _LossyFile(apsw.VFSFile):
    def __init__(self, disk: LossyDisk, path: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        with disk.lock:
            self._image = disk.images.setdefault(path, _Image())
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - APSW's name
        with self._disk.lock:
            self._image.pending.append((offset, bytes(data)))
            super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - APSW's name
        with self._disk.lock:
            self._image.pending.append((newsize, None))
            super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - APSW's name
        with self._disk.lock:
            for write in self._image.pending:
                _apply(self._image.durable, write)
            self._image.pending.clear()


class Driver:
    """As much of the `sqlite3` module as SQLAlchemy needs, on a lossy disk."""

    paramstyle = "qmark"
    sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    sqlite_version = apsw.sqlite_lib_version()
    PARSE_DECLTYPES = PARSE_COLNAMES = 0
    Error = sqlite3.Error
    Warning = sqlite3.Warning
    InterfaceError = sqlite3.InterfaceError
    DatabaseError = sqlite3.DatabaseError
    InternalError = sqlite3.InternalError
    OperationalError = sqlite3.OperationalError
    ProgrammingError = sqlite3.ProgrammingError
    IntegrityError = sqlite3.IntegrityError
    DataError = sqlite3.DataError
    NotSupportedError = sqlite3.NotSupportedError

    def __init__(self, disk: LossyDisk, synchronous: str) -> None:
        self.disk = disk
        self.synchronous = synchronous

    def connect(self, path: str, **_: Any) -> "Connection":
        return Connection(apsw.Connection(path, vfs=self.disk.name), self.synchronous)


class Connection:
    """A connection as the product sees it."""

    def __init__(self, inner: apsw.Connection, synchronous: str) -> None:
        self.inner = inner
        self.synchronous = synchronous
        self.isolation_level: str | None = ""

    def cursor(self, *_: Any) -> "Cursor":
        return Cursor(self)

    def create_function(self, *_: Any, **__: Any) -> None:
        """SQLAlchemy's regular expressions are not needed."""

    def commit(self) -> None:
        if self.inner.in_transaction:
            self.cursor().execute("COMMIT")

    def rollback(self) -> None:
        if self.inner.in_transaction:
            self.cursor().execute("ROLLBACK")

    def close(self) -> None:
        self.inner.close()


class Cursor:
    """A cursor as the product sees it."""

    arraysize = 1
    description: Any = None
    lastrowid: int | None = None
    rowcount = -1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        statement = statement.replace("synchronous=FULL", f"synchronous={self._connection.synchronous}")
        self._run(lambda cursor: cursor.execute(statement, tuple(parameters)))
        return self

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "Cursor":
        self._run(lambda cursor: cursor.executemany(statement, [tuple(row) for row in rows]))
        return self

    def _run(self, call: Any) -> None:
        inner = self._connection.inner
        cursor, before = inner.cursor(), inner.total_changes()
        self.description = None
        # Only while it begins does a statement without rows tell what its columns would be.
        cursor.exec_trace = self._describe
        try:
            call(cursor)
            self._rows = cursor.fetchall()
        except apsw.ExecutionCompleteError:
            self._rows = []
        except apsw.Error as problem:
            told = sqlite3.OperationalError(str(problem))
            told.sqlite_errorcode = getattr(problem, "extendedresult", 1)
            raise told from problem
        self.rowcount = inner.total_changes() - before
        self.lastrowid = inner.last_insert_rowid()

    def _describe(self, cursor: apsw.Cursor, _: str, __: Any) -> bool:
        columns = cursor.get_description()
        self.description = [(each[0], *[None] * 6) for each in columns] or None
        return True

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[Any]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        """Nothing is kept open."""
