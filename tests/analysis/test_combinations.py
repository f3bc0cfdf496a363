"""Estimator, scale and inference are three steps: every choice of one goes with every other."""

import math

import numpy as np
import pytest

from analysis import (
    AlwaysValid,
    Bayesian,
    Comparison,
    Estimate,
    FixedHorizon,
    GroupSequential,
    Inference,
    LiftMethod,
    Moments,
    NotEstimable,
    Sequential,
    compare,
    estimate,
)
from analysis.adjust import Slope, cuped, cuped_ratio, with_missing
from analysis.capping import Caps, trimmed_mean, winsorise
from analysis.clusters import cluster_mean
from analysis.effects import assess, difference
from analysis.margins import equivalence, noninferiority, relative_noninferiority
from analysis.quantiles import quantile
from analysis.regression import adjusted_fit

Pair = tuple[Estimate | NotEstimable, Estimate | NotEstimable]

INFERENCES: list[Inference] = [
    FixedHorizon(),
    Sequential(2_000),
    AlwaysValid(1_000),
    GroupSequential(2_000),
    Bayesian(prior_sd=0.2),
]


def rows(shift: float, seed: int) -> np.ndarray:
    """Numerator, denominator, and both before, of 500 units."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(9.0, 1.0, 500)
    views = 1 + rng.poisson(4.0, 500)
    return np.column_stack([before + shift + rng.normal(size=500), views, before, views])


NEW, OLD = rows(0.6, 1), rows(0.0, 2)


def pairs() -> dict[str, Pair]:
    arms = {"new": Moments.from_values(NEW), "old": Moments.from_values(OLD)}
    found: dict[str, Pair] = {
        "mean": (estimate.mean(arms["new"]), estimate.mean(arms["old"])),
        "ratio": (estimate.ratio(arms["new"]), estimate.ratio(arms["old"])),
        "proportion": (
            estimate.proportion(Moments.from_counts(successes=260, n=500)),
            estimate.proportion(Moments.from_counts(successes=200, n=500)),
        ),
        "winsorised": tuple(  # type: ignore[dict-item]  # of two
            estimate.mean(Moments.from_values(winsorise(each[:, 0], Caps(0.0, 20.0, 0.0))))
            for each in (NEW, OLD)
        ),
        "trimmed": (trimmed_mean(NEW[:, 0], 0.1), trimmed_mean(OLD[:, 0], 0.1)),
        "quantile": (quantile(NEW[:, 0], 0.5), quantile(OLD[:, 0], 0.5)),
        "clusters": (
            cluster_mean(NEW[:, 0], np.arange(500) // 5),
            cluster_mean(OLD[:, 0], np.arange(500) // 5),
        ),
    }
    for name, adjusted in {
        **{f"cuped {slope}": cuped(arms, covariates=[2], slope=slope) for slope in Slope},
        "cuped ratio": cuped_ratio(arms),
    }.items():
        assert isinstance(adjusted, dict)
        found[name] = (adjusted["new"], adjusted["old"])
    return found


PAIRS = pairs()


@pytest.mark.parametrize("inference", INFERENCES, ids=lambda each: each.name)
@pytest.mark.parametrize("scale", LiftMethod)
@pytest.mark.parametrize("estimator", PAIRS)
def test_all_three_steps_combine(estimator: str, scale: LiftMethod, inference: Inference) -> None:
    answer = compare(*PAIRS[estimator], inference, lift=scale)
    assert isinstance(answer, Comparison)
    assert answer.lift is not None
    assert answer.difference.low < answer.difference.estimate < answer.difference.high
    assert answer.lift.low < answer.lift.estimate < answer.lift.high
    assert answer.significant == (answer.p_value < 0.05)


@pytest.mark.parametrize("inference", INFERENCES, ids=lambda each: each.name)
@pytest.mark.parametrize("estimator", PAIRS)
def test_margins_combine_too(estimator: str, inference: Inference) -> None:
    new, old = PAIRS[estimator]
    assert isinstance(new, Estimate)
    assert isinstance(old, Estimate)
    effect = difference(new, old)
    assert isinstance(effect, Estimate)
    for test in (
        noninferiority(effect, 10.0, inference),
        relative_noninferiority(new, old, 0.9, inference),
        equivalence(effect, -50.0, 50.0, inference),
    ):
        assert not isinstance(test, NotEstimable)
        assert test.passed
        assert test.p_value < 0.05


@pytest.mark.parametrize("inference", INFERENCES, ids=lambda each: each.name)
def test_a_regression_coefficient_is_an_effect_like_any_other(inference: Inference) -> None:
    fit = adjusted_fit(NEW[:, 0], OLD[:, 0], NEW[:, 2], OLD[:, 2])
    assert not isinstance(fit, NotEstimable)
    answer = assess(fit.coefficient(1), inference)
    assert not isinstance(answer, NotEstimable)
    assert answer.interval.excludes_zero == (answer.p_value < 0.05)


def test_adjustment_narrows_and_keeps_the_lift_relative_to_the_plain_mean() -> None:
    plain, adjusted = compare(*PAIRS["mean"]), compare(*PAIRS["cuped within"])
    assert isinstance(plain, Comparison)
    assert isinstance(adjusted, Comparison)
    assert adjusted.lift is not None
    assert adjusted.standard_error < 0.5 * plain.standard_error
    base = float(OLD[:, 0].mean())
    assert math.isclose(adjusted.lift.estimate, adjusted.difference.estimate / base)


def test_new_users_are_kept_by_an_indicator() -> None:
    history = NEW[:, 2].copy()
    history[:100] = np.nan
    arms = {
        "new": Moments.from_values(np.column_stack([NEW[:, 0], with_missing(history)])),
        "old": Moments.from_values(np.column_stack([OLD[:, 0], with_missing(OLD[:, 2])])),
    }
    adjusted = cuped(arms, covariates=[1, 2])
    assert isinstance(adjusted, dict)
    assert adjusted["new"].n == 500
    assert with_missing([math.nan]).tolist() == [[0.0, 0.0]]
