"""Opening the database: one engine for reading, one for writing, and what each transaction promises.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned has reached the disk. Every write
begins with ``BEGIN IMMEDIATE``, so it waits for its turn at the start and never fails half-way because
another writer was quicker.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session

from experiments.errors import Unavailable

BUSY_TIMEOUT_MS = 5_000
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
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True)
        return Store(url, engine, engine)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    reader = create_engine(parsed, pool_size=8, max_overflow=8)
    writer = create_engine(parsed, pool_size=1, max_overflow=0, pool_timeout=BUSY_TIMEOUT_MS / 1_000)
    _configure(reader, begin="BEGIN", query_only=1)
    _configure(writer, begin="BEGIN IMMEDIATE", query_only=0)
    return Store(url, reader, writer)


def _configure(engine: Engine, *, begin: str, query_only: int) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; we do, below
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"journal_size_limit={JOURNAL_LIMIT}",
            f"query_only={query_only}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)


@contextmanager
def _available() -> Iterator[None]:
    """Say in our own words that the database cannot be used."""
    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError) as problem:
        raise Unavailable(f"the database cannot be used right now: {problem}") from problem
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise Unavailable("the connection to the database was lost") from problem
        raise
