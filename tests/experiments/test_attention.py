from datetime import timedelta

from sqlmodel import Session

from experiments import conclusions, launch
from experiments.attention import Need, gather
from experiments.choices import parse_conclusion
from experiments.digest import digest_of
from experiments.store import Store
from tests import samples
from tests.samples import DAY
from tests.web import scenes
from tests.web.scenes import NOW, START, stage


def needs(session: Session, now: object = NOW) -> list[tuple[str, str]]:
    return [(item.need, item.experiment.key) for item in gather(session=session, now=now)]  # type: ignore[arg-type]  # a moment


def test_what_asks_for_somebody_comes_in_the_order_of_its_weight(store: Store) -> None:
    stage(store, scenes.VETERANS, scenes.WON, scenes.EARLY)
    samples.apply(store, samples.experiment("waiting", status="draft"))
    with store.write() as session:
        launch.submit(session=session, key="waiting", actor="ada", now=NOW)
        assert needs(session) == [
            (Need.HEALTH, "veterans"),
            (Need.DECIDE, "checkout-onepage"),
            (Need.REVIEW, "waiting"),
        ]
        end = START + 28 * DAY
        assert (Need.DECIDE, "early") in needs(session, end + DAY)


def test_the_day_of_the_end_is_announced(store: Store) -> None:
    draft = {"plan": {"inference": "fixed"}, "ends": (NOW + timedelta(hours=3)).isoformat()}
    scene = scenes.headlines("tonight", {"A": (5405, 19), "B": (5379, 79)}, **draft)
    stage(store, scene)
    with store.read() as session:
        assert needs(session) == [(Need.ENDS_TODAY, "tonight")]
        assert needs(session, NOW - DAY) == []


def test_what_was_decided_to_go_on_is_left_alone_until_its_new_end(store: Store) -> None:
    stage(store, scenes.WON)
    later = NOW + 7 * DAY
    draft = parse_conclusion({"choice": "continue", "until": later, "reason": "Another week."})
    with store.write() as session:
        conclusions.conclude(session=session, key="checkout-onepage", draft=draft, actor="ada", now=NOW)
        assert needs(session, NOW + DAY) == []
        assert needs(session, later + DAY) == [(Need.DECIDE, "checkout-onepage")]


def test_a_shipped_gain_and_open_tasks_come_back_as_reminders(store: Store) -> None:
    stage(store, scenes.WON)
    document = {
        "choice": "ship",
        "variant": "treatment",
        "learning": "One page sells more.",
        "follow_ups": [{"task": "Delete the old pages", "due": NOW + DAY}],
    }
    with store.write() as session:
        draft = parse_conclusion(document)
        conclusions.conclude(session=session, key="checkout-onepage", draft=draft, actor="ada", now=NOW)
        assert needs(session) == []
        [task] = gather(session=session, now=NOW + DAY)
        assert (task.need, task.about) == (Need.FOLLOW_UP, "Delete the old pages")
        assert [need for need, _ in needs(session, NOW + 30 * DAY)] == [Need.RETROSPECTIVE, Need.FOLLOW_UP]


def test_the_digest_holds_the_days_it_was_asked_for(store: Store) -> None:
    stage(store, scenes.WON, scenes.TOUCH)
    draft = parse_conclusion({"choice": "ship", "variant": "treatment", "learning": "Ship."})
    with store.write() as session:
        conclusions.conclude(session=session, key="checkout-onepage", draft=draft, actor="ada", now=NOW)
        today = digest_of(session=session, now=NOW)
        month = digest_of(session=session, now=NOW, days=31)
        later = digest_of(session=session, now=NOW + 3 * DAY)
    assert [each.experiment for each in today.concluded] == ["checkout-onepage"]
    assert today.started == ()
    assert {each.key for each in month.started} == {"checkout-onepage", "touch"}
    assert later.concluded == ()
    [(experiment, snapshot)] = today.running
    assert experiment.key == "touch"
    assert snapshot is not None
