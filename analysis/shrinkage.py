"""Shrinkage: the effect that remains when one remembers that it was picked for being large.

The launched treatments are those whose estimates were significant, so their estimates are too large on
average: the winner's curse. Two remedies: condition on having passed the threshold, or use what past
experiments say about the size of effects.

References
----------
Zhong, Prentice (2008), *Bias-reduced estimators and confidence intervals for odds ratios in genome-wide
association studies*, Biostatistics 9. Efron, Morris (1973), *Stein's estimation rule and its competitors*,
JASA 68.
"""

import math
from collections.abc import Sequence

from scipy import optimize, special

from analysis.bayes import Posterior, normal_posterior
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.pooling import combine_estimates


def conditional_estimate(effect: Estimate, threshold: float = 1.959963984540054) -> float | NotEstimable:
    """The likeliest effect given that |effect / SE| passed a threshold.

    Solves x = d + SE·[φ(c − d/SE) − φ(−c − d/SE)] / [Φ(d/SE − c) + Φ(−d/SE − c)] for d, where x is the
    estimate: the effect whose conditional mean is what was seen.

    Parameters
    ----------
    threshold
        c, in standard errors.

    Returns
    -------
    float or NotEstimable
        Not estimable for an effect that did not pass.

    Examples
    --------
    >>> round(conditional_estimate(Estimate(2.2, 1.0, 100, math.inf, "mean")), 3)
    0.637
    >>> round(conditional_estimate(Estimate(6.0, 1.0, 100, math.inf, "mean")), 3)
    6.0
    """
    if effect.standard_error <= 0:
        return NotEstimable(Cause.NO_VARIATION, "the effect has no standard error")
    if not threshold > 0:
        raise InvalidInput(f"threshold: expected a number above 0, not {threshold}")
    z = abs(effect.value) / effect.standard_error
    if z <= threshold:
        return NotEstimable(Cause.NOT_MATURED, "only for an effect that passed the threshold")
    # The conditional mean at 0 is 0 and rises to z from below, so the root lies between.
    root = float(optimize.brentq(lambda d: _conditional_mean(d, threshold) - z, 0.0, z, xtol=1e-12))
    return math.copysign(root * effect.standard_error, effect.value)


def posterior_from_history(effect: Estimate, history: Sequence[Estimate]) -> Posterior | NotEstimable:
    """Pull an effect towards zero as far as past experiments suggest.

    The prior N(0, τ²) has its variance from past effects by DerSimonian and Laird; with τ² = 0, when the past
    shows nothing but noise, everything is shrunk to zero.

    Parameters
    ----------
    history
        Effects of past experiments on the same scale, all of them and not only the launched.

    Examples
    --------
    >>> past = [Estimate(v, 0.01, 1000, math.inf, "mean") for v in (0.03, -0.02, 0.0, 0.05, -0.04)]
    >>> after = posterior_from_history(Estimate(0.08, 0.04, 1000, math.inf, "mean"), past)
    >>> 0.0 < after.mean < 0.06
    True
    """
    together = combine_estimates(history)
    if isinstance(together, NotEstimable):
        return together
    if together.between == 0:
        return Posterior(0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0)
    return normal_posterior(effect, prior_sd=math.sqrt(together.between))


def drawn_together(effects: Sequence[Estimate]) -> list[float] | NotEstimable:
    """Pull the effects in several segments towards each other, as far as their differences are noise.

    With τ² between segments by DerSimonian and Laird and their common mean μ, each becomes
    (τ²·d + SE²·μ) / (τ² + SE²). Ranking segments by these does not chase the smallest and noisiest.

    Examples
    --------
    >>> effects = [Estimate(v, e, 100, math.inf, "mean") for v, e in ((0.1, 0.05), (0.12, 0.04), (0.3, 0.06))]
    >>> [round(each, 3) for each in drawn_together(effects)]
    [0.118, 0.129, 0.255]
    """
    together = combine_estimates(effects)
    if isinstance(together, NotEstimable):
        return together
    between, middle = together.between, together.random.value
    shares = [between / (between + each.standard_error**2) for each in effects]
    return [share * each.value + (1 - share) * middle for share, each in zip(shares, effects, strict=True)]


def _conditional_mean(d: float, c: float) -> float:
    """E[Z | |Z| > c] for Z ~ N(d, 1)."""
    above, below = float(special.ndtr(d - c)), float(special.ndtr(-d - c))
    return d + (_density(c - d) - _density(-c - d)) / (above + below)


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
