"""What every method does with data that allow no answer, and with input that is impossible.

The first is a value with a typed reason, the second an error that names the argument; neither is ever NaN.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from analysis import Cause, Estimate, FixedHorizon, InvalidInput, Moments, NotEstimable, estimate, srm
from analysis.adjust import Slope, cuped, cuped_ratio, fitted_slopes, ratio_slope
from analysis.always_valid import (
    anytime_coefficient,
    anytime_coefficient_by_scale,
    bernoulli_interval,
    mean_interval,
    mixture_test,
)
from analysis.batch import Arms
from analysis.bayes import normal_posterior
from analysis.beta_binomial import Beta
from analysis.betting import empirical_bernstein_interval, hedged_interval, hoeffding_interval
from analysis.boundaries import classical_boundaries, drift_for_power, spending_boundaries
from analysis.capping import find_caps, trimmed_mean, winsorise
from analysis.clusters import cluster_coefficient, cluster_mean, effect_by_clusters, mean_of_totals
from analysis.exact import barnard_test, boschloo_test, conditional_odds_ratio, odds_ratio
from analysis.flags import skewness
from analysis.many_to_one import dunnett
from analysis.margins import equivalence, noninferiority, relative_noninferiority
from analysis.novelty import effect_drift
from analysis.permutation import exact_test, monte_carlo_test
from analysis.pooling import combine_estimates, mantel_haenszel, post_stratify
from analysis.power import (
    Baseline,
    Design,
    best_control_share,
    days_needed,
    detectable_lift,
    power,
    sample_size,
)
from analysis.proportions import compare_counts, log_ratio, pooled_test
from analysis.quantile_regression import quantile_effect
from analysis.quantiles import maritz_jarrett, order_interval, quantile, sample_quantile
from analysis.ranks import brunner_munzel, hodges_lehmann, mann_whitney
from analysis.rates import compare_rates
from analysis.regression import Fit, adjusted_fit, interaction, least_squares
from analysis.sample_ratio import srm_exact, srm_sequential
from analysis.score import Counts, score_noninferiority
from analysis.shares import binomial_test, share
from analysis.shrinkage import conditional_estimate, posterior_from_history
from analysis.simulate import replay, try_plan
from analysis.sizing import arcsine_size, mean_effect, mean_size, noninferior_size, pooled_size
from analysis.spending import Family, Spending
from analysis.stagewise import stagewise_p
from analysis.survival import hazard_ratio, log_rank, survival_curve
from analysis.switchback import randomisation_p, switchback_effect
from analysis.triggered import dilute

RNG = np.random.default_rng(1)
SURE = Estimate(1.0, 0.0, 10, 9, "mean")
FINE = Estimate(1.0, 0.5, 10, 9, "mean")
FLAT = Moments.from_values([[1.0, 2.0, 3.0, 4.0]] * 5)
NOBODY = Moments.empty(4)
PAIR = Moments.from_values([[1.0, 1.0, 2.0, 1.0], [2.0, 1.0, 1.0, 3.0], [0.0, 2.0, 1.0, 1.0]])
TWINS = Moments.from_values([[1.0, 1.0, 2.0], [2.0, 3.0, 6.0], [0.0, 2.0, 4.0]])
NONE = Counts(0, 5, 0, 5)
NAN = [1.0, math.nan]
Call = Callable[[], object]


def line() -> Fit:
    fit = least_squares([1.0, 2.0, 4.0], [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    assert isinstance(fit, Fit)
    return fit


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (lambda: estimate.ratio(NOBODY), Cause.NO_UNITS),
        (lambda: estimate.ratio(Moments.from_values([[1.0, 0.0], [2.0, 0.0]])), Cause.ZERO_DENOMINATOR),
        (lambda: estimate.ratio(Moments(5, np.array([1e300, 1e-300]), np.eye(2))), Cause.NOT_FINITE),
        (lambda: estimate.ratio(Moments(5, np.array([1e200, 1e-100]), np.eye(2) * 1e10)), Cause.NOT_FINITE),
        (lambda: estimate.mean(Moments(5, np.array([math.inf]), np.eye(1))), Cause.NOT_FINITE),
        (lambda: cuped({}), Cause.NO_UNITS),
        (lambda: cuped({"a": PAIR, "b": Moments.empty(4)}), Cause.NO_UNITS),
        (lambda: cuped({"a": TWINS, "b": TWINS}, covariates=[1, 2]), Cause.COLLINEAR),
        (lambda: cuped_ratio({"a": PAIR, "b": NOBODY}), Cause.NO_UNITS),
        (lambda: ratio_slope({}, Slope.WITHIN), Cause.NO_UNITS),
        (lambda: cuped_ratio({}), Cause.NO_UNITS),
        (
            lambda: effect_by_clusters([1.0, 2.0, 3.0, 5.0], [0, 0, 1, 1], [0, 0, 1, 1]),
            Cause.TOO_FEW_CLUSTERS,
        ),
        (lambda: equivalence(replace(FINE, standard_error=1e-10), -1.0, 1e300), Cause.NOT_FINITE),
        (
            lambda: effect_drift(
                [replace(FINE, value=v, standard_error=1e-10) for v in (0.0, 1e305, 0.0, -1e305)]
            ),
            Cause.NOT_FINITE,
        ),
        (lambda: mixture_test([], [1.0], sigma=1.0, tau=1.0), Cause.NO_UNITS),
        (lambda: mean_interval(Moments.empty(), optimum=10), Cause.TOO_FEW_UNITS),
        (lambda: anytime_coefficient(SURE, rows=10), Cause.NO_VARIATION),
        (lambda: anytime_coefficient_by_scale(SURE, sigma=1.0), Cause.NO_VARIATION),
        (lambda: bernoulli_interval(0, 0, optimum=10), Cause.NO_UNITS),
        (lambda: hedged_interval([]), Cause.NO_UNITS),
        (lambda: empirical_bernstein_interval([]), Cause.NO_UNITS),
        (lambda: hoeffding_interval([]), Cause.NO_UNITS),
        (lambda: find_caps([], []), Cause.NO_UNITS),
        (lambda: trimmed_mean([1.0, 2.0, 3.0], 0.4), Cause.TOO_FEW_UNITS),
        (lambda: cluster_mean([], []), Cause.NO_UNITS),
        (lambda: mean_of_totals([1.0], [2]), Cause.TOO_FEW_CLUSTERS),
        (lambda: cluster_coefficient(line(), [0, 0, 0], 1), Cause.TOO_FEW_CLUSTERS),
        (lambda: effect_by_clusters([1.0, 2.0, 3.0], [0, 0, 0], [0, 1, 2]), Cause.COLLINEAR),
        (lambda: odds_ratio(NONE), Cause.TOO_FEW_EVENTS),
        (lambda: conditional_odds_ratio(NONE), Cause.NO_VARIATION),
        (lambda: barnard_test(NONE), Cause.NO_VARIATION),
        (lambda: boschloo_test(NONE), Cause.NO_VARIATION),
        (lambda: dunnett([Moments.empty()], Moments.empty()), Cause.TOO_FEW_UNITS),
        (lambda: dunnett([FLAT], FLAT), Cause.NO_VARIATION),
        (lambda: noninferiority(SURE, 1.0), Cause.NO_VARIATION),
        (lambda: equivalence(SURE, -1.0, 2.0), Cause.NO_VARIATION),
        (lambda: relative_noninferiority(SURE, SURE, 0.1), Cause.NO_VARIATION),
        (lambda: relative_noninferiority(FINE, replace(FINE, value=-1.0), 0.1), Cause.ZERO_DENOMINATOR),
        (lambda: effect_drift([FINE]), Cause.TOO_FEW_UNITS),
        (lambda: effect_drift([SURE] * 5), Cause.NO_VARIATION),
        (lambda: exact_test([], [1.0]), Cause.NO_UNITS),
        (lambda: exact_test([1.0], [1.0]), Cause.NO_VARIATION),
        (lambda: monte_carlo_test([], [1.0], rng=RNG), Cause.NO_UNITS),
        (lambda: combine_estimates([FINE]), Cause.TOO_FEW_UNITS),
        (lambda: combine_estimates([FINE, SURE]), Cause.NO_VARIATION),
        (lambda: post_stratify([SURE], [SURE]), Cause.NO_VARIATION),
        (lambda: mantel_haenszel([NONE]), Cause.TOO_FEW_EVENTS),
        (lambda: mantel_haenszel([Counts(1, 1, 0, 1)]), Cause.TOO_FEW_EVENTS),
        (lambda: log_ratio(NONE), Cause.TOO_FEW_EVENTS),
        (lambda: pooled_test(NONE), Cause.NO_VARIATION),
        (lambda: compare_counts(NONE), Cause.NO_VARIATION),
        (lambda: quantile_effect([1.0], [2.0], 0.5), Cause.TOO_FEW_UNITS),
        (lambda: quantile_effect([1.0] * 9, [2.0] * 9, 0.5), Cause.NO_VARIATION),
        (lambda: quantile([], 0.5), Cause.NO_UNITS),
        (lambda: quantile([1.0, 2.0], 0.5), Cause.TOO_FEW_UNITS),
        (lambda: quantile([1.0] * 100, 0.5), Cause.NO_VARIATION),
        (lambda: quantile(range(100), 0.5, clusters=[0] * 100), Cause.TOO_FEW_UNITS),
        (lambda: order_interval([], 0.5), Cause.NO_UNITS),
        (lambda: maritz_jarrett([1.0], 0.5), Cause.TOO_FEW_UNITS),
        (lambda: mann_whitney([], [1.0]), Cause.NO_UNITS),
        (lambda: mann_whitney([1.0], [1.0]), Cause.NO_VARIATION),
        (lambda: brunner_munzel([1.0], [2.0, 3.0]), Cause.TOO_FEW_UNITS),
        (lambda: brunner_munzel([5.0, 6.0], [1.0, 2.0]), Cause.NO_VARIATION),
        (lambda: hodges_lehmann([], [1.0]), Cause.NO_UNITS),
        (lambda: compare_rates((0, 1.0), (0, 1.0)), Cause.TOO_FEW_EVENTS),
        (lambda: least_squares([1.0], [[1.0, 2.0]]), Cause.TOO_FEW_UNITS),
        (lambda: adjusted_fit([], [], np.empty((0, 1)), np.empty((0, 1))), Cause.NO_UNITS),
        (lambda: srm({}, {"a": 1, "b": 1}), Cause.NO_UNITS),
        (lambda: srm_sequential([], [1, 1]), Cause.NO_UNITS),
        (lambda: srm_exact((0, 0)), Cause.NO_UNITS),
        (lambda: share(0, 0), Cause.NO_UNITS),
        (lambda: binomial_test(0, 0), Cause.NO_UNITS),
        (lambda: conditional_estimate(SURE), Cause.NO_VARIATION),
        (lambda: conditional_estimate(replace(FINE, value=0.1)), Cause.NOT_MATURED),
        (lambda: posterior_from_history(FINE, []), Cause.TOO_FEW_UNITS),
        (lambda: replay([1.0], rng=RNG), Cause.TOO_FEW_UNITS),
        (lambda: replay([1.0] * 9, rng=RNG), Cause.NO_VARIATION),
        (lambda: replay([1.0, 2.0, 3.0, 4.0], rng=RNG, share=1e-9, replays=5), Cause.TOO_FEW_UNITS),
        (lambda: survival_curve([], []), Cause.NO_UNITS),
        (lambda: log_rank(([1.0], [0]), ([1.0], [0])), Cause.TOO_FEW_EVENTS),
        (lambda: hazard_ratio(([1.0], [0]), ([1.0], [1])), Cause.TOO_FEW_EVENTS),
        (lambda: hazard_ratio(([3.0, 4.0], [1, 1]), ([1.0, 2.0], [1, 1])), Cause.TOO_FEW_EVENTS),
        (lambda: switchback_effect([1.0, 2.0, 3.0], [1, 1, 1]), Cause.COLLINEAR),
        (lambda: switchback_effect([1.0, 2.0, 1.0, 2.0], [0, 1, 0, 1], lags=0), Cause.NO_VARIATION),
        (lambda: randomisation_p([1.0, 2.0], [1, 1], rng=RNG), Cause.NO_UNITS),
    ],
)
def test_data_without_an_answer_get_a_reason(call: Call, cause: Cause) -> None:
    answer = call()
    assert isinstance(answer, NotEstimable)
    assert answer.cause is cause
    assert answer.detail


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: mixture_test([1.0], [1.0], sigma=0.0, tau=1.0), "sigma"),
        (lambda: anytime_coefficient(FINE, rows=10, precision=0.0), "precision"),
        (lambda: bernoulli_interval(2, 1, optimum=10), "successes"),
        (lambda: Arms.of_values([1.0]), "values"),
        (lambda: normal_posterior(FINE, prior_sd=0.0), "prior_sd"),
        (lambda: Beta(0.0, 1.0), "beta"),
        (lambda: hedged_interval([2.0]), "values"),
        (lambda: hedged_interval([0.5], low=1.0, high=0.0), "low"),
        (lambda: spending_boundaries([0.5, 0.2], 0.025), "times"),
        (lambda: spending_boundaries([1.0], 0.7), "alpha"),
        (lambda: classical_boundaries(0, 0.025), "looks"),
        (lambda: drift_for_power([1.0], [2.0], 1.0), "power"),
        (lambda: Spending(Family.POWER, 0.0), "gamma"),
        (lambda: stagewise_p([1.0], [2.0], 1.0), "upper"),
        (lambda: find_caps([1.0], lower=0.5, upper=0.5), "lower"),
        (lambda: winsorise(NAN, None), "values"),  # type: ignore[arg-type]  # the wrong type is what is refused
        (lambda: trimmed_mean([1.0], 0.5), "trim"),
        (lambda: cluster_mean([1.0], [0, 1]), "clusters"),
        (lambda: mean_of_totals([1.0], [1, 2]), "totals"),
        (lambda: mean_of_totals(NAN, [1, 2]), "totals"),
        (lambda: barnard_test(Counts(1, 1000, 1, 1000)), "counts"),
        (lambda: skewness(NAN), "values"),
        (lambda: dunnett([], FLAT), "treatments"),
        (lambda: relative_noninferiority(FINE, FINE, 1.0), "margin"),
        (lambda: equivalence(FINE, 1.0, 1.0), "low"),
        (lambda: effect_drift([FINE] * 3, correlation=1.0), "correlation"),
        (lambda: exact_test(NAN, [1.0]), "treatment"),
        (lambda: exact_test(range(30), range(30)), "splits"),
        (lambda: post_stratify([], []), "strata"),
        (lambda: post_stratify([FINE], [FINE], [-1.0]), "weights"),
        (lambda: mantel_haenszel([]), "strata"),
        (lambda: Baseline(1.0, 0.0), "baseline"),
        (lambda: Baseline(0.0, 1.0), "baseline"),
        (lambda: Design(weights=(1.0,)), "weights"),
        (lambda: Design(power=1.0), "power"),
        (lambda: Design(correlation=1.0), "correlation"),
        (lambda: Design(looks=0), "looks"),
        (lambda: Design(inference="tea leaves").drift, "inference"),
        (lambda: sample_size(Baseline(1.0, 1.0), 0.0), "lift"),
        (lambda: detectable_lift(Baseline(1.0, 1.0), 1), "total"),
        (lambda: power(Baseline(1.0, 1.0), 0.1, 1), "total"),
        (lambda: days_needed(10, 0.0), "daily_units"),
        (lambda: best_control_share(0), "treatments"),
        (lambda: quantile_effect([1.0], [1.0], 1.0), "q"),
        (lambda: quantile_effect(NAN, [1.0], 0.5), "treatment"),
        (lambda: quantile([1.0], 0.0), "q"),
        (lambda: quantile(NAN, 0.5), "values"),
        (lambda: quantile(range(100), 0.5, clusters=[1]), "clusters"),
        (lambda: sample_quantile([1.0], 0.5, kind=9), "kind"),
        (lambda: sample_quantile([], 0.5), "values"),
        (lambda: mann_whitney(NAN, [1.0]), "treatment"),
        (lambda: compare_rates((-1, 1.0), (0, 1.0)), "treatment"),
        (lambda: compare_rates((1, 0.0), (0, 1.0)), "treatment"),
        (lambda: least_squares([1.0], [1.0]), "design"),
        (lambda: least_squares([math.inf, 1.0], [[1.0], [1.0]]), "outcome"),
        (lambda: adjusted_fit([1.0], [1.0], [[1.0]], [[1.0], [2.0]]), "covariates"),
        (lambda: interaction([1.0], [1.0], [1.0, 2.0]), "segment"),
        (lambda: srm({}, {"a": -1, "b": 1}), "weights"),
        (lambda: srm({}, {"a": 1}), "weights"),
        (lambda: srm_sequential([[1, 1]], [1, 1], concentration=0.0), "concentration"),
        (lambda: srm_sequential([[1]], [1, 1]), "batches"),
        (lambda: srm_sequential([[1, 1]], [-1, 1]), "weights"),
        (lambda: srm_sequential([[1, 1]], [0, 1]), "weights"),
        (lambda: Counts(1, 0, 1, 2), "successes"),
        (lambda: Counts(0, 0, 1, 2), "counts"),
        (lambda: score_noninferiority(NONE, 1.0), "margin"),
        (lambda: share(2, 1), "successes"),
        (lambda: share(1, 2, method="wald"), "method"),
        (lambda: binomial_test(1, 2, 1.0), "probability"),
        (lambda: conditional_estimate(FINE, threshold=0.0), "threshold"),
        (lambda: replay([1.0], rng=RNG, share=1.0), "share"),
        (lambda: replay(NAN, rng=RNG), "values"),
        (lambda: try_plan(FixedHorizon(), size=0, drift=1.0, rng=RNG), "size"),
        (lambda: mean_size(0.0), "effect_size"),
        (lambda: mean_size(0.5, power=1.0), "power"),
        (lambda: mean_size(1e-200), "effect_size"),
        (lambda: mean_effect(1, 1), "n_control"),
        (lambda: pooled_size(0.1, 0.1), "p_control"),
        (lambda: arcsine_size(0.1, 1.1), "p_control"),
        (lambda: noninferior_size(0.8, 0.6, margin=0.1), "margin"),
        (lambda: survival_curve([1.0], [1, 0]), "times"),
        (lambda: survival_curve([-1.0], [1]), "times"),
        (lambda: switchback_effect([1.0, 2.0, 3.0], [0, 1, 0], lags=3), "lags"),
        (lambda: randomisation_p([1.0], [1, 0], rng=RNG), "outcome"),
        (lambda: dilute(FINE, triggered=0, everybody=1, control_mean=1.0), "triggered"),
    ],
)
def test_impossible_input_names_the_argument(call: Call, place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        call()


def test_a_covariate_that_never_varies_explains_nothing() -> None:
    slopes = fitted_slopes({"a": FLAT, "b": FLAT})
    assert isinstance(slopes, dict)
    assert slopes["a"].tolist() == [0.0, 0.0, 0.0]
