"""A database before its first migration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.store import Store, open_store


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    """A database without a schema."""
    store = open_store(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    yield store
    store.close()
