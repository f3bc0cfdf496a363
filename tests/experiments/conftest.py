"""A database of its own for every test of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.store import Store, open_store
from experiments.store.schema import upgrade


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    """A database without a schema."""
    store = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A database that is ready for use."""
    upgrade(empty_store)
    return empty_store
