import numpy as np
import pytest

from analysis import Moments, PlannedMetric, Role
from analysis.series import levels_of
from tests.analysis.observations import observed, plan

RATIO = PlannedMetric("aov", Role.PRIMARY, kind="ratio")


def test_a_level_is_the_mean_of_everything_up_to_the_day() -> None:
    days = [Moments.empty(1), Moments.from_values(np.array([1.0, 2.0, 6.0]))]
    levels = levels_of(observed(daily={"sales": {"old": days}}), plan(), "sales")
    assert list(levels) == ["old"]
    assert [(each.units, each.value) for each in levels["old"]] == [(0, None), (3, pytest.approx(3.0))]


def test_the_level_of_a_ratio_is_a_ratio_of_sums() -> None:
    pairs = np.array([[10.0, 1.0], [0.0, 0.0], [50.0, 3.0]])
    seen = observed(daily={"aov": {"new": [Moments.from_values(pairs)]}})
    assert levels_of(seen, plan(RATIO), "aov")["new"][0].value == pytest.approx(15.0)


def test_what_is_not_followed_by_day_has_no_levels() -> None:
    assert levels_of(observed(), plan(), "sales") == {}
