"""Novelty and primacy: whether an effect fades or grows with the days since the first exposure.

People click what is new and stumble over what is changed. What remains is found by following the same units:
the effect on each day since exposure, in the order of days, never by comparing early with late arrivals.

References
----------
Hohnhold, O'Brien, Tang (2015), *Focusing on the long-term: it's good for users and business*, KDD.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.effects import Answer, assess
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate, pooled


@dataclass(frozen=True, slots=True)
class Drift:
    """How an effect changes with the days since exposure.

    Attributes
    ----------
    slope
        Change of the effect for each unit of log(1 + day): multiply by log 2 for "when the time doubles".
    late_minus_early
        Mean effect of the last third of the days less that of the first third.
    """

    slope: Answer
    late_minus_early: Answer


def effect_drift(effects: Sequence[Estimate], *, correlation: float = 0.0) -> Drift | NotEstimable:
    """Test whether an effect depends on the days since exposure.

    Parameters
    ----------
    effects
        The effect on day 0, 1, 2, … since each unit's own first exposure, of one cohort.
    correlation
        Between the effects of two days: the same units are behind all of them. Leaving it at 0 makes the test
        conservative when it is positive.

    Examples
    --------
    >>> fading = [Estimate(1.0 / (1 + day), 0.05, 1000, 999, "mean") for day in range(9)]
    >>> drift = effect_drift(fading)
    >>> drift.slope.effect.value < 0, drift.slope.p_value < 0.001
    (True, True)
    """
    if not 0 <= correlation < 1:
        raise InvalidInput(f"correlation: expected a number from 0 to below 1, not {correlation}")
    if len(effects) < 3:
        return NotEstimable(Cause.TOO_FEW_UNITS, "three days are needed")
    if min(each.standard_error for each in effects) <= 0:
        return NotEstimable(Cause.NO_VARIATION, "a day's effect has no standard error")
    days = np.log1p(np.arange(len(effects)))
    errors = np.array([each.standard_error for each in effects])
    precision = (errors.min() / errors) ** 2
    centred = days - float(precision @ days / precision.sum())
    weights = precision * centred / float(precision @ centred**2)
    third = max(1, len(effects) // 3)
    ends = np.zeros(len(effects))
    ends[:third], ends[-third:] = -1 / third, 1 / third
    slope, contrast = (_contrast(effects, each, correlation) for each in (weights, ends))
    slopes, thirds = assess(slope), assess(contrast)
    if isinstance(slopes, NotEstimable):
        return slopes
    return thirds if isinstance(thirds, NotEstimable) else Drift(slopes, thirds)


def _contrast(effects: Sequence[Estimate], weights: np.ndarray, correlation: float) -> Estimate:
    """A weighted sum of equally correlated effects."""
    plain = pooled(effects, weights.tolist())
    spread = weights * np.array([each.standard_error for each in effects])
    shared = correlation * float(spread.sum() ** 2)
    error = math.sqrt(float((spread**2).sum()) * (1 - correlation) + shared)
    n = max(each.n for each in effects)
    return Estimate(plain.value, error, n, math.inf, "effect_drift")
