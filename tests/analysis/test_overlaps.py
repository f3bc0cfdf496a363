"""Overlaps: two experiments that share units, their assignments and their effects."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis import Cause, Moments, NotEstimable
from analysis.overlaps import Independence, effect_interactions, independence
from tests.analysis.observations import arm

Cells = Mapping[tuple[str, str], Moments]


def cells_of(means: Mapping[tuple[str, str], float], n: int = 1_000, var: float = 4.0) -> Cells:
    return {place: arm(mean, n=n, var=var) for place, mean in means.items()}


def square(both: float, **changes: Any) -> Cells:
    """Four cells: ``x`` adds two, ``y`` adds one, and both together what is given."""
    means = {("c", "o"): 10.0, ("x", "o"): 12.0, ("c", "y"): 11.0, ("x", "y"): both}
    return cells_of(means, **changes)


def test_independence_is_the_chi_square_test_without_correction() -> None:
    counts = [[130, 90, 80], [110, 120, 70]]
    found = independence(counts)
    assert isinstance(found, Independence)
    expected = stats.chi2_contingency(counts, correction=False)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.df == expected.dof


def test_assignments_that_go_together_do_not_pass() -> None:
    together, apart = independence([[90, 10], [10, 90]]), independence([[50, 50], [50, 50]])
    assert isinstance(together, Independence)
    assert isinstance(apart, Independence)
    assert not together.passed
    assert apart.passed


def test_a_variant_that_nobody_met_is_left_out() -> None:
    assert independence([[50, 0, 40], [45, 0, 55]]) == independence([[50, 40], [45, 55]])


@pytest.mark.parametrize(
    ("counts", "cause"),
    [([[50, 50], [0, 0]], Cause.NO_UNITS), ([[4, 4], [4, 4]], Cause.TOO_FEW_UNITS)],
)
def test_too_few_shared_units_allow_no_test(counts: list[list[int]], cause: Cause) -> None:
    found = independence(counts)
    assert isinstance(found, NotEstimable)
    assert found.cause is cause


def test_an_effect_interaction_is_the_contrast_of_four_independent_means() -> None:
    (found,) = effect_interactions("revenue", "mean", square(13.5), ("c", "o"))
    assert (found.metric, found.treatment, found.other) == ("revenue", "x", "y")
    assert found.estimate == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(math.sqrt(4 * 4.0 / 1_000))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(0.5 / found.standard_error))
    assert found.p_value_adjusted == found.p_value


def test_effects_that_add_up_do_not_interact() -> None:
    (found,) = effect_interactions("revenue", "mean", square(13.0), ("c", "o"))
    assert found.estimate == pytest.approx(0.0)
    assert found.p_value == pytest.approx(1.0)


def test_each_p_value_is_adjusted_for_all_contrasts_of_the_metric() -> None:
    more = cells_of({("z", "o"): 12.0, ("z", "y"): 13.1})
    found = effect_interactions("revenue", "mean", {**square(13.5), **more}, ("c", "o"))
    assert [(each.treatment, each.other) for each in found] == [("x", "y"), ("z", "y")]
    strongest, other = found
    assert strongest.p_value_adjusted == pytest.approx(2 * strongest.p_value)
    assert other.p_value_adjusted == pytest.approx(other.p_value)


@pytest.mark.parametrize("kind", ["proportion", "retention"])
def test_shares_are_compared_as_shares(kind: str) -> None:
    shares = {("c", "o"): 0.1, ("x", "o"): 0.2, ("c", "y"): 0.1, ("x", "y"): 0.4}
    cells = {place: Moments.from_summary(n=500, mean=p, var=p * (1 - p)) for place, p in shares.items()}
    (found,) = effect_interactions("paid", kind, cells, ("c", "o"))
    assert found.estimate == pytest.approx(0.2)
    assert found.standard_error == pytest.approx(
        math.sqrt(sum(p * (1 - p) / 500 for p in shares.values())), rel=0.01
    )


def test_ratios_are_compared_as_ratios() -> None:
    rng = np.random.default_rng(7)
    worth = {("c", "o"): 2.0, ("x", "o"): 2.0, ("c", "y"): 2.0, ("x", "y"): 3.0}
    cells = {
        place: Moments.from_values(
            np.column_stack([rate * (base := rng.poisson(5, 2_000) + 1.0) + rng.normal(0, 1, 2_000), base])
        )
        for place, rate in worth.items()
    }
    (found,) = effect_interactions("spent", "ratio", cells, ("c", "o"))
    assert found.estimate == pytest.approx(1.0, abs=4 * found.standard_error)
    assert found.p_value < 1e-6


def test_a_contrast_that_lacks_a_cell_or_an_error_is_not_given() -> None:
    whole = square(13.5)
    lacking = {place: moments for place, moments in whole.items() if place != ("c", "y")}
    assert effect_interactions("revenue", "mean", lacking, ("c", "o")) == ()
    assert effect_interactions("revenue", "mean", square(13.5, var=0.0), ("c", "o")) == ()
    one = {**whole, ("x", "y"): Moments.from_summary(n=1, mean=3.0, var=0.0)}
    assert effect_interactions("revenue", "mean", one, ("c", "o")) == ()
