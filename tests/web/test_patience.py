from datetime import UTC, datetime, timedelta

from web.patience import LONGEST, SHORTEST, Patience

NOW = datetime(2026, 3, 15, tzinfo=UTC)


def test_what_fails_again_is_left_alone_for_longer() -> None:
    patience, now, pauses = Patience(), NOW, []
    for _ in range(10):
        patience.failed("a", 1, now)
        pause = next(
            each for each in range(1, 4_000) if patience.has_come("a", 1, now + timedelta(seconds=each))
        )
        pauses.append(timedelta(seconds=pause))
        now += timedelta(seconds=pause)
    assert pauses[:3] == [SHORTEST, 2 * SHORTEST, 4 * SHORTEST]
    assert pauses[-1] == LONGEST


def test_what_is_new_or_has_worked_is_tried_at_once() -> None:
    patience = Patience()
    patience.failed("a", 1, NOW)
    assert not patience.has_come("a", 1, NOW)
    assert patience.has_come("a", 2, NOW)
    assert patience.has_come("b", 1, NOW)
    patience.worked("a")
    assert patience.has_come("a", 1, NOW)
