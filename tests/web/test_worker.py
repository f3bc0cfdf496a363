import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from experiments import analyses, launch, readouts
from experiments.errors import Unavailable
from experiments.interruptions import find_interruption
from experiments.observe import count
from experiments.store.instants import to_millis
from experiments.store.ledger import append, position
from experiments.store.tables import EventRow
from experiments.tracking import TrackingDraft
from experiments.tracking_plans import save_plan
from tests.samples import DAY, NOW, definitions, event, experiment, exposure, metric
from web import worker as worker_module
from web.deployment import Deployment
from web.engine import engine_of
from web.worker import Worker

RUNNING = 5  # of the furnished experiments


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOW + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(deployment: Deployment, clock: Clock) -> Callable[[], Worker]:
    return lambda: Worker(deployment.settings, deployment.store, now=clock)


def arrive(deployment: Deployment, number: int, at: datetime) -> None:
    with deployment.store.write() as session:
        received = to_millis(at)
        append(
            session=session,
            records=[exposure(number, received_at=received), event(number, received_at=received)],
        )


def test_what_has_changed_is_analysed_and_what_has_not_is_left_alone(
    make: Callable[[], Worker], deployment: Deployment, clock: Clock
) -> None:
    worker = make()
    arrive(deployment, 1, NOW)
    assert worker.look() == RUNNING
    assert worker.look() == 0
    clock.time += timedelta(minutes=1)
    arrive(deployment, 2, clock.time)
    assert worker.look() == RUNNING
    with deployment.store.read() as session:
        newest = readouts.latest(session=session, key="checkout")
    assert newest is not None
    assert sum(newest.document["units"].values()) == 2


def test_a_worker_that_begins_anew_repeats_nothing_that_is_known(
    make: Callable[[], Worker], deployment: Deployment
) -> None:
    arrive(deployment, 1, NOW)
    make().look()
    assert make().look() == 0


def test_what_arrived_while_no_worker_ran_is_analysed(
    make: Callable[[], Worker], deployment: Deployment, clock: Clock
) -> None:
    make().look()
    clock.time += timedelta(hours=1)
    arrive(deployment, 1, clock.time)
    assert make().look() == RUNNING


def test_a_changed_definition_is_analysed_again(
    make: Callable[[], Worker], deployment: Deployment, clock: Clock
) -> None:
    worker = make()
    worker.look()
    clock.time += timedelta(minutes=1)
    with deployment.store.write() as session:
        changed = definitions(experiment(name="Renamed", overrides={"tester": "new"}), metrics=[metric()])
        launch.apply(session=session, definitions=changed, actor="t", now=clock.time)
    assert worker.look() == 1


def test_a_new_day_is_looked_at_even_without_news(make: Callable[[], Worker], clock: Clock) -> None:
    worker = make()
    worker.look()
    clock.time += DAY
    assert worker.look() == RUNNING


def test_one_experiment_that_cannot_be_analysed_does_not_stop_the_others(
    make: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = analyses.analyse

    def fragile(**asked: object) -> object:
        if asked["key"] == "banner":
            raise ZeroDivisionError
        return real(**asked)  # type: ignore[arg-type]  # handed on as it came

    worker = make()
    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
        patch.setattr(analyses, "analyse", fragile)
        assert worker.look() == RUNNING - 1
    assert worker.look() == 1


@pytest.fixture
def away(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Send the engine away, or let it come back."""
    gone = {"gone": False}

    def counted(**asked: object) -> object:
        if gone["gone"]:
            raise Unavailable("trino did not answer: the coordinator is away")
        return count(**asked)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(analyses, "count", counted)
    return lambda now: gone.update(gone=now)


def test_an_engine_that_is_away_is_asked_less_and_less_often(
    make: Callable[[], Worker],
    clock: Clock,
    away: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
    deployment: Deployment,
) -> None:
    worker, begun = make(), clock.time
    away(True)
    tried = []
    with caplog.at_level(logging.CRITICAL):
        for _ in range(12):
            worker.look()
            with deployment.store.read() as session:
                found = find_interruption(session=session, key="checkout")
            assert found is not None
            tried.append(found.tried_at)
            assert (found.since, found.reason) == (begun, "trino did not answer: the coordinator is away")
            clock.time += timedelta(seconds=20)
    assert len(set(tried)) == 4  # at once, and after 20, 60 and 140 seconds
    away(False)
    clock.time += timedelta(minutes=30)
    assert worker.look() == RUNNING
    with deployment.store.read() as session:
        assert find_interruption(session=session, key="checkout") is None


def test_looking_back_waits_for_an_engine_that_is_away_too(
    make: Callable[[], Worker],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away(**_: object) -> int:
        raise Unavailable("trino did not answer: the coordinator is away")

    worker = make()
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(worker_module, "refresh_pasts", away)
        for _ in range(7):
            assert worker.look_back() == 0
            clock.time += timedelta(seconds=20)
    assert caplog.text.count("the coordinator is away") == 3  # at once, and after 20 and 60 seconds
    clock.time += timedelta(minutes=2)
    monkeypatch.setattr(worker_module, "refresh_pasts", lambda **_: 4)
    assert worker.look_back() == 4


def test_a_warehouse_is_asked_by_the_clock_and_when_somebody_asks(
    deployment: Deployment, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = deployment.settings.model_copy(update={"engine": "trino", "engine_hours": 6})
    embedded = engine_of(deployment.settings, deployment.store)
    monkeypatch.setattr(worker_module, "engine_of", lambda *_: embedded)
    clock.time = (NOW + DAY).replace(hour=7)
    worker = Worker(settings, deployment.store, now=clock)
    assert worker.look() == RUNNING
    arrive(deployment, 1, clock.time)
    clock.time += timedelta(hours=4)
    assert worker.look() == 0
    clock.time += timedelta(hours=1)
    assert worker.look() == RUNNING
    again = Worker(settings, deployment.store, now=clock)
    assert again.look() == 1  # of this one only totals are known, so nothing newer was kept
    with deployment.store.write() as session:
        readouts.ask(session=session, key="checkout", now=clock.time)
    clock.time += timedelta(seconds=20)
    assert worker.look() == 1


def test_once_a_day_it_forgets_what_the_plan_does_not_keep(
    make: Callable[[], Worker], deployment: Deployment, clock: Clock
) -> None:
    def left() -> int:
        with deployment.store.read() as session:
            return len(session.exec(select(EventRow.id)).all())

    worker = make()
    arrive(deployment, 1, NOW)
    worker.tend()
    draft = TrackingDraft.model_validate({"events": [{"event": "purchase", "retention": "7d"}]})
    with deployment.store.write() as session:
        save_plan(session=session, draft=draft, actor="ada", now=NOW)
    clock.time += 10 * DAY
    worker.tend()
    assert left() == 0
    arrive(deployment, 2, clock.time)
    worker.tend()
    with deployment.store.read() as session:
        assert position(session=session)[0] == 2, "exposures, of which the plan says nothing, stay"
