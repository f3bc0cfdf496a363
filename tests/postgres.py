"""A PostgreSQL of the tests' own: a cluster in a temporary folder, ended with them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.served import free_port


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine that the tests can start."""


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    folder: Path
    binaries: Path
    port: int
    user: str | None

    def url(self, database: str) -> str:
        """The product's address of a database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; its address."""
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url(database)

    def control(self, *arguments: str) -> None:
        """Start, stop or restart."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        log = str(self.folder / "log")
        self._run("pg_ctl", *arguments, "-w", "-D", str(self.folder / "data"), "-l", log, "-o", options)

    def initialise(self) -> None:
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        if self.user is not None:  # the server refuses to be run by root
            command = ["runuser", "-u", self.user, "--", *command]
        # Files and not pipes: the server that pg_ctl leaves behind would hold a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            run = subprocess.run(command, stdout=said, stderr=said, cwd="/", timeout=120)
            said.seek(0)
            assert run.returncode == 0, said.read()


def _binaries() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which("pg_ctl")
    if found is None:
        raise NoPostgres("there is no PostgreSQL server here: install the package postgresql")
    return Path(found).parent


def _user() -> str | None:
    """Who may run the server when root runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise NoPostgres("root cannot run PostgreSQL, and there is no user postgres or nobody")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server; it ends with the block."""
    binaries, user = _binaries(), _user()
    # Not below pytest's own folder: that one is closed to the user who runs the server.
    folder = Path(tempfile.mkdtemp(prefix="evenhand-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        made = Cluster(folder, binaries, free_port(), user)
        made.initialise()
        made.control("start")
        try:
            yield made
        finally:
            made.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
