"""Settings for the whole suite."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from experiments.store import Store, open_store
from experiments.store.schema import upgrade

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
