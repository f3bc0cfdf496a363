"""Flags: what a careful statistician would say about a result before saying what it means.

Every function looks at one thing and answers with a `Flag` or with None. A flag never hides a number; it
stands beside it. Most surprising results are mistakes (Twyman's law), and these are the mistakes that are
made most.

References
----------
Kohavi, Tang, Xu (2020), *Trustworthy online controlled experiments*, chapters 3 and 21. Kohavi, Deng,
Longbotham, Xu (2014), *Seven rules of thumb for web site experimenters*, KDD, rule 7 for 355·skewness².
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis.boundaries import crossing_probabilities
from analysis.comparison import Comparison
from analysis.effects import assess, difference
from analysis.errors import InvalidInput, NotEstimable
from analysis.estimate import Estimate, mean
from analysis.moments import Moments

SKEW_FACTOR = 355.0
"""Units an arm needs for each squared unit of skewness until its mean is nearly normal."""

FEWEST_EVENTS = 30
"""Fewer conversions or failures than this and a proportion's interval should not be Wald's."""

LARGEST_SHARE = 0.05
"""A single unit with more of a metric's total than this decides the result."""

SURPRISING_Z = 8.0
SURPRISING_LIFT = 0.5
SMALL = 10_000
BASELINE_LEVEL = 0.001
DENOMINATOR_LEVEL = 0.01


class Doubt(StrEnum):
    """What is doubtful."""

    SKEWED_ALLOCATION = "skewed_allocation"
    FEW_EVENTS = "few_events"
    DOMINANT_UNIT = "dominant_unit"
    COVARIATE_DIFFERS = "covariate_differs"
    DENOMINATOR_MOVED = "denominator_moved"
    PEEKED = "peeked"
    TOO_GOOD = "too_good"
    IDENTICAL_ARMS = "identical_arms"
    SUDDEN_JUMP = "sudden_jump"


@dataclass(frozen=True, slots=True)
class Flag:
    """A doubt, with the number that raised it and the limit that it passed."""

    kind: Doubt
    value: float
    limit: float
    detail: str = ""


