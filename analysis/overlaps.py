"""Overlaps: whether two experiments that share units get in each other's way.

Assignments that depend on each other bias both: the arms of one then differ in what the other does to them.
Effects that depend on each other bias neither, but the best combination may not be the sum of the best parts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate, mean, proportion, ratio
from analysis.moments import Moments
from analysis.multiplicity import holm

FEWEST = 5.0
"""Expected units in a cell below which the chi-square test is not trusted."""

DEPENDENT = 0.001
"""Below this p-value assignments count as dependent, as a split counts as wrong."""


@dataclass(frozen=True, slots=True)
class Independence:
    """The chi-square test of two assignments."""

    statistic: float
    df: int
    p_value: float

    @property
    def passed(self) -> bool:
        """Whether the assignments may be taken as independent."""
        return self.p_value >= DEPENDENT


@dataclass(frozen=True, slots=True)
class EffectInteraction:
    """By how much a treatment's effect differs between two arms of another experiment.

    Attributes
    ----------
    treatment
        The variant whose effect it is.
    other
        The other experiment's variant, against its control.
    """

    metric: str
    treatment: str
    other: str
    estimate: float
    standard_error: float
    p_value: float
    p_value_adjusted: float


def independence(counts: ArrayLike) -> Independence | NotEstimable:
    """Test whether the variant of one experiment says anything of the variant of another.

    Parameters
    ----------
    counts
        Units by the variants of both, shape (a, b).

    Examples
    --------
    >>> independence([[50, 50], [50, 50]]).p_value
    1.0
    >>> independence([[90, 10], [10, 90]]).passed
    False
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if table.shape[0] < 2 or table.shape[1] < 2:
        return NotEstimable(Cause.NO_UNITS, "fewer than two variants of each are shared")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if expected.min() < FEWEST:
        return NotEstimable(Cause.TOO_FEW_UNITS, f"fewer than {FEWEST:g} expected units in a cell")
    statistic = float(((table - expected) ** 2 / expected).sum())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return Independence(statistic, df, float(special.chdtrc(df, statistic)))


def effect_interactions(
    metric: str,
    kind: str,
    cells: Mapping[tuple[str, str], Moments],
    controls: tuple[str, str],
) -> tuple[EffectInteraction, ...]:
    """Compare each treatment's effect under each treatment of another experiment with that under its control.

    The contrast is (ab − cb) − (ac' − cc') over the means of four cells, which are independent samples; the
    p-values are adjusted by Holm's method over all contrasts of the metric.

    Parameters
    ----------
    kind
        The metric's kind; a ratio is taken of the first two variables.
    cells
        Moments by the variants of both experiments.
    controls
        The control of each.
    """
    estimates = {place: _estimate(kind, moments) for place, moments in cells.items()}
    mine, other = controls
    found: list[tuple[str, str, float, float]] = []
    for treatment in sorted({first for first, _ in cells} - {mine}):
        for beside in sorted({second for _, second in cells} - {other}):
            four = [
                estimates.get(place)
                for place in ((treatment, beside), (mine, beside), (treatment, other), (mine, other))
            ]
            contrast = _contrast(four)
            if contrast is not None:
                found.append((treatment, beside, *contrast))
    p_values = [math.erfc(abs(value) / error / math.sqrt(2)) for _, _, value, error in found]
    return tuple(
        EffectInteraction(metric, treatment, beside, value, error, p_value, adjusted)
        for (treatment, beside, value, error), p_value, adjusted in zip(
            found, p_values, holm(p_values), strict=True
        )
    )


def _estimate(kind: str, moments: Moments) -> Estimate | NotEstimable:
    match kind:
        case "ratio":
            return ratio(moments)
        case "proportion" | "retention":
            return proportion(moments.take([0]))
    return mean(moments.take([0]))


def _contrast(four: Sequence[Estimate | NotEstimable | None]) -> tuple[float, float] | None:
    known = [each for each in four if isinstance(each, Estimate)]
    if len(known) < len(four):
        return None
    error = math.sqrt(math.fsum(each.standard_error**2 for each in known))
    value = known[0].value - known[1].value - (known[2].value - known[3].value)
    return (value, error) if error > 0 else None
