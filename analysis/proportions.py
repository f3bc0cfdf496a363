"""Proportions: two of them, tested and compared by named methods.

At the sizes of online experiments every method here agrees with Welch's test on zeros and ones, which is the
default of the room. With fewer than thirty successes or failures in an arm they part, and `compare_counts`
turns to the score test and its intervals and says so.
"""

import math
from dataclasses import dataclass

from scipy import special

from analysis.comparison import Comparison, compare
from analysis.errors import Cause, NotEstimable
from analysis.estimate import proportion
from analysis.inference import FixedHorizon
from analysis.interval import Interval
from analysis.moments import Moments
from analysis.score import Counts, difference_interval, difference_score, ratio_interval
from analysis.shares import wilson

FEW = 30
"""With fewer successes or failures in an arm, Wald's interval is not to be trusted."""


@dataclass(frozen=True, slots=True)
class ZTest:
    """A statistic that is standard normal under the hypothesis, with its two-sided p-value."""

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class CountComparison:
    """Two proportions compared, with the method that was used."""

    difference: Interval
    lift: Interval | None
    statistic: float
    p_value: float
    method: str


def pooled_test(counts: Counts) -> ZTest | NotEstimable:
    """The z-test with the variance of both arms together; its square is Pearson's chi-square.

    Examples
    --------
    >>> round(pooled_test(Counts(152, 1000, 120, 1000)).p_value, 4)
    0.0369
    """
    return _tested(counts, _pooled_error(counts), 0.0)


def corrected_test(counts: Counts) -> ZTest | NotEstimable:
    """The pooled test with Yates's continuity correction, at most as far as the difference itself."""
    p1, p0 = counts.shares
    step = 0.5 * (1 / counts.treatment_n + 1 / counts.control_n)
    return _tested(counts, _pooled_error(counts), math.copysign(min(step, abs(p1 - p0)), p1 - p0))


def unpooled_test(counts: Counts) -> ZTest | NotEstimable:
    """The z-test with each arm's own variance, p(1 − p)/n: the test that Wald's interval inverts."""
    return _tested(counts, _wald_error(counts), 0.0)


def wald(counts: Counts, confidence: float = 0.95) -> Interval:
    """D ± z·√(p₁q₁/n₁ + p₀q₀/n₀); it covers too rarely with few successes."""
    p1, p0 = counts.shares
    reach = _z(confidence) * _wald_error(counts)
    return Interval(p1 - p0, p1 - p0 - reach, p1 - p0 + reach)


def newcombe(counts: Counts, confidence: float = 0.95) -> Interval:
    """The difference by the square-and-add of two Wilson intervals.

    References
    ----------
    Newcombe (1998), *Interval estimation for the difference between independent proportions*, Statistics in
    Medicine 17, method 10.

    Examples
    --------
    >>> answer = newcombe(Counts(152, 1000, 120, 1000))
    >>> round(answer.low, 4), round(answer.high, 4)
    (0.0019, 0.0621)
    """
    p1, p0 = counts.shares
    low1, high1 = wilson(counts.treatment, counts.treatment_n, 1 - confidence)
    low0, high0 = wilson(counts.control, counts.control_n, 1 - confidence)
    d = p1 - p0
    return Interval(d, d - math.hypot(p1 - low1, high0 - p0), d + math.hypot(high1 - p1, p0 - low0))


def agresti_caffo(counts: Counts, confidence: float = 0.95) -> Interval:
    """Wald's interval after adding a success and a failure to each arm.

    References
    ----------
    Agresti, Caffo (2000), *Simple and effective confidence intervals for proportions and differences of
    proportions*, The American Statistician 54.
    """
    padded = Counts(counts.treatment + 1, counts.treatment_n + 2, counts.control + 1, counts.control_n + 2)
    answer = wald(padded, confidence)
    p1, p0 = counts.shares
    return Interval(p1 - p0, max(-1.0, answer.low), min(1.0, answer.high))


