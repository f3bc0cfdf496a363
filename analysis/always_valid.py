"""Always valid: sequences of intervals and p-values that may be read at any moment.

`analysis.inference.AlwaysValid` answers for one moment of a comparison; here are whole paths and the methods
for particular data: the normal mixture test of paired arrivals, the asymptotic sequence of a mean, linear
models with covariates, and Bernoulli outcomes without any approximation. Bounded outcomes are in
`analysis.betting`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.interval import Interval
from analysis.moments import Moments
from analysis.normal_mixture import approximate_rho_squared, best_rho_squared, two_sided_width

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MixturePath:
    """A mixture likelihood ratio and its p-value after each arrival, shapes (n,)."""

    likelihood_ratio: Floats
    p_value: Floats


def mixture_test(
    treatment: ArrayLike, control: ArrayLike, *, sigma: float, tau: float, null: float = 0.0
) -> MixturePath | NotEstimable:
    """The mixture sequential probability ratio test of pairs of normal values with known spread.

    L_n = √(2σ²/(2σ² + nτ²)) · exp(n²τ²(d − θ₀)²/(4σ²(2σ² + nτ²))) for the mean difference d of n pairs; the
    p-value is the smallest 1/L so far. Arms of unequal length are paired up to the shorter.

    Parameters
    ----------
    sigma
        Standard deviation of one value.
    tau
        Standard deviation of the effects mixed over.

    References
    ----------
    Johari, Koomen, Pekelis, Walsh (2017), *Peeking at A/B tests*, KDD, equations 6 and 7; Robbins (1970).

    Examples
    --------
    >>> path = mixture_test([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], sigma=1.0, tau=1.0)
    >>> path.p_value.round(4).tolist()
    [1.0, 0.8058, 0.2614]
    """
    if not (sigma > 0 and tau > 0):
        raise InvalidInput("sigma, tau: expected standard deviations above 0")
    new, old = np.asarray(treatment, dtype=np.float64), np.asarray(control, dtype=np.float64)
    pairs = min(len(new), len(old))
    if pairs == 0:
        return NotEstimable(Cause.NO_UNITS, "an arm is empty")
    n = np.arange(1, pairs + 1)
    mean = np.cumsum(new[:pairs] - old[:pairs]) / n - null
    statistic = mean * np.sqrt(n / 2) / sigma
    weight = n * tau**2 / (2 * sigma**2)
    logarithm = statistic**2 * weight / (2 * (weight + 1)) - 0.5 * np.log1p(weight)
    p_value = np.exp(np.minimum(0.0, -np.maximum.accumulate(logarithm)))
    return MixturePath(np.exp(np.minimum(logarithm, 709.0)), p_value)


def mean_interval(moments: Moments, *, optimum: float, confidence: float = 0.95) -> Interval | NotEstimable:
    """The asymptotic confidence sequence of one mean, at one moment.

    Parameters
    ----------
    optimum
        Number of units at which it is tightest.

    References
    ----------
    Waudby-Smith et al. (2024), arXiv 2103.06476, equation 9, with the exact ρ of its Lambert form.

    Examples
    --------
    >>> answer = mean_interval(Moments.from_summary(n=50, mean=0.0, var=1.0), optimum=50)
    >>> round(answer.high, 4)
    0.4292
    """
    if moments.n < 2:
        return NotEstimable(Cause.TOO_FEW_UNITS, "one unit has no spread; at least two are needed")
    alpha = 1 - confidence
    weight = moments.n * best_rho_squared(optimum, alpha)
    reach = two_sided_width(weight, alpha) * math.sqrt(moments.variance / moments.n)
    return Interval(moments.value, moments.value - reach, moments.value + reach)


@dataclass(frozen=True, slots=True)
class AnytimeEffect:
    """A coefficient whose p-value and interval may be read at any moment.

    ``p_value`` is 1/E for the e-value E, at most 1; ``log_e`` is the logarithm of E.
    """

    effect: Estimate
    p_value: float
    log_e: float
    interval: Interval


def anytime_coefficient(
    effect: Estimate, *, rows: int, precision: float = 1.0, confidence: float = 0.95
) -> AnytimeEffect | NotEstimable:
    """Turn a regression coefficient and its t statistic into an always valid answer.

    With r = g/(g + n) and ν degrees of freedom, log E = ½·log r + ½(ν + 1)·[log(1 + t²/ν) − log(1 + r·t²/ν)],
    and the radius of the interval is SE·√(ν(1 − q)/(q − r)) with q = (r·α²)^(1/(ν + 1)), infinite until q >
    r.

    Parameters
    ----------
    effect
        The coefficient, with ν as its degrees of freedom; exact for the classical standard error of a normal
        outcome, asymptotic for a robust one.
    rows
        n.
    precision
        g, fixed before the data: large for small effects, `best_precision` finds the best for a sample size.

    References
    ----------
    Lindon, Ham, Tingley, Bojinov (2022), *Anytime-valid linear models and regression adjusted causal
    inference in randomized experiments*, arXiv 2210.08589.

    Examples
    --------
    >>> answer = anytime_coefficient(Estimate(0.9, 0.2, 65, 61, "ols_hc2"), rows=65)
    >>> round(answer.p_value, 4), round(answer.interval.low, 3)
    (0.0013, 0.234)
    """
    if effect.standard_error == 0:
        return NotEstimable(Cause.NO_VARIATION, "the effect has no standard error")
    if not precision > 0:
        raise InvalidInput(f"precision: expected a number above 0, not {precision}")
    return _anytime(effect, precision / (precision + rows), effect.df, confidence)


def anytime_coefficient_by_scale(
    effect: Estimate, *, sigma: float, precision: float = 1.0, confidence: float = 0.95
) -> AnytimeEffect | NotEstimable:
    """The same with the prior precision measured against (σ/SE)² instead of n.

    r = φ/(φ + (σ/SE)²), one degree of freedom less: the parametrisation of another implementation.
    """
    if effect.standard_error == 0:
        return NotEstimable(Cause.NO_VARIATION, "the effect has no standard error")
    size = (sigma / effect.standard_error) ** 2
    return _anytime(effect, precision / (precision + size), effect.df - 1, confidence)


def best_precision(rows: int, coefficients: int, confidence: float = 0.95) -> float:
    """The g with the shortest interval after a given number of rows.

    Examples
    --------
    >>> round(best_precision(80, 3), 3)
    9.175
    """
    nu = rows - coefficients

    def log_radius(logarithm: float) -> float:
        radius = _radius(1 / (1 + rows * math.exp(-logarithm)), nu, 1 - confidence)
        return math.log(radius) if math.isfinite(radius) else 700.0

    found = optimize.minimize_scalar(
        log_radius, bounds=(-12.0, math.log(rows)), method="bounded", options={"xatol": 1e-12}
    )
    return math.exp(float(found.x))


def bernoulli_interval(
    successes: int, n: int, *, optimum: float, confidence: float = 0.95, tuned_for: float = 0.05
) -> Interval | NotEstimable:
    """The confidence sequence of a proportion from zeros and ones, exact at every n.

    A proportion p is kept while the Beta-mixed likelihood ratio against it,
    B(κp + x, κ(1 − p) + n − x) / B(κp, κ(1 − p)) / (p^x·(1 − p)^(n−x)), stays below 1/α. κ is chosen so that
    the interval is nearly tightest after ``optimum`` outcomes.

    References
    ----------
    Howard, Ramdas, McAuliffe, Sekhon (2021), *Time-uniform, nonparametric, nonasymptotic confidence
    sequences*, Annals of Statistics 49, proposition 7.

    Examples
    --------
    >>> answer = bernoulli_interval(30, 100, optimum=100)
    >>> round(answer.low, 4), round(answer.high, 4)
    (0.1736, 0.4477)
    """
    if not 0 <= successes <= n:
        raise InvalidInput(f"successes: expected a count from 0 to n = {n}, not {successes}")
    if n == 0:
        return NotEstimable(Cause.NO_UNITS, "no outcome was seen")
    # Not below a thousandth: with a tiny optimum the mixture would otherwise have no mass to spread.
    kappa = max(1 / approximate_rho_squared(optimum, tuned_for) - 1, 1e-3)
    limit = -math.log(1 - confidence)

    def excess(p: float) -> float:
        mixed = special.betaln(kappa * p + successes, kappa * (1 - p) + n - successes)
        alone = special.xlogy(successes, p) + special.xlog1py(n - successes, -p)
        return float(mixed - special.betaln(kappa * p, kappa * (1 - p)) - alone) - limit

    share = successes / n
    centre = min(1 - 1e-12, max(1e-12, share))
    low = 0.0 if excess(1e-12) < 0 else float(optimize.brentq(excess, 1e-12, centre, xtol=1e-13))
    high = 1.0 if excess(1 - 1e-12) < 0 else float(optimize.brentq(excess, centre, 1 - 1e-12, xtol=1e-13))
    return Interval(share, low, high)


def _anytime(effect: Estimate, r: float, nu: float, confidence: float) -> AnytimeEffect:
    square = (effect.value / effect.standard_error) ** 2
    log_e = 0.5 * math.log(r) + 0.5 * (nu + 1) * (math.log1p(square / nu) - math.log1p(r * square / nu))
    reach = effect.standard_error * _radius(r, nu, 1 - confidence)
    interval = Interval(effect.value, effect.value - reach, effect.value + reach)
    return AnytimeEffect(effect, math.exp(min(0.0, -log_e)), log_e, interval)


def _radius(r: float, nu: float, alpha: float) -> float:
    """In standard errors; infinite while the data cannot exclude anything yet."""
    q = math.exp((math.log(r) + 2 * math.log(alpha)) / (nu + 1))
    return math.sqrt(nu * (1 - q) / (q - r)) if q > r else math.inf
