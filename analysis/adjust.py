"""Adjustment: taking out of a metric what was already known before the exposure.

What a unit did before the experiment predicts part of what it does during it. Subtracting the predictable
part leaves the effect where it is and shrinks its standard error; with correlation r the variance falls to
1 − r². Everything works from moments: no unit is looked at again.

Four slopes are offered by name:

- ``WITHIN`` is fitted inside the arms and shared by them (ANCOVA). The default: a true effect cannot
  attenuate it.
- ``JOINT`` is fitted on all units as one sample, the original CUPED; used by several other platforms.
- ``AVERAGED`` is like ``WITHIN`` but counts every arm equally, whatever its size.
- ``PER_ARM`` fits each arm by itself (Lin); never less precise than no adjustment, at any split.

References
----------
Deng, Xu, Kohavi, Walker (2013), *Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data*, WSDM. Lin (2013), *Agnostic notes on regression adjustments to experimental data*,
Annals of Applied Statistics 7. Yang, Tsiatis (2001), *Efficiency study of estimators for a treatment effect
in a pretest–posttest trial*, The American Statistician 55.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, NotEstimable
from analysis.estimate import Anchor, Estimate, mean, ratio
from analysis.moments import Moments

Floats = NDArray[np.float64]
Adjusted = dict[str, Estimate] | NotEstimable


class Slope(StrEnum):
    """On which units the slope is fitted."""

    WITHIN = "within"
    JOINT = "joint"
    AVERAGED = "averaged"
    PER_ARM = "per_arm"


def cuped(
    moments_by_variant: Mapping[str, Moments],
    outcome: int = 0,
    covariates: Sequence[int] = (1,),
    *,
    slope: Slope = Slope.WITHIN,
) -> Adjusted:
    """Adjust each variant's mean for one or several covariates.

    The adjusted mean is m_y − θ'(m_x − x̄) with x̄ the covariates' mean over all units, and its variance that
    of y − θ'x; θ counts as known. Each estimate carries the unadjusted mean, which lifts refer to.

    Parameters
    ----------
    moments_by_variant
        For each variant the moments of the outcome and the covariates of the same units.
    outcome, covariates
        Their places among the variables.
    slope
        On which units θ is fitted.

    Returns
    -------
    dict or NotEstimable
        An estimate for each variant; or the reason why one has none.

    Examples
    --------
    >>> old = Moments.from_values([[1.0, 1.0], [2.0, 2.0], [3.1, 3.0], [4.0, 4.0]])
    >>> new = Moments.from_values([[3.0, 2.0], [4.1, 3.0], [5.0, 4.0], [6.0, 5.0]])
    >>> adjusted = cuped({"old": old, "new": new})
    >>> round(adjusted["new"].value - adjusted["old"].value, 4)
    1.0
    """
    arms = {name: each.take([outcome, *covariates]) for name, each in moments_by_variant.items()}
    slopes = fitted_slopes(arms, slope)
    if isinstance(slopes, NotEstimable):
        return slopes
    whole = _whole(arms)
    estimates = {}
    for name, arm in arms.items():
        plain = mean(arm)
        if isinstance(plain, NotEstimable):
            return plain
        weights = np.concatenate([[1.0], -slopes[name]])
        away = float(slopes[name] @ (arm.mean - whole.mean)[1:])
        both = arm.combine(np.vstack([weights, np.eye(len(weights))[0]]))
        error = math.sqrt(max(0.0, both.variance) / arm.n)
        anchor = Anchor(plain.value, plain.standard_error, float(both.covariance[0, 1]) / arm.n)
        estimates[name] = Estimate(plain.value - away, error, arm.n, plain.df, f"cuped_{slope}", anchor)
    return estimates


def cuped_linearised(
    moments_by_variant: Mapping[str, Moments],
    covariates: Sequence[int],
    *,
    ratio_places: tuple[int, int] = (0, 1),
    slope: Slope = Slope.WITHIN,
) -> Adjusted:
    """Adjust a ratio metric for any covariates of its units.

    Each arm's ratio is linearised at its own value, (x − R·y) / m_y, which turns it into the mean of one
    number per unit; slope and adjustment are then those of `cuped`. With the ratio's own numerator and
    denominator from before the exposure as covariates nothing of `cuped_ratio` is lost.

    Parameters
    ----------
    moments_by_variant
        For each variant the moments of numerator, denominator and covariates.
    covariates
        Their places among the variables.
    ratio_places
        Places of numerator and denominator.
    slope
        On which units the slope is fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> before = rng.poisson(5, (200, 1)) + 1.0
    >>> rows = np.hstack([before + rng.normal(0, 0.1, (200, 1)), np.ones((200, 1)), before])
    >>> arms = {"a": Moments.from_values(rows[:100]), "b": Moments.from_values(rows[100:])}
    >>> adjusted = cuped_linearised(arms, [2])["a"]
    >>> adjusted.standard_error < 0.1 * adjusted.anchor.standard_error
    True
    """
    linear = {}
    for name, arm in moments_by_variant.items():
        plain = ratio(arm, *ratio_places)
        if isinstance(plain, NotEstimable):
            return plain
        chosen = arm.take([*ratio_places, *covariates])
        weights = np.eye(len(covariates) + 2)[1:]
        weights[0, :2] = 1 / chosen.mean[1], -plain.value / chosen.mean[1]
        centred = chosen.combine(weights)
        # The linearised mean is 0 by construction; the ratio itself takes its place.
        linear[name] = Moments(arm.n, np.append(plain.value, centred.mean[1:]), centred.cross)
    adjusted = cuped(linear, 0, range(1, len(covariates) + 1), slope=slope)
    if isinstance(adjusted, NotEstimable):
        return adjusted
    return {name: replace(each, method=f"cuped_linearised_{slope}") for name, each in adjusted.items()}


def with_missing(covariate: ArrayLike) -> Floats:
    """Two covariates from one that is unknown for some units: imputed by the mean, and whether it was known.

    New users have no history. Leaving them out would change whom the result speaks of; the indicator keeps
    what being new itself says.

    Parameters
    ----------
    covariate
        Shape (n,), NaN where unknown.

    Returns
    -------
    array
        Shape (n, 2).

    Examples
    --------
    >>> with_missing([1.0, float("nan"), 3.0]).tolist()
    [[1.0, 1.0], [2.0, 0.0], [3.0, 1.0]]
    """
    x = np.asarray(covariate, dtype=np.float64)
    known = ~np.isnan(x)
    middle = float(x[known].mean()) if known.any() else 0.0
    return np.column_stack([np.where(known, x, middle), known.astype(np.float64)])


def fitted_slopes(
    arms: Mapping[str, Moments], slope: Slope = Slope.WITHIN
) -> dict[str, Floats] | NotEstimable:
    """The slopes of the first variable on the others, for each variant, shape (k − 1,).

    A covariate without any variation gets slope zero: it explains nothing and does no harm.

    Examples
    --------
    >>> arm = Moments.from_values([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    >>> fitted_slopes({"a": arm, "b": arm})["a"].round(6).tolist()
    [1.0]
    """
    if not arms or sum(arm.n for arm in arms.values()) == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    match slope:
        case Slope.PER_ARM:
            crosses = {name: arm.cross for name, arm in arms.items()}
        case Slope.JOINT:
            crosses = dict.fromkeys(arms, _whole(arms).cross)
        case Slope.AVERAGED:
            crosses = dict.fromkeys(arms, np.sum([arm.covariance for arm in arms.values()], axis=0))
        case Slope.WITHIN:
            crosses = dict.fromkeys(arms, np.sum([arm.cross for arm in arms.values()], axis=0))
    slopes = {}
    for name, cross in crosses.items():
        solved = _solve(cross[1:, 1:], cross[1:, 0])
        if solved is None:
            return NotEstimable(Cause.COLLINEAR, "a covariate is a combination of the others")
        slopes[name] = solved
    return slopes


def cuped_ratio(
    moments_by_variant: Mapping[str, Moments],
    *,
    ratio_places: tuple[int, int] = (0, 1),
    covariate_places: tuple[int, int] = (2, 3),
    slope: Slope = Slope.WITHIN,
) -> Adjusted:
    """Adjust a ratio metric for the same ratio before the exposure.

    Both ratios are linearised at their arm's own value, (x − R·y) / m_y, which turns them into means of one
    number per unit; the slope and the adjustment are then those of `cuped`.

    Parameters
    ----------
    moments_by_variant
        For each variant the moments of numerator, denominator and both before the exposure.
    ratio_places, covariate_places
        Places of (numerator, denominator) during and before.
    slope
        On which units the slope is fitted. For ``JOINT`` the ratios are linearised at those of all units.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> before = rng.poisson(5, (200, 1)) + 1.0
    >>> rows = np.hstack([before * 0.4 + rng.normal(0, 0.1, (200, 1)), before, before * 0.4, before])
    >>> arms = {"a": Moments.from_values(rows[:100]), "b": Moments.from_values(rows[100:])}
    >>> sorted(cuped_ratio(arms))
    ['a', 'b']
    """
    arms = {name: each.take([*ratio_places, *covariate_places]) for name, each in moments_by_variant.items()}
    for arm in arms.values():
        for pair in ((0, 1), (2, 3)):
            plain = ratio(arm, *pair)
            if isinstance(plain, NotEstimable):
                return plain
    theta = _ratio_slopes(arms, slope)
    if isinstance(theta, NotEstimable):
        return theta
    before = _quotient(_whole(arms).mean, 2)
    estimates = {}
    for name, arm in arms.items():
        linear = _linear(arm, arm.mean)
        now, earlier = _quotient(arm.mean, 0), _quotient(arm.mean, 2)
        both = linear.combine([[1.0, -theta[name]], [1.0, 0.0]])
        covariance = both.covariance / arm.n
        anchor = Anchor(now, math.sqrt(covariance[1, 1]), float(covariance[0, 1]))
        error = math.sqrt(max(0.0, float(covariance[0, 0])))
        value = now - theta[name] * (earlier - before)
        estimates[name] = Estimate(value, error, arm.n, arm.n - 1, f"cuped_ratio_{slope}", anchor)
    return estimates


def ratio_slope(
    moments_by_variant: Mapping[str, Moments], slope: Slope = Slope.WITHIN
) -> float | NotEstimable:
    """The slope of a ratio on the same ratio before, from variables in the order of `cuped_ratio`."""
    found = _ratio_slopes(dict(moments_by_variant), slope)
    return found if isinstance(found, NotEstimable) else next(iter(found.values()))


def _ratio_slopes(arms: dict[str, Moments], slope: Slope) -> dict[str, float] | NotEstimable:
    if slope is Slope.JOINT:
        whole = _whole(arms)
        slopes = fitted_slopes({"all": _linear(whole, whole.mean)}, Slope.PER_ARM)
        return slopes if isinstance(slopes, NotEstimable) else dict.fromkeys(arms, float(slopes["all"][0]))
    found = fitted_slopes({name: _linear(arm, arm.mean) for name, arm in arms.items()}, slope)
    return (
        found if isinstance(found, NotEstimable) else {name: float(each[0]) for name, each in found.items()}
    )


def _linear(arm: Moments, at: Floats) -> Moments:
    """Both ratios linearised: (x − R·y) / m_y during and before."""
    return arm.combine(
        [
            [1 / at[1], -_quotient(at, 0) / at[1], 0.0, 0.0],
            [0.0, 0.0, 1 / at[3], -_quotient(at, 2) / at[3]],
        ]
    )


def _quotient(means: Floats, place: int) -> float:
    return float(means[place] / means[place + 1])


def _whole(arms: Mapping[str, Moments]) -> Moments:
    first, *rest = arms.values()
    return sum(rest, first)


def _solve(cross: Floats, target: Floats) -> Floats | None:
    """Solve the normal equations, each covariate scaled to variance one; None when they are singular."""
    scale = np.sqrt(np.diagonal(cross))
    alive = scale > 0
    slopes = np.zeros(len(target))
    if not alive.any():
        return slopes
    kept = scale[alive]
    correlation = cross[np.ix_(alive, alive)] / np.outer(kept, kept)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return None
    slopes[alive] = np.linalg.solve(correlation, target[alive] / kept) / kept
    return slopes
