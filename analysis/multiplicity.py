"""Multiplicity: asking several questions of the same experiment without crying wolf.

Each correction comes as adjusted p-values and as the confidence levels at which intervals agree with the
adjusted decisions: an interval drawn at its level excludes zero exactly when its hypothesis is rejected.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of any false claim stays below the level.

    References
    ----------
    Holm (1979), *A simple sequentially rejective multiple test procedure*, Scand. J. Statistics 6.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    m = len(p_values)
    adjusted = [0.0] * m
    highest = 0.0
    for rank, place in enumerate(_ascending(p_values)):
        highest = max(highest, min(1.0, (m - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the expected share of false claims among the claims stays below the level.

    References
    ----------
    Benjamini, Hochberg (1995), *Controlling the false discovery rate*, JRSS B 57.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    m = len(p_values)
    return _step_up(p_values, [m / (rank + 1) for rank in range(m)])


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values by their number alone: m·p, at most 1.

    Examples
    --------
    >>> bonferroni([0.01, 0.4, 0.6])
    [0.03, 1.0, 1.0]
    """
    return [min(1.0, len(p_values) * p) for p in p_values]


def hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust as Holm does, but stepping up: more power when the tests are independent or positively related.

    References
    ----------
    Hochberg (1988), *A sharper Bonferroni procedure for multiple tests of significance*, Biometrika 75.

    Examples
    --------
    >>> hochberg([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    m = len(p_values)
    return _step_up(p_values, [float(m - rank) for rank in range(m)])


def hommel(p_values: Sequence[float]) -> list[float]:
    """Adjust by closing Simes's test: never less powerful than Hochberg, under the same conditions.

    A hypothesis is rejected at α when every set that contains it is rejected by Simes. The worst sets are the
    i largest p-values, and adding one hypothesis to the i − 1 largest.

    References
    ----------
    Hommel (1988), *A stagewise rejective multiple test procedure based on a modified Bonferroni test*,
    Biometrika 75. Wright (1992), *Adjusted p-values for simultaneous inference*, Biometrics 48.

    Examples
    --------
    >>> [round(p, 6) for p in hommel([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    m = len(p_values)
    order = _ascending(p_values)
    ordered = [p_values[place] for place in order]
    adjusted = [0.0] * m
    for rank in range(m):
        worst = 0.0
        for size in range(1, m + 1):
            largest = ordered[m - size :]
            members = largest if rank >= m - size else [ordered[rank], *largest[1:]]
            simes = min(size * p / (i + 1) for i, p in enumerate(members))
            worst = max(worst, simes)
        adjusted[order[rank]] = min(1.0, max(worst, ordered[rank]))
    return adjusted


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Adjust as Benjamini and Hochberg do, times 1 + ½ + … + 1/m, for tests related in any way.

    References
    ----------
    Benjamini, Yekutieli (2001), *The control of the false discovery rate in multiple testing under
    dependency*, Annals of Statistics 29.

    Examples
    --------
    >>> [round(p, 4) for p in benjamini_yekutieli([0.01, 0.04, 0.03])]
    [0.055, 0.0733, 0.0733]
    """
    m = len(p_values)
    harmonic = math.fsum(1 / (i + 1) for i in range(m))
    return _step_up(p_values, [harmonic * m / (rank + 1) for rank in range(m)])


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Adjusted p-values and decisions of the two-stage procedure at one level."""

    adjusted: list[float]
    rejected: list[bool]


def two_stage(p_values: Sequence[float], alpha: float = 0.05) -> TwoStage:
    """Benjamini, Krieger and Yekutieli: first estimate how many hypotheses are true, then use it.

    Stage one rejects r₁ hypotheses at α/(1 + α); stage two works with m₀ = m − r₁ in the place of m. The
    adjusted p-values carry the factor 1 + α, so they compare with α itself.

    References
    ----------
    Benjamini, Krieger, Yekutieli (2006), *Adaptive linear step-up procedures that control the false discovery
    rate*, Biometrika 93, definition 6.

    Examples
    --------
    >>> two_stage([0.001, 0.002, 0.9, 0.8]).rejected
    [True, True, False, False]
    """
    m = len(p_values)
    first = benjamini_hochberg(p_values)
    found = sum(p <= alpha / (1 + alpha) for p in first)
    if found == m:
        return TwoStage([min(1.0, p * (1 + alpha)) for p in first], [True] * m)
    factor = (1 + alpha) * ((m - found) / m if found else 1.0)
    adjusted = [min(1.0, p * factor) for p in first]
    return TwoStage(adjusted, [found > 0 and p <= alpha for p in adjusted])


def _step_up(p_values: Sequence[float], factors: Sequence[float]) -> list[float]:
    """The smallest factor·p among those at least as large, at most 1."""
    adjusted, lowest = [0.0] * len(p_values), 1.0
    for rank, place in reversed(list(enumerate(_ascending(p_values)))):
        lowest = min(lowest, factors[rank] * p_values[place])
        adjusted[place] = lowest
    return adjusted


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level of each interval that agrees with Holm's decisions at ``alpha``.

    A hypothesis rejected at the j-th of m steps is tested, and its interval drawn, at α / (m − j + 1); all
    that remain after the first failure are drawn at the level of that failure.

    Examples
    --------
    >>> holm_levels([0.001, 0.5], 0.05)
    [0.025, 0.05]
    """
    m = len(p_values)
    levels = [alpha] * m
    failed: float | None = None
    for rank, place in enumerate(_ascending(p_values)):
        level = failed or alpha / (m - rank)
        levels[place] = level
        if failed is None and p_values[place] > level:
            failed = level
    return levels


def benjamini_hochberg_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level of each interval that agrees with Benjamini and Hochberg's decisions at ``alpha``.

    With R of m rejected it is R·α / m for all, so the selected intervals also keep the false coverage rate.

    References
    ----------
    Benjamini, Yekutieli (2005), *False discovery rate-adjusted multiple confidence intervals*, JASA 100.
    """
    m = len(p_values)
    rejected = sum(p <= alpha for p in benjamini_hochberg(p_values))
    return [alpha * max(rejected, 1) / m for _ in p_values]


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda place: p_values[place])
