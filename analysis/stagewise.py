"""Stagewise: what may be said at the end of an experiment that was allowed to stop early.

Stopping when a result looks good makes the plain estimate too large and its interval too short. Here results
are ordered by the look at which they stopped, earlier above later and larger above smaller within a look; the
probability of a result at least as extreme is then a p-value, and turning it around over the drift gives an
interval with honest coverage and an estimate that is too large as often as too small.

References
----------
Tsiatis, Rosner, Mehta (1984), *Exact confidence intervals following a group sequential test*, Biometrics 40.
Jennison, Turnbull (2000), *Group sequential methods*, chapters 8 and 9 for repeated intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.boundaries import DEFAULT_SPENDING, Walk, spending_boundaries
from analysis.errors import InvalidInput
from analysis.spending import Spending, require_times

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FinalInference:
    """What is said after stopping, with the effect as drift θ·√I_max.

    Divide by √I_max, that is multiply by the standard error at full information, for the metric's own unit.
    """

    p_value: float
    median: float
    low: float
    high: float


def stagewise_p(
    times: Sequence[float], upper: Sequence[float], z: float | Floats, *, drift: float = 0.0, sides: int = 1
) -> Floats:
    """Probability of a result at least as extreme as z at the last of the looks.

    Parameters
    ----------
    times
        Information fractions of the looks up to the one that stopped.
    upper
        Boundaries at the looks before the last.
    z
        Statistics at the last look, a number or shape (m,).
    drift
        The effect under which the probability is taken.
    sides
        2 when the mirrored lower boundary also stops.

    Examples
    --------
    >>> float(stagewise_p([1 / 3, 2 / 3], [3.7103], 2.6).round(4)[0])
    0.0047
    """
    require_times(tuple(times))
    if len(upper) != len(times) - 1:
        raise InvalidInput("upper: expected a boundary for every look but the last")
    walk, before = Walk.start(drift), 0.0
    for time, bound in zip(times, upper, strict=False):
        before += float(walk.above(time, bound)[0])
        walk = walk.onward(time, -bound if sides == 2 else -math.inf, bound)
    return before + walk.above(times[-1], z)


def final_inference(
    times: Sequence[float], upper: Sequence[float], z: float, *, confidence: float = 0.95, sides: int = 1
) -> FinalInference:
    """P-value, median-unbiased estimate and interval of an experiment that stopped at its last look.

    Parameters
    ----------
    times, upper, z
        As for `stagewise_p`.
    confidence
        Two-sided coverage of the interval.

    Examples
    --------
    >>> answer = final_inference([1 / 3, 2 / 3], [3.7103], 2.6)
    >>> round(answer.median, 2), round(answer.low, 2), round(answer.high, 2)
    (3.18, 0.78, 5.58)
    """
    from scipy import optimize

    def drift_at(level: float) -> float:
        def excess(drift: float) -> float:
            return float(stagewise_p(times, upper, z, drift=drift, sides=sides)[0]) - level

        centre = z / math.sqrt(times[-1])
        reach = 12 / math.sqrt(times[0])
        return float(optimize.brentq(excess, centre - reach, centre + reach, xtol=1e-9))

    tail = (1 - confidence) / 2
    p_value = float(stagewise_p(times, upper, z, sides=sides)[0])
    return FinalInference(p_value, drift_at(0.5), drift_at(tail), drift_at(1 - tail))


def repeated_interval(time: float, bound: float, z: float) -> tuple[float, float]:
    """The drifts that a look's own boundary does not reject: (z ± c) / √t, valid at every look.

    Examples
    --------
    >>> round(repeated_interval(1 / 3, 3.7103, 1.1)[0], 4)
    -4.5212
    """
    root = math.sqrt(time)
    return (z - bound) / root, (z + bound) / root


def repeated_p(
    times: Sequence[float], z: float, spending: Spending = DEFAULT_SPENDING, *, sides: int = 1
) -> float:
    """The smallest error rate at which the last look's boundary would be passed.

    The rate is that of one side; double it for a two-sided p-value.

    Examples
    --------
    >>> round(repeated_p([1 / 3, 2 / 3], 2.6), 3)
    0.021
    """
    from scipy import optimize

    highest = math.log(0.5 if sides == 2 else 1 - 1e-9)

    def excess(logarithm: float) -> float:
        # A look past t = 1 has everything to spend that the looks before it left.
        bound = spending_boundaries(times, math.exp(logarithm), spending, sides=sides)[-1]
        return min(bound, 100.0) - z

    if excess(highest) >= 0:
        return math.exp(highest)
    lowest = -650.0
    if excess(lowest) <= 0:
        return math.exp(lowest)
    # Halving finds the right order of magnitude before the root finder looks for digits.
    low, high = lowest, highest
    while high - low > 4:
        middle = max((low + high) / 2, 3 * high - 3)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return math.exp(optimize.brentq(excess, low, high, xtol=1e-10))
