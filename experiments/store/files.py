"""Files: the whole database as one file, copied while it is in use, looked over and put in place.

A copy is taken inside one read transaction: it is the database as it stood when it began, whoever writes
meanwhile, and nobody waits for it. PostgreSQL has tools of its own for this.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from experiments.errors import InvalidInput, NotAllowed, Unavailable
from experiments.store.database import BUSY_TIMEOUT_MS, Store

PAGES = 4_000
"""Pages (16 MB) that are copied between two reports of progress."""

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database's file."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in a database's file: its schema, and how much of what people want back."""

    schema: str
    experiments: int
    exposures: int
    events: int
    erasures: int


def path_of(url: str) -> Path:
    """The file of a database.

    Raises
    ------
    NotAllowed
        If it is a server.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise NotAllowed("the ledger is on a database server: back it up and restore it with pg_dump -Fc")
    return Path(parsed.database)


def copy_database(store: Store, target: Path, progress: Callable[[float], None]) -> None:
    """Copy the database as it stands now into a new file.

    Raises
    ------
    Unavailable
        If it cannot be read, or the copy cannot be written.
    """

    def tell(_: int, left: int, pages: int) -> None:
        progress(1 - left / pages if pages else 1.0)

    with _reading(path_of(store.url)) as source, _trouble(target), closing(sqlite3.connect(target)) as copy:
        source.execute("BEGIN")
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # now nothing changes for us
        source.backup(copy, pages=PAGES, progress=tell)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without anything beside it


def contents_of(path: Path) -> Contents:
    """Look a database's file over, every page of it.

    Raises
    ------
    InvalidInput
        If it is damaged, or no database of this product.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise InvalidInput.at(path.name, f"is damaged: {found}")
            (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            counts = [
                connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] if table in tables else 0  # noqa: S608 - our own names
                for table in ("experiment", "exposure", "event", "erasure")
            ]
    except sqlite3.Error as problem:
        raise InvalidInput.at(path.name, f"is no sound database of this product: {problem}") from problem
    return Contents(schema, *counts)


def put_in_place(new: Path, path: Path, aside: Path) -> None:
    """Put a database's file where one may lie, which is kept aside. Nobody may be using either.

    Raises
    ------
    Unavailable
        If that is not possible; nothing is lost then.
    """
    try:
        for beside in ("", *_BESIDE):
            old = path.with_name(path.name + beside)
            if old.exists():
                old.rename(aside.with_name(aside.name + beside))
        new.replace(path)
    except OSError as problem:
        raise Unavailable(f"{path} cannot be replaced: {problem.strerror}") from problem


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    address, patience = f"{path.resolve().as_uri()}?mode=ro", BUSY_TIMEOUT_MS / 1_000
    with _trouble(path):
        connection = sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
    with closing(connection):
        yield connection


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise Unavailable(f"{path} cannot be used: {problem}") from problem
