"""Sizing: how many units a test needs, in the terms of textbooks and other software.

`analysis.power` speaks of lifts, variants and weeks; here are the calculations beneath it, for standardised
effects and for proportions, each under the name of its convention.

References
----------
Cohen (1988), *Statistical power analysis for the behavioral sciences*. Fleiss, Levin, Paik (2003),
*Statistical methods for rates and proportions*, section 4.1. Farrington, Manning (1990), Statistics in
Medicine 9.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import optimize, special

from analysis.errors import InvalidInput
from analysis.score import restricted_pair


@dataclass(frozen=True, slots=True)
class Sizes:
    """Units of each arm, not rounded."""

    control: float
    treatment: float

    @property
    def total(self) -> float:
        """Units of both arms."""
        return self.control + self.treatment


def mean_power(
    effect_size: float, n_control: float, n_treatment: float, *, alpha: float = 0.05, sides: int = 2
) -> float:
    """Power of Student's t for an effect in standard deviations, by the noncentral t distribution.

    Two-sided it counts rejections on either side.

    Examples
    --------
    >>> round(mean_power(0.5, 64, 64), 5)
    0.80146
    """
    _require_levels(alpha, 0.5)
    df = n_control + n_treatment - 2
    if df <= 0:
        return alpha
    shift = effect_size * math.sqrt(n_control * (n_treatment / (n_control + n_treatment)))
    if df > 1e7:
        z = -float(special.ndtri(alpha / sides))
        return _clean(float(special.ndtr(shift - z)), float(special.ndtr(-shift - z)), sides)
    critical = -float(special.stdtrit(df, alpha / sides))
    return _clean(_upper(df, shift, critical), _upper(df, -shift, critical), sides)


def mean_size(
    effect_size: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    ratio: float = 1.0,
    sides: int = 2,
    known_variance: bool = False,
) -> Sizes:
    """Units that find an effect in standard deviations with the given power.

    Parameters
    ----------
    effect_size
        Difference over the common standard deviation, not zero.
    ratio
        Treated units for each untreated one.
    known_variance
        Use the normal distribution, n₀ = (z_α + z_β)²·(1 + 1/ratio)/d², instead of the noncentral t.

    Examples
    --------
    >>> round(mean_size(0.5).control, 3), round(mean_size(0.5, known_variance=True).control, 3)
    (63.766, 62.791)
    """
    _require_levels(alpha, power)
    if effect_size**2 == 0 or not math.isfinite(effect_size) or not ratio > 0:
        raise InvalidInput("effect_size, ratio: expected an effect other than zero and a ratio above 0")
    z = -float(special.ndtri(alpha / sides)) + float(special.ndtri(power))
    known = z * z * (1 + 1 / ratio) / effect_size**2
    if known_variance:
        return Sizes(known, known * ratio)
    size = abs(effect_size)

    def excess(logarithm: float) -> float:
        n = math.exp(logarithm)
        return mean_power(size, n, n * ratio, alpha=alpha, sides=sides) - power

    smallest = 2.1 / (1 + ratio)
    n = _root(excess, smallest, max(10.0, 4 * known + 100))
    return Sizes(n, n * ratio)


def mean_effect(
    n_control: float, n_treatment: float, *, power: float = 0.8, alpha: float = 0.05, sides: int = 2
) -> float:
    """The effect in standard deviations that is found with the given power.

    Examples
    --------
    >>> round(mean_effect(64, 64), 5)
    0.49907
    """
    _require_levels(alpha, power)
    if n_control + n_treatment <= 2:
        raise InvalidInput("n_control, n_treatment: expected more than two units")

    def excess(logarithm: float) -> float:
        return mean_power(math.exp(logarithm), n_control, n_treatment, alpha=alpha, sides=sides) - power

    known = 3 * math.sqrt(1 / n_control + 1 / n_treatment)
    return _root(excess, known * 1e-6, known * 1e4)


def pooled_size(p_control: float, p_treatment: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Units per arm of the two-sided pooled z-test, [z_α·√(2p̄q̄) + z_β·√(p₁q₁ + p₀q₀)]² / (p₁ − p₀)².

    Examples
    --------
    >>> round(pooled_size(0.1, 0.12), 1)
    3840.8
    """
    _require_levels(alpha, power)
    _require_shares(p_control, p_treatment)
    middle = (p_control + p_treatment) / 2
    z_alpha, z_beta = -float(special.ndtri(alpha / 2)), float(special.ndtri(power))
    under_null = z_alpha * math.sqrt(2 * middle * (1 - middle))
    with_effect = z_beta * math.sqrt(p_control * (1 - p_control) + p_treatment * (1 - p_treatment))
    return ((under_null + with_effect) / (p_treatment - p_control)) ** 2


