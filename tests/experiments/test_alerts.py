from datetime import timedelta
from typing import Any

import pytest

from experiments import alerts, launch
from experiments.alerts import ATTEMPTS, FIRST_PAUSE, Alert, list_alerts, standing_alerts, undelivered, watch
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput
from experiments.readouts import latest
from experiments.store import Store
from experiments.thresholds import parse_threshold, set_threshold, thresholds_of
from tests.web import scenes
from tests.web.scenes import HARM, NOW, Scene, counted, stage

HOUR = timedelta(hours=1)
CALM = Scene(
    "harm",
    HARM.units,
    {**HARM.arms, "refund": {"control": counted(420, 20_000), "treatment": counted(421, 20_000)}},
    HARM.draft,
)
BROKEN = Scene("harm", {"control": 20_000, "treatment": 15_000}, HARM.arms, HARM.draft)


def look(store: Store, scene: Scene, hours: int = 0) -> list[Alert]:
    stage(store, scene)
    with store.write() as session:
        snapshot = latest(session=session, key=scene.key)
        assert snapshot is not None
        return watch(session=session, snapshot=snapshot, now=NOW + hours * HOUR)


def threshold(store: Store, key: str = "harm", **fields: Any) -> None:
    draft = parse_threshold({"metric": "refund", "limit": 0.08, **fields})
    with store.write() as session:
        set_threshold(session=session, key=key, draft=draft, actor="ada", now=NOW)


def test_a_guardrail_beyond_its_own_limit_alerts_once_until_it_ends(store: Store) -> None:
    [alert] = look(store, HARM)
    assert (alert.metric, alert.variant, alert.limit) == ("refund", "treatment", 0.08)
    assert look(store, HARM, 1) == []
    assert look(store, CALM, 2) == []
    [again] = look(store, HARM, 3)
    with store.read() as session:
        history = list_alerts(session=session)
        assert [each.id for each in standing_alerts(session=session)] == [again.id]
    assert [each.ended_at for each in history] == [None, NOW + 2 * HOUR]


def test_it_waits_as_long_as_the_threshold_says(store: Store) -> None:
    stage(store, HARM)
    threshold(store, wait=2, who="on call")
    assert look(store, HARM) == []
    assert look(store, HARM, 1) == []
    [alert] = look(store, HARM, 2)
    assert (alert.began_at, alert.fired_at, alert.who) == (NOW, NOW + 2 * HOUR, "on call")


def test_a_breach_that_passes_within_the_wait_is_never_told(store: Store) -> None:
    stage(store, HARM)
    threshold(store, wait=2)
    look(store, HARM)
    look(store, CALM, 1)
    assert look(store, HARM, 2) == []
    with store.read() as session:
        assert undelivered(session=session, now=NOW + 9 * HOUR) == []


@pytest.mark.parametrize("fields", [{"limit": 5.0}, {"muted": True}])
def test_a_wide_or_muted_threshold_is_silent(store: Store, fields: dict[str, Any]) -> None:
    stage(store, HARM)
    threshold(store, **fields)
    assert look(store, HARM) == []


def test_data_that_cannot_be_trusted_alert_by_themselves_and_judge_no_guardrail(store: Store) -> None:
    look(store, HARM)
    [alert] = look(store, BROKEN, 1)
    assert (alert.kind, alert.metric) == ("health", "srm")
    with store.read() as session:
        assert {each.metric for each in standing_alerts(session=session)} == {"srm", "refund"}
    assert look(store, scenes.EMPTY) == [], "before the first unit nothing is wrong"


def test_before_a_fixed_end_only_what_is_valid_at_every_look_alerts(store: Store) -> None:
    early = {**HARM.draft, "plan": {"inference": "fixed", "days": 28}}
    slight = {"control": counted(420, 20_000), "treatment": counted(535, 20_000)}
    assert look(store, Scene("slight", HARM.units, {**HARM.arms, "refund": slight}, HARM.draft)) != []
    assert look(store, Scene("early", HARM.units, {**HARM.arms, "refund": slight}, early)) == []
    assert look(store, Scene("plain", HARM.units, HARM.arms, early)) != []


def test_a_delivery_is_tried_ever_later_up_to_a_last_time(store: Store) -> None:
    [alert] = look(store, HARM)
    now, pauses = NOW, []
    with store.write() as session:
        for _ in range(ATTEMPTS):
            assert [each.id for each in undelivered(session=session, now=now)] == [alert.id]
            alerts.record_attempt(session=session, id=alert.id, now=now, failure="503")
            before = now
            while not undelivered(session=session, now=now) and now - before < timedelta(days=1):
                now += FIRST_PAUSE
            pauses.append((now - before) / FIRST_PAUSE)
        assert pauses[:-1] == [2.0**power for power in range(ATTEMPTS - 1)]
        assert undelivered(session=session, now=now + timedelta(days=9)) == []
        [kept] = list_alerts(session=session)
    assert (kept.attempts, kept.failure, kept.delivered_at) == (ATTEMPTS, "503", None)


def test_what_was_delivered_is_not_sent_again(store: Store) -> None:
    [alert] = look(store, HARM)
    with store.write() as session:
        alerts.record_attempt(session=session, id=alert.id, now=NOW)
        assert undelivered(session=session, now=NOW + HOUR) == []
        assert list_alerts(session=session, experiment="harm")[0].delivered_at == NOW
        assert list_alerts(session=session, experiment="another") == []


def test_a_threshold_is_for_a_guardrail_of_the_experiment(store: Store) -> None:
    stage(store, HARM)
    with pytest.raises(InvalidInput, match="no guardrail 'paid'"):
        threshold(store, metric="paid")
    with pytest.raises(InvalidInput):
        parse_threshold({"metric": "refund", "limit": 0.0})
    threshold(store, limit=0.2, who="bo")
    threshold(store, limit=0.3)
    with store.read() as session:
        experiment = find_experiment(session=session, key="harm")
        [found] = thresholds_of(session=session, experiments=[experiment])["harm"]
    assert (found.limit, found.who, found.own) == (0.3, "", True)


def test_an_alert_of_what_no_longer_runs_asks_for_nobody(store: Store) -> None:
    from experiments.attention import Need, gather

    look(store, HARM)
    with store.write() as session:
        assert Need.ALERT in {item.need for item in gather(session=session, now=NOW)}
        launch.stop(session=session, key="harm", actor="ada", now=NOW)
        assert {item.need for item in gather(session=session, now=NOW)} == {Need.DECIDE}
