"""Multiplicity: asking several questions of the same experiment without crying wolf.

Each correction comes as adjusted p-values and as the confidence levels at which intervals agree with the
adjusted decisions: an interval drawn at its level excludes zero exactly when its hypothesis is rejected.
"""

from collections.abc import Sequence


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
    adjusted = [0.0] * m
    lowest = 1.0
    for rank, place in reversed(list(enumerate(_ascending(p_values)))):
        lowest = min(lowest, p_values[place] * m / (rank + 1))
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
