"""Splits and soundness: what advises, what replaces the verdict, and where a split went wrong."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from analysis import Moments, Observation, PlannedMetric, Readout, Recommendation, Role, read
from analysis.observation import Cut, Lifetable, Quality, QuantileSample, Stage
from analysis.readout import DataCheck
from tests.analysis.observations import SALES, against, arm, observed, plan

FIRST = date(2026, 3, 1)


def readout_of(seen: Observation, *metrics: PlannedMetric, **changes: Any) -> Readout:
    return read(plan(*metrics, **changes), seen, version="test")


def check_of(answer: Readout, name: str) -> DataCheck:
    check = answer.check(name)
    assert check is not None, [each.name for each in answer.checks]
    return check


def days(*counts: tuple[int, int]) -> dict[date, dict[str, int]]:
    return {FIRST + timedelta(number): {"old": old, "new": new} for number, (old, new) in enumerate(counts)}


def test_what_was_not_looked_at_is_not_checked() -> None:
    assert [check.name for check in readout_of(observed()).checks] == [
        "srm",
        "crossover",
        "exposures",
        "metrics",
    ]


def test_the_split_is_watched_by_a_test_for_every_look() -> None:
    calm = check_of(readout_of(observed(arrivals=days((500, 510), (490, 480), (505, 500)))), "srm_sequential")
    assert (calm.passed, calm.advisory, calm.detail) == (True, True, "")
    wrong = readout_of(observed(arrivals=days((500, 500), (500, 800), (500, 500))))
    check = check_of(wrong, "srm_sequential")
    assert (check.passed, check.detail) == (False, "2026-03-02")
    assert wrong.verdict.recommendation is not Recommendation.DO_NOT_READ


def test_the_first_day_with_a_wrong_split_is_told() -> None:
    answer = readout_of(observed(arrivals=days((500, 500), (500, 800), (500, 900))))
    check = check_of(answer, "srm_daily")
    assert (check.passed, check.detail, check.advisory) == (False, "2026-03-02", True)
    assert check.observed == {"old": 500, "new": 800}
    fine = check_of(readout_of(observed(arrivals=days((500, 520), (500, 500)))), "srm_daily")
    assert (fine.passed, fine.detail, fine.observed) == (True, "", {"old": 500, "new": 520})
    assert readout_of(observed(arrivals=days((500, 520)))).check("srm_daily") is None
    assert readout_of(observed(arrivals=days((0, 0), (0, 0)))).check("srm_daily") is None


def cut(value: str | None, old: int, new: int) -> Cut:
    return Cut("channel", value, {"old": old, "new": new}, {})


def test_the_segment_that_explains_a_wrong_split_is_told() -> None:
    seen = observed(cuts=(cut("ads", 1000, 1150), cut("app", 1000, 2000), cut(None, 900, 905)))
    answer = readout_of(seen, segments=("channel",))
    check = check_of(answer, "srm_segments")
    assert (check.passed, check.detail) == (False, "channel=app")
    assert readout_of(seen).check("srm_segments") is None
    fine = readout_of(observed(cuts=(cut("ads", 1000, 1010),)), segments=("channel",))
    assert check_of(fine, "srm_segments").passed


def test_the_step_at_which_the_split_breaks_is_told() -> None:
    stages = (
        Stage("recorded", {"old": 1000, "new": 1010}),
        Stage("not_bot", {"old": 1000, "new": 800}),
        Stage("matured", {"old": 990, "new": 780}),
        Stage("nobody", {}),
    )
    answer = readout_of(observed(stages=stages))
    check = check_of(answer, "srm_stages")
    assert (check.passed, check.detail) == (False, "not_bot")
    assert [(each.name, each.passed) for each in answer.stages] == [
        ("recorded", True),
        ("not_bot", False),
        ("matured", False),
        ("nobody", True),
    ]
    assert answer.stages[0].units == {"old": 1000, "new": 1010}
    assert answer.stages[3].p_value is None


def test_an_unlike_mix_of_a_segment_is_told() -> None:
    unlike = observed(cuts=(cut("ads", 1000, 700), cut("mail", 1000, 1300), cut(None, 3, 2)))
    answer = readout_of(unlike, segments=("channel", "level"))
    (mix,) = answer.mixes
    assert mix.units == {
        "ads": {"old": 1000, "new": 700},
        "mail": {"old": 1000, "new": 1300},
        "": {"old": 3, "new": 2},
    }
    assert not mix.passed
    check = check_of(answer, "mix")
    assert (check.passed, check.detail, check.advisory) == (False, "channel", True)
    alike = readout_of(observed(cuts=(cut("ads", 100, 70), cut("mail", 1000, 700))), segments=("channel",))
    assert alike.mixes[0].passed
    assert alike.mixes[0].p_value == pytest.approx(1.0)
    assert check_of(alike, "mix").detail == ""


@pytest.mark.parametrize(
    "cuts", [(cut("ads", 9, 9),), (cut("ads", 9, 0), cut("mail", 5, 0)), (cut("ads", 0, 0),)]
)
def test_one_value_or_one_variant_has_no_mix_to_test(cuts: tuple[Cut, ...]) -> None:
    answer = readout_of(observed(cuts=cuts), segments=("channel",))
    assert (answer.mixes[0].passed, answer.mixes[0].p_value) == (True, None)
    assert answer.check("mix") is None


def before(mean: float, n: int = 9_000) -> Moments:
    return Moments.from_summary(n=n, mean=[10.0, mean], var=np.diag([25.0, 4.0]))


def test_groups_that_differed_before_the_exposure_are_told() -> None:
    metric = PlannedMetric("sales", Role.PRIMARY, covariates=("spent",))
    broken = readout_of(against(before(5.2), before(5.0)), metric)
    check = check_of(broken, "pre_period")
    assert (check.passed, check.advisory, check.detail) == (False, True, "sales:new:spent")
    (finding,) = broken.comparisons
    assert "covariate_differs" in [flag.kind for flag in finding.flags]
    calm = readout_of(against(before(5.01), before(5.0)), metric)
    assert (check_of(calm, "pre_period").passed, check_of(calm, "pre_period").detail) == (True, "")
    uneven = readout_of(against(before(5.2), arm(10.0)), metric)
    assert uneven.check("pre_period") is None


OTHERS = (
    PlannedMetric("clicks", Role.SECONDARY),
    PlannedMetric("speed", Role.SECONDARY, kind="quantile", quantile=0.9),
    PlannedMetric("leave", Role.GUARDRAIL, kind="time_to_event"),
)


def test_other_metrics_that_nobody_records_are_told() -> None:
    quiet = {"sales": {"old": arm(1.0), "new": arm(1.0)}, "clicks": {"old": arm(0.0, var=0.0)}}
    answer = readout_of(observed(quiet), SALES, *OTHERS)
    check = check_of(answer, "silent_metrics")
    assert (check.passed, check.detail, check.advisory) == (False, "clicks, speed, leave", True)
    sample = QuantileSample(9, 1.0, 1.0, 1.0, Moments.empty(2))
    heard = observed(
        {**quiet, "clicks": {"old": arm(0.1)}},
        quantiles={"speed": {"new": sample}},
        lifetables={"leave": {"new": Lifetable((4,), (1,), (0,))}},
    )
    assert check_of(readout_of(heard, SALES, *OTHERS), "silent_metrics").passed


def test_a_covariate_does_not_make_a_silent_metric_heard() -> None:
    silent = Moments.from_summary(n=600, mean=[0.0, 7.0], var=np.diag([0.0, 4.0]))
    metric = PlannedMetric("sales", Role.PRIMARY, covariates=("spent",))
    answer = readout_of(against(silent, silent), metric)
    assert (check_of(answer, "metrics").passed, check_of(answer, "metrics").detail) == (False, "sales")
    assert answer.verdict.recommendation is Recommendation.DO_NOT_READ


def test_days_on_which_nobody_came_are_told() -> None:
    arrivals = {**days((500, 500)), FIRST + timedelta(3): {"old": 9, "new": 9}, FIRST + timedelta(1): {}}
    check = check_of(readout_of(observed(arrivals=arrivals)), "arrivals")
    assert (check.passed, check.detail, check.statistic) == (False, "2026-03-02, 2026-03-03", 0.5)
    assert check_of(readout_of(observed(arrivals=days((5, 5), (5, 5)))), "arrivals").passed


def test_records_that_are_late_future_unreadable_or_mismatched_are_told() -> None:
    bad = Quality(
        exposures=1_000, events=100, late=6, future=1, mismatched=2, unreadable={"sales": 3, "aov": 0}
    )
    answer = readout_of(observed(quality=bad))
    told = {name: check_of(answer, name) for name in ("late_data", "future", "unreadable", "mismatched")}
    assert not any(check.passed for check in told.values())
    assert all(check.advisory for check in told.values())
    assert told["unreadable"].detail == "sales"
    assert told["mismatched"].statistic == 0.002
    assert answer.quality == bad
    good = readout_of(observed(quality=Quality(exposures=1_000, events=100, late=5, mismatched=1)))
    assert good.advice == ()
    none = readout_of(observed(quality=Quality(exposures=10)))
    assert none.check("late_data") is None


def test_advice_never_replaces_the_verdict() -> None:
    seen = against(
        arm(11.0),
        arm(10.0),
        arrivals=days((5_000, 9_000), (5_000, 1_000)),
        quality=Quality(exposures=9, events=9, late=9, mismatched=9, future=9, unreadable={"sales": 1}),
    )
    answer = readout_of(seen)
    assert len(answer.advice) >= 5
    assert answer.failed == ()
    assert answer.verdict.recommendation is Recommendation.SHIP
