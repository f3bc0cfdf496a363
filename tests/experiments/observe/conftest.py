"""Counting through the real engine, and what a test asks of it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from analysis import Observation
from experiments.observe import Question, count
from experiments.observe.engines import Embedded
from experiments.store import Store
from experiments.store.ledger import Record, append
from tests.experiments.observe.logs import question as ask

Count = Callable[..., Observation]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the columnar copy lies."""
    return tmp_path / "columns.duckdb"


@pytest.fixture
def counted(store: Store, copy: Path) -> Count:
    """Append records and count them."""

    def run(records: Iterable[Record] = (), question: Question | None = None) -> Observation:
        with store.write() as session:
            append(session=session, records=records)
        return count(engine=Embedded(store, copy), question=question or ask())

    return run
