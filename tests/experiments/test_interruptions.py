from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import analyses, readouts
from experiments.errors import InvalidInput, Unavailable
from experiments.interruptions import Interruption, find_interruption
from experiments.observe.engines import Embedded, Engine
from experiments.readouts import Snapshot
from experiments.store import Store
from tests.samples import NOW, apply, experiment, metric

LATER, TOMORROW = NOW + timedelta(hours=1), NOW + timedelta(days=1)


class Gone(Embedded):
    """An engine that is away."""

    __slots__ = ()

    def answer_all(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("spark did not answer: the cluster was stopped")


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Callable[..., Snapshot]:
    apply(store, experiment(), metrics=[metric()])

    def run(engine: type[Embedded] = Embedded, **when: Any) -> Snapshot:
        made: Engine = engine(store, tmp_path / "columns.duckdb")
        return analyses.analyse(store=store, engine=made, key="checkout", version="1", **{"now": NOW, **when})

    return run


def found(store: Store) -> Interruption | None:
    with store.read() as session:
        return find_interruption(session=session, key="checkout")


def test_an_engine_that_is_away_leaves_the_last_readout_and_is_noted_since_when(
    store: Store, run: Callable[..., Snapshot]
) -> None:
    before = run()
    for now in (LATER, TOMORROW):
        with pytest.raises(Unavailable, match="the cluster was stopped"):
            run(Gone, now=now)
    assert found(store) == Interruption(LATER, TOMORROW, "spark did not answer: the cluster was stopped")
    with store.read() as session:
        assert readouts.latest(session=session, key="checkout") == before
        document, _ = readouts.told(session=session, snapshot=before)
    assert document["interrupted"]["since"] == LATER.isoformat()
    assert {**document, "interrupted": None} == {**before.document, "interrupted": None}


def test_a_fresh_readout_ends_it(store: Store, run: Callable[..., Snapshot]) -> None:
    with pytest.raises(Unavailable):
        run(Gone)
    snapshot = run(now=LATER)
    assert found(store) is None
    with store.read() as session:
        assert readouts.told(session=session, snapshot=snapshot) == (snapshot.document, str(snapshot.id))


def test_without_any_readout_it_says_why(store: Store, run: Callable[..., Snapshot]) -> None:
    with pytest.raises(Unavailable):
        run(Gone)
    with store.read() as session:
        said = readouts.not_analysed(session=session, key="checkout")
    assert said == (
        f"checkout has not been analysed yet, tried since {NOW.isoformat()}: "
        "spark did not answer: the cluster was stopped"
    )


def test_an_experiment_that_nobody_may_analyse_is_not_noted(store: Store) -> None:
    apply(store, experiment(status="draft"), metrics=[metric()])
    with pytest.raises(InvalidInput):
        analyses.analyse(store=store, engine=Gone(store, Path()), key="checkout", version="1", now=NOW)
    assert found(store) is None