def log_ratio(counts: Counts, confidence: float = 0.95, *, adjusted: bool = False) -> Interval | NotEstimable:
    """The ratio by Katz's interval on logarithms: exp(log RR ± z·√(1/x₁ − 1/n₁ + 1/x₀ − 1/n₀)).

    Parameters
    ----------
    adjusted
        Add one half to every success and every n (Walter), which also allows for an arm without success.

    References
    ----------
    Katz, Baptista, Azen, Pike (1978), *Obtaining confidence intervals for the risk ratio in cohort studies*,
    Biometrics 34.

    Examples
    --------
    >>> answer = log_ratio(Counts(152, 1000, 120, 1000))
    >>> round(answer.low, 4), round(answer.high, 4)
    (1.0138, 1.5827)
    """
    add = 0.5 if adjusted else 0.0
    x1, n1 = counts.treatment + add, counts.treatment_n + add
    x0, n0 = counts.control + add, counts.control_n + add
    if min(x1, x0) == 0:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "an arm without success has no logarithm")
    ratio = (x1 / n1) / (x0 / n0)
    reach = _z(confidence) * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    return Interval(ratio, ratio * math.exp(-reach), ratio * math.exp(reach))


def compare_counts(counts: Counts, confidence: float = 0.95) -> CountComparison | NotEstimable:
    """Compare two proportions by the method that suits their counts.

    Welch's test on zeros and ones with at least thirty successes and failures in each arm; with fewer, the
    score test with Miettinen and Nurminen's intervals.

    References
    ----------
    Miettinen, Nurminen (1985), *Comparative analysis of two rates*, Statistics in Medicine 4. Brown, Cai,
    DasGupta (2001), *Interval estimation for a binomial proportion*, Statistical Science 16, for how few are
    too few.

    Examples
    --------
    >>> compare_counts(Counts(11, 42, 3, 40)).method
    'score'
    >>> compare_counts(Counts(152, 1000, 120, 1000)).method
    'welch'
    """
    if counts.fewest >= FEW:
        return _by_moments(counts, confidence)
    if _pooled_error(counts) == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    statistic = difference_score(counts)
    ratio = ratio_interval(counts, confidence)
    lift = Interval(ratio.estimate - 1, ratio.low - 1, ratio.high - 1) if counts.control else None
    p_value = 2 * float(special.ndtr(-abs(statistic)))
    return CountComparison(difference_interval(counts, confidence), lift, statistic, p_value, "score")


def _by_moments(counts: Counts, confidence: float) -> CountComparison | NotEstimable:
    new = proportion(Moments.from_counts(successes=counts.treatment, n=counts.treatment_n))
    old = proportion(Moments.from_counts(successes=counts.control, n=counts.control_n))
    answer = compare(new, old, FixedHorizon(confidence))
    return answer if isinstance(answer, NotEstimable) else _counted(answer)


def _counted(answer: Comparison) -> CountComparison:
    return CountComparison(answer.difference, answer.lift, answer.statistic, answer.p_value, "welch")


def _tested(counts: Counts, error: float, correction: float) -> ZTest | NotEstimable:
    if error == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    p1, p0 = counts.shares
    statistic = (p1 - p0 - correction) / error
    return ZTest(statistic, min(1.0, 2 * float(special.ndtr(-abs(statistic)))))


def _pooled_error(counts: Counts) -> float:
    p = (counts.treatment + counts.control) / counts.n
    return math.sqrt(p * (1 - p)) * math.sqrt(1 / counts.treatment_n + 1 / counts.control_n)


def _wald_error(counts: Counts) -> float:
    p1, p0 = counts.shares
    return math.sqrt(p1 * (1 - p1) / counts.treatment_n + p0 * (1 - p0) / counts.control_n)


def _z(confidence: float) -> float:
    return -float(special.ndtri((1 - confidence) / 2))
