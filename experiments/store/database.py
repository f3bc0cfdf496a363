"""Opening the database: one engine for reading, one for writing, and what each transaction promises.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned has reached the disk. Every write
begins with ``BEGIN IMMEDIATE``, so it waits for its turn at the start and never fails half-way because
another writer was quicker. A connection that met an error of the disk is closed: what it holds in memory may
no longer be what lies in the file. PostgreSQL promises the same in `experiments.store.postgresql`.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session

from experiments.errors import InvalidInput, Unavailable
from experiments.store import postgresql
from experiments.store.driver import has_broken
from experiments.store.filesystem import network_filesystem

BUSY_TIMEOUT_MS = 5_000
"""How long a transaction waits for its turn."""

SHORTEST_PAUSE = 0.000_2
LONGEST_PAUSE = 0.002
"""Seconds between a writer's looks whether it is its turn. SQLite's own waiting begins with a millisecond and
grows to a hundred: a commit takes less than one, and a busy ledger would starve those who came first."""

CHECKPOINT_PAGES = 4_000
"""Pages of the write-ahead log (16 MB) after which it is brought into the file: rarely enough to be cheap."""

PREPARED = 512
"""Statements that the writing connection keeps prepared; `experiments.store.rows` makes most of them."""

JOURNAL_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Store:
    """A database that is ready for use."""

    url: str
    reader: Engine
    writer: Engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and cannot change it."""
        with _available(), Session(self.reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction: all of it is stored when the block ends, or nothing if it raises."""
        with _available(), Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    def checkpoint(self) -> bool:
        """Bring the write-ahead log into the database's file and empty it; say whether that was possible.

        A long reader keeps the log from being emptied, and it only grows until somebody does.
        """
        parsed = make_url(self.url)
        if parsed.get_backend_name() != "sqlite":
            return True
        try:
            with closing(
                sqlite3.connect(str(parsed.database), timeout=BUSY_TIMEOUT_MS / 1_000)
            ) as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as problem:
            raise Unavailable(f"the write-ahead log could not be emptied: {problem}") from problem
        return not busy

    def close(self) -> None:
        """Give back every connection, for instance before a process forks."""
        self.reader.dispose()
        self.writer.dispose()


def open_store(url: str) -> Store:
    """Open a database.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Raises
    ------
    InvalidInput
        If that is no address of a database, or its driver is not installed.
    Unavailable
        If the folder of the file cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return Store(url, *postgresql.open_engines(parsed))
    except (ArgumentError, ImportError) as problem:
        raise InvalidInput.at("database_url", f"cannot be used: {problem}") from problem
    return Store(url, *_open_file(parsed))


def _open_file(url: URL) -> tuple[Engine, Engine]:
    if url.database in (None, "", ":memory:"):
        raise InvalidInput.at("database_url", "expected the path of a file, such as sqlite:///ledger.sqlite3")
    folder = Path(str(url.database).removeprefix("file:")).parent
    _make_folder(folder)
    if kind := network_filesystem(folder):
        raise InvalidInput.at(
            "database_url",
            f"{folder} lies on a network file system ({kind}), where the ledger would not be safe; "
            "use a local disk or PostgreSQL",
        )
    reader = create_engine(url, pool_size=8, max_overflow=8, pool_timeout=BUSY_TIMEOUT_MS / 1_000)
    writer = create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_MS / 1_000,
        connect_args={"cached_statements": PREPARED},
    )
    _configure(reader, begin="BEGIN", reads=True)
    _configure(writer, begin="BEGIN IMMEDIATE", reads=False)
    return reader, writer


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL. Several processes that switch at once refuse each other without waiting, so we wait."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Unavailable(f"{folder} cannot be made: {problem.strerror}") from problem


def _configure(engine: Engine, *, begin: str, reads: bool) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; we do, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        _enter_wal(cursor)
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS if reads else 0}",  # a writer waits by itself, below
            "synchronous=FULL",
            "foreign_keys=ON",
            f"journal_size_limit={JOURNAL_LIMIT}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            f"query_only={int(reads)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        if reads or not _took_turn(connection, begin):
            connection.exec_driver_sql(begin)  # which says what is wrong in the terms that everybody expects

    @event.listens_for(engine, "handle_error")
    def judge(context: ExceptionContext) -> None:
        if has_broken(context.original_exception):
            context.is_disconnect = True


def _took_turn(connection: Connection, begin: str) -> bool:
    """Wait until no other writer is at work, and begin; say whether it came to that."""
    cursor = connection.connection.cursor()
    deadline, pause = time.monotonic() + BUSY_TIMEOUT_MS / 1_000, SHORTEST_PAUSE
    while time.monotonic() < deadline:
        try:
            cursor.execute(begin)
        except sqlite3.Error as problem:
            if getattr(problem, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                return False
        else:
            return True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return False


@contextmanager
def _available() -> Iterator[None]:
    """Say in our own words that the database cannot be used."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, PoolTimeoutError) as problem:
        # The driver's own words: SQLAlchemy's would add the statement, with people's data in it.
        cause = problem.orig if isinstance(problem, DBAPIError) else problem
        raise Unavailable(f"the database cannot be used right now: {cause}") from problem
    except DBAPIError as problem:
        if type(problem) is DatabaseError:  # the class of files that are damaged or no database at all
            raise Unavailable(f"the database is damaged: {problem.orig}") from problem
        if problem.connection_invalidated:
            raise Unavailable("the connection to the database was lost") from problem
        raise
