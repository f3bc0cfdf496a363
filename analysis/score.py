"""Score: tests and intervals for two proportions that hold up with few successes.

The variance is estimated under the hypothesis being tested, so the test stays honest where Wald's fails, and
an interval is every value that it does not reject. ``bias_corrected`` multiplies the variance by N/(N − 1):
with it the difference is Miettinen and Nurminen's and the default, without it Mee's or Farrington and
Manning's; for the ratio without it is Koopman's.

References
----------
Miettinen, Nurminen (1985), *Comparative analysis of two rates*, Statistics in Medicine 4, appendix 1.
Farrington, Manning (1990), *Test statistics and sample size formulae for comparative binomial trials with
null hypothesis of non-zero risk difference or non-unity relative risk*, Statistics in Medicine 9. Koopman
(1984), *Confidence intervals for the ratio of two binomial proportions*, Biometrics 40.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import optimize, special

from analysis.errors import InvalidInput
from analysis.interval import Interval
from analysis.shares import require_counts


@dataclass(frozen=True, slots=True)
class Counts:
    """Successes and units of both arms; both arms have units."""

    treatment: int
    treatment_n: int
    control: int
    control_n: int

    def __post_init__(self) -> None:
        require_counts(self.treatment, self.treatment_n)
        require_counts(self.control, self.control_n)
        if min(self.treatment_n, self.control_n) < 1:
            raise InvalidInput("counts: expected at least one unit in each arm")

    @property
    def shares(self) -> tuple[float, float]:
        """Proportions of treatment and control."""
        return self.treatment / self.treatment_n, self.control / self.control_n

    @property
    def n(self) -> int:
        """Units of both arms."""
        return self.treatment_n + self.control_n

    @property
    def fewest(self) -> int:
        """The fewest successes or failures in an arm."""
        failures = (self.treatment_n - self.treatment, self.control_n - self.control)
        return min(self.treatment, self.control, *failures)


def restricted_shares(counts: Counts, difference: float) -> tuple[float, float]:
    """The likeliest proportions among those with p₁ − p₀ = difference.

    The root of the likelihood's cubic in closed form, by its trigonometric solution.

    Examples
    --------
    >>> p1, p0 = restricted_shares(Counts(11, 42, 3, 40), 0.0)
    >>> round(p1, 6) == round(p0, 6) == round(14 / 82, 6)
    True
    """
    p1, p0 = counts.shares
    return restricted_pair(p1, p0, difference, theta=counts.control_n / counts.treatment_n)


def restricted_pair(p1: float, p0: float, difference: float, *, theta: float) -> tuple[float, float]:
    """`restricted_shares` from proportions; ``theta`` is the control's size over the treatment's."""
    d, a = difference, 1 + theta
    b = -(1 + theta + p1 + theta * p0 + d * (theta + 2))
    c = d * d + d * (2 * p1 + theta + 1) + p1 + theta * p0
    e = -p1 * d * (1 + d)
    third = b / (3 * a)
    v = third**3 - b * c / (6 * a * a) + e / (2 * a)
    u = math.copysign(math.sqrt(max(0.0, third * third - c / (3 * a))), v)
    cosine = v / u**3 if u else 0.0
    angle = (math.pi + math.acos(min(1.0, max(-1.0, cosine)))) / 3
    root = 2 * u * math.cos(angle) - third
    found = min(1.0, 1 + d, max(0.0, d, root))
    return found, min(1.0, max(0.0, found - d))


def difference_score(counts: Counts, null: float = 0.0, *, bias_corrected: bool = True) -> float:
    """The score statistic of p₁ − p₀ against a null, ±∞ where the null is impossible, 0 for 0 / 0.

    Examples
    --------
    >>> round(difference_score(Counts(790, 1000, 800, 1000), -0.05, bias_corrected=False), 4)
    2.2126
    """
    p1, p0 = counts.shares
    r1, r0 = restricted_shares(counts, null)
    variance = r1 * (1 - r1) / counts.treatment_n + r0 * (1 - r0) / counts.control_n
    return _standardised(p1 - p0 - null, variance * _factor(counts, corrected=bias_corrected))


def difference_interval(counts: Counts, confidence: float = 0.95, *, bias_corrected: bool = True) -> Interval:
    """Every difference that the score test does not reject.

    Examples
    --------
    >>> answer = difference_interval(Counts(11, 42, 3, 40))
    >>> round(answer.low, 4), round(answer.high, 4)
    (0.0252, 0.35)
    """
    p1, p0 = counts.shares
    z = -float(special.ndtri((1 - confidence) / 2))
    estimate = p1 - p0

    def statistic(null: float) -> float:
        return difference_score(counts, null, bias_corrected=bias_corrected)

    return Interval(
        estimate,
        _crossing(statistic, z, inside=estimate, end=-1.0),
        _crossing(statistic, -z, inside=estimate, end=1.0),
    )


def difference_bounds(
    counts: Counts, confidence: float = 0.95, *, bias_corrected: bool = True
) -> tuple[float, float]:
    """One-sided lower and upper bounds, each at the confidence."""
    both = difference_interval(counts, 2 * confidence - 1, bias_corrected=bias_corrected)
    return both.low, both.high


@dataclass(frozen=True, slots=True)
class ScoreMargin:
    """Whether harm beyond a margin is ruled out, by a score test; ``bound`` is on the side of harm."""

    statistic: float
    p_value: float
    bound: float
    passed: bool


def score_noninferiority(
    counts: Counts,
    margin: float,
    confidence: float = 0.95,
    *,
    bias_corrected: bool = True,
    more_is_better: bool = True,
) -> ScoreMargin:
    """Test that a proportion is not worse than the control's by more than a margin in percentage points.

    Parameters
    ----------
    margin
        From 0 to below 1; 0.05 is five percentage points.

    Examples
    --------
    >>> round(score_noninferiority(Counts(790, 1000, 800, 1000), 0.05).p_value, 5)
    0.01348
    """
    if not 0 <= margin < 1:
        raise InvalidInput(f"margin: expected percentage points from 0 to below 1, not {margin}")
    sign = 1.0 if more_is_better else -1.0
    statistic = sign * difference_score(counts, -sign * margin, bias_corrected=bias_corrected)
    low, high = difference_bounds(counts, confidence, bias_corrected=bias_corrected)
    bound = low if more_is_better else high
    return ScoreMargin(statistic, float(special.ndtr(-statistic)), bound, passed=sign * bound > -margin)


def ratio_score(counts: Counts, null: float = 1.0, *, bias_corrected: bool = True) -> float:
    """The score statistic of p₁ / p₀ against a null above 0.

    Examples
    --------
    >>> round(ratio_score(Counts(152, 1000, 120, 1000), bias_corrected=False), 4)
    2.0874
    """
    p1, p0 = counts.shares
    n1, n0 = counts.treatment_n, counts.control_n
    a = null * counts.n
    b = null * (n1 + counts.control) + counts.treatment + n0
    c = counts.treatment + counts.control
    # The smaller root, in the form that does not subtract nearly equal numbers.
    r0 = 2 * c / (b + math.sqrt(max(0.0, b * b - 4 * a * c)))
    r1 = min(1.0, null * r0)
    variance = r1 * (1 - r1) / n1 + null * null * r0 * (1 - r0) / n0
    return _standardised(p1 - null * p0, variance * _factor(counts, corrected=bias_corrected))


def ratio_interval(counts: Counts, confidence: float = 0.95, *, bias_corrected: bool = True) -> Interval:
    """Every ratio that the score test does not reject; from 0 or to infinity where an arm has no success.

    Without any success in either arm nothing is known: from 0 to infinity around 1.

    Examples
    --------
    >>> answer = ratio_interval(Counts(152, 1000, 120, 1000))
    >>> round(answer.low, 4), round(answer.high, 4)
    (1.0144, 1.5825)
    """
    p1, p0 = counts.shares
    z = -float(special.ndtri((1 - confidence) / 2))
    if counts.treatment == 0 and counts.control == 0:
        return Interval(1.0, 0.0, math.inf)
    estimate = p1 / p0 if p0 else math.inf

    def statistic(logarithm: float) -> float:
        return ratio_score(counts, math.exp(logarithm), bias_corrected=bias_corrected)

    inside = math.log(estimate) if 0 < estimate < math.inf else (-60.0 if estimate == 0 else 60.0)
    low = 0.0 if counts.treatment == 0 else math.exp(_crossing(statistic, z, inside=inside, end=-60.0))
    high = math.inf if counts.control == 0 else math.exp(_crossing(statistic, -z, inside=inside, end=60.0))
    return Interval(estimate, low, high)


def _crossing(statistic: Callable[[float], float], level: float, *, inside: float, end: float) -> float:
    """Where the falling statistic passes a level on the way from the estimate to an end of the scale."""

    def excess(null: float) -> float:
        return min(1e6, max(-1e6, statistic(null) - level))

    if excess(inside) * excess(end) > 0:
        return end
    return float(optimize.brentq(excess, inside, end, xtol=1e-13, rtol=1e-13))


def _standardised(distance: float, variance: float) -> float:
    if variance > 0:
        return distance / math.sqrt(variance)
    return math.copysign(math.inf, distance) if abs(distance) > 1e-15 else 0.0


def _factor(counts: Counts, *, corrected: bool) -> float:
    return counts.n / (counts.n - 1) if corrected else 1.0