def skewness(values: ArrayLike) -> float:
    """The standardised third moment; 0 where nothing varies.

    Examples
    --------
    >>> round(skewness([0.0, 0.0, 0.0, 1.0]), 4)
    1.1547
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise InvalidInput("values: expected finite numbers, shape (n,)")
    if not len(x) or np.ptp(x) == 0:
        return 0.0
    scaled = (x - x.mean()) / x.std()
    return float((scaled**3).mean())


def largest_share(values: ArrayLike) -> float:
    """The share of the largest value in the sum of all, both without their signs; 0 where the sum is zero.

    Examples
    --------
    >>> largest_share([1.0, -3.0, 0.0])
    0.75
    """
    x = np.abs(np.asarray(values, dtype=np.float64))
    total = float(x.sum())
    return float(x.max()) / total if total > 0 else 0.0


def skewed_allocation(skew: float, *, sizes: Mapping[str, int]) -> Flag | None:
    """Unequal arms and a heavy tail: the smaller arm's mean is not normal yet, and the tails do not cancel.

    Flags when the smallest arm has fewer than 355·skewness² units and less than half of the largest arm's.
    With equal arms the skewness of the difference cancels and Welch's test holds much earlier.

    Parameters
    ----------
    skew
        Skewness of the values of all arms together.
    sizes
        Units by variant.

    Examples
    --------
    >>> heavy = skewness([0.0] * 990 + [100.0] * 10)
    >>> skewed_allocation(heavy, sizes={"old": 900, "new": 100}).kind.value
    'skewed_allocation'
    """
    smallest, largest = min(sizes.values(), default=0), max(sizes.values(), default=0)
    needed = SKEW_FACTOR * skew**2
    if smallest >= needed or smallest * 2 > largest:
        return None
    return Flag(Doubt.SKEWED_ALLOCATION, smallest, needed, "cap the metric or split evenly")


def few_events(arms: Mapping[str, Moments]) -> Flag | None:
    """Too few successes or failures of a proportion in an arm.

    Examples
    --------
    >>> few_events({"a": Moments.from_counts(successes=3, n=900)}).value
    3.0
    """
    fewest = min((min(arm.n * arm.value, arm.n * (1 - arm.value)) for arm in arms.values()), default=math.inf)
    if fewest >= FEWEST_EVENTS:
        return None
    return Flag(Doubt.FEW_EVENTS, round(fewest, 6), FEWEST_EVENTS)


def dominant_unit(share: float) -> Flag | None:
    """One unit holds more than a twentieth of the metric's total.

    Parameters
    ----------
    share
        Of the largest value in the sum of all.

    Examples
    --------
    >>> dominant_unit(largest_share([1.0] * 50 + [100.0])).kind.value
    'dominant_unit'
    """
    return Flag(Doubt.DOMINANT_UNIT, share, LARGEST_SHARE) if share > LARGEST_SHARE else None


def covariate_differs(treatment: Moments, control: Moments, place: int = 0) -> Flag | None:
    """A value from before the exposure differs between the arms: the assignment or the join is broken.

    Examples
    --------
    >>> arm = lambda mean: Moments.from_summary(n=10_000, mean=mean, var=4.0)
    >>> covariate_differs(arm(5.2), arm(5.0)).kind.value
    'covariate_differs'
    """
    p_value = covariate_p(treatment, control, place)
    if p_value is None or p_value >= BASELINE_LEVEL:
        return None
    return Flag(Doubt.COVARIATE_DIFFERS, p_value, BASELINE_LEVEL)


def covariate_p(treatment: Moments, control: Moments, place: int = 0) -> float | None:
    """The p-value of "a value from before the exposure is alike in both arms"; None where nothing varies."""
    return _p_of(treatment.take([place]), control.take([place]))


def denominator_moved(treatment: Moments, control: Moments, place: int = 1) -> Flag | None:
    """The treatment changed the denominator of a ratio: the ratio alone no longer says who is better off.

    Examples
    --------
    >>> orders = lambda mean: Moments.from_summary(n=10_000, mean=[20.0, mean], var=[[9.0, 0.0], [0.0, 1.0]])
    >>> denominator_moved(orders(2.1), orders(2.0)).kind.value
    'denominator_moved'
    """
    p_value = _p_of(treatment.take([place]), control.take([place]))
    if p_value is None or p_value >= DENOMINATOR_LEVEL:
        return None
    return Flag(Doubt.DENOMINATOR_MOVED, p_value, DENOMINATOR_LEVEL)


def peeked(*, looks: int, inference: str, over: bool) -> Flag | None:
    """A fixed-horizon result that was looked at before its end.

    The value is the error rate of claiming at the first of so many looks that is significant at 5 %.

    Examples
    --------
    >>> round(peeked(looks=5, inference="fixed", over=False).value, 3)
    0.142
    """
    if inference != "fixed" or looks <= 1:
        return None
    detail = "" if over else "the planned end has not come"
    return Flag(Doubt.PEEKED, repeated_error(looks), 0.05, detail)


@cache
def repeated_error(looks: int, alpha: float = 0.05) -> float:
    """The chance that one of several equally spaced looks at nothing is significant.

    References
    ----------
    Armitage, McPherson, Rowe (1969), *Repeated significance tests on accumulating data*, JRSS A 132.
    """
    z = -float(special.ndtri(alpha / 2))
    times = [(k + 1) / looks for k in range(looks)]
    return 2 * sum(crossing_probabilities(times, [z] * looks))


def too_good(answer: Comparison) -> Flag | None:
    """An effect of eight standard errors, or a lift of half and more with few units: look for a bug first.

    Examples
    --------
    >>> from analysis.comparison import compare
    >>> old, new = Estimate(10.0, 0.1, 500, 499, "mean"), Estimate(16.0, 0.1, 500, 499, "mean")
    >>> too_good(compare(new, old)).kind.value
    'too_good'
    """
    if abs(answer.statistic) > SURPRISING_Z:
        return Flag(Doubt.TOO_GOOD, abs(answer.statistic), SURPRISING_Z, "standard errors")
    small = answer.treatment.n + answer.control.n < SMALL
    if (
        answer.lift is not None
        and small
        and answer.significant
        and abs(answer.lift.estimate) > SURPRISING_LIFT
    ):
        return Flag(Doubt.TOO_GOOD, abs(answer.lift.estimate), SURPRISING_LIFT, "lift with few units")
    return None


def identical_arms(answer: Comparison) -> Flag | None:
    """Exactly equal means: the arms are probably the same data.

    Examples
    --------
    >>> from analysis.comparison import compare
    >>> arm = Estimate(10.0, 0.1, 500, 499, "mean")
    >>> identical_arms(compare(arm, arm)).kind.value
    'identical_arms'
    """
    if answer.difference.estimate != 0:
        return None
    return Flag(Doubt.IDENTICAL_ARMS, 0.0, 0.0)


def sudden_jump(daily: Sequence[Estimate], limit: float = 5.0) -> Flag | None:
    """A day that departs from the median of all days by more than five of its standard errors.

    Examples
    --------
    >>> days = [Estimate(1.0, 0.1, 100, 99, "mean")] * 6 + [Estimate(3.0, 0.1, 100, 99, "mean")]
    >>> round(sudden_jump(days).value)
    20
    """
    if len(daily) < 3:
        return None
    middle = float(np.median([each.value for each in daily]))
    steps = [abs(each.value - middle) / each.standard_error for each in daily if each.standard_error > 0]
    worst = max(steps, default=0.0)
    return Flag(Doubt.SUDDEN_JUMP, worst, limit) if worst > limit else None


def _p_of(treatment: Moments, control: Moments) -> float | None:
    new, old = mean(treatment), mean(control)
    if isinstance(new, NotEstimable) or isinstance(old, NotEstimable):
        return None
    effect = difference(new, old)
    if isinstance(effect, NotEstimable):
        return None
    answer = assess(effect)
    return None if isinstance(answer, NotEstimable) else answer.p_value