def cohen_h(p_control: float, p_treatment: float) -> float:
    """The difference of arcsines, 2·asin√p₁ − 2·asin√p₀.

    Examples
    --------
    >>> round(cohen_h(0.1, 0.12), 6)
    0.063982
    """
    return 2 * math.asin(math.sqrt(p_treatment)) - 2 * math.asin(math.sqrt(p_control))


def arcsine_size(p_control: float, p_treatment: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Units per arm on the arcsine scale, where the variance does not depend on the proportion.

    Examples
    --------
    >>> round(arcsine_size(0.1, 0.12), 1)
    3834.6
    """
    _require_levels(alpha, power)
    _require_shares(p_control, p_treatment)
    effect = abs(cohen_h(p_control, p_treatment))
    z = -float(special.ndtri(alpha / 2))

    def excess(logarithm: float) -> float:
        shift = effect * math.sqrt(math.exp(logarithm) / 2)
        return float(special.ndtr(shift - z) + special.ndtr(-shift - z)) - power

    known = 2 * ((z + float(special.ndtri(power))) / effect) ** 2
    return _root(excess, 1e-6 * known, 4 * known)


def noninferior_size(
    p_control: float,
    p_treatment: float,
    *,
    margin: float,
    power: float = 0.8,
    alpha: float = 0.025,
    ratio: float = 1.0,
) -> Sizes:
    """Units of the one-sided score test that p₁ − p₀ is above −margin (Farrington and Manning).

    The variance under the hypothesis is that of the likeliest proportions with p₁ − p₀ = −margin.

    Examples
    --------
    >>> round(noninferior_size(0.8, 0.8, margin=0.1, power=0.9).control, 2)
    339.77
    """
    _require_levels(alpha, power)
    gap = p_treatment - p_control + margin
    if gap <= 0:
        raise InvalidInput("margin: the assumed proportions are already beyond it")
    null1, null0 = restricted_pair(p_treatment, p_control, -margin, theta=1 / ratio)
    under_null = math.sqrt(null1 * (1 - null1) / ratio + null0 * (1 - null0))
    with_effect = math.sqrt(p_treatment * (1 - p_treatment) / ratio + p_control * (1 - p_control))
    z_alpha, z_beta = -float(special.ndtri(alpha)), float(special.ndtri(power))
    n = ((z_alpha * under_null + z_beta * with_effect) / gap) ** 2
    return Sizes(n, n * ratio)


def _upper(df: float, shift: float, critical: float) -> float:
    """P(T > critical) of the noncentral t, from below: P(−T < −critical) has noncentrality −shift."""
    return float(special.nctdtr(df, -shift, -critical))


def _clean(upper: float, lower: float, sides: int) -> float:
    return min(1.0, upper + (lower if sides == 2 and math.isfinite(lower) else 0.0))


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function of a logarithm passes zero, at least ``low``."""
    if excess(math.log(low)) >= 0:
        return low
    return math.exp(optimize.brentq(excess, math.log(low), math.log(high), xtol=1e-13, rtol=1e-14))


def _require_levels(alpha: float, power: float) -> None:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise InvalidInput(f"alpha, power: expected probabilities between 0 and 1, not {alpha} and {power}")


def _require_shares(p_control: float, p_treatment: float) -> None:
    if not (0 <= p_control <= 1 and 0 <= p_treatment <= 1) or p_control == p_treatment:
        raise InvalidInput("p_control, p_treatment: expected two different proportions")
