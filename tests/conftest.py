"""Settings for the whole suite."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from tests.postgres import Cluster, NoPostgres, cluster

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema in place, for copying: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    made = open_store(f"sqlite:///{path}")
    upgrade(made)
    made.close()
    return path


@pytest.fixture
def store(empty_ledger: Path, tmp_path: Path) -> Iterator[Store]:
    """A database that is ready for use."""
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(empty_ledger.read_bytes())
    opened = open_store(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server; where there is none the tests are skipped, except in CI."""
    try:
        with cluster() as started:
            yield started
    except NoPostgres as reason:
        missing(str(reason))


def missing(reason: str) -> None:
    """Skip a test for want of a part of the machine; where all parts have to be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
