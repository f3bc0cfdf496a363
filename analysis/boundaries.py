"""Boundaries: how far a result may wander at each look before it counts.

The score process S(t) = z·√t of an experiment behaves like a Brownian motion. Between two looks its density,
restricted to the paths that have not crossed yet, is carried forward by one integral,

    g_k(s) = ∫ g_{k−1}(u) · φ((s − u − θ·Δt) / √Δt) / √Δt du,

over the region of continuation; what leaves the region is the probability of crossing at that look. The
integrals are Gauss–Legendre sums whose spacing follows √Δt, so 28 daily looks take some ten milliseconds.

References
----------
Armitage, McPherson, Rowe (1969), *Repeated significance tests on accumulating data*, JRSS A 132. Jennison,
Turnbull (2000), *Group sequential methods with applications to clinical trials*, chapter 19.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.errors import InvalidInput
from analysis.quadrature import panel
from analysis.spending import Spending, require_times

Floats = NDArray[np.float64]

_REACH = 9.0
"""Where the density is cut, in standard deviations: beyond lies 1e-19."""

_Z_LIMIT = 38.0
"""The normal tail beyond is below 1e-316."""

DEFAULT_SPENDING = Spending()


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The paths that have not crossed up to a look: where they are and with what probability.

    Attributes
    ----------
    time
        Information fraction of the look.
    points, masses
        Quadrature points on the scale of S and the probability at each.
    drift
        Expected S(1): 0 under the hypothesis.
    """

    time: float
    points: Floats
    masses: Floats
    drift: float

    @classmethod
    def start(cls, drift: float = 0.0) -> "Walk":
        """At time 0 every path is at 0."""
        return cls(0.0, np.zeros(1), np.ones(1), drift)

    def above(self, time: float, z: float | Floats) -> Floats:
        """Probability of having continued so far and being above z at the next look; z may be an array."""
        step = time - self.time
        reached = np.multiply.outer(np.atleast_1d(z) * math.sqrt(time), np.ones(len(self.points)))
        away = (reached - self.points - self.drift * step) / math.sqrt(step)
        tail: Floats = special.ndtr(-away) @ self.masses
        return tail

    def onward(self, time: float, low: float, high: float) -> "Walk":
        """The paths between two z-values at the next look."""
        root, centre = math.sqrt(time), self.drift * time
        left = max(low * root, centre - _REACH * root)
        right = min(high * root, centre + _REACH * root)
        step = time - self.time
        if right <= left:
            return Walk(time, np.array([centre]), np.zeros(1), self.drift)
        # Four points to each standard deviation of the kernel leave an error of some 1e-10.
        points, weights = panel(left, right, 32 + 4 * (right - left) / math.sqrt(step))
        away = (points[:, np.newaxis] - self.points - self.drift * step) / math.sqrt(step)
        density = np.exp(-0.5 * away * away) @ self.masses / math.sqrt(2 * math.pi * step)
        return Walk(time, points, weights * density, self.drift)


def spending_boundaries(
    times: Sequence[float], alpha: float, spending: Spending = DEFAULT_SPENDING, *, sides: int = 2
) -> tuple[float, ...]:
    """The z-value to pass at each look so that the spending is kept.

    Parameters
    ----------
    times
        Information fractions of the looks, rising; they may end before or after 1.
    alpha
        Error rate of *each* side.
    spending
        How it is given out.
    sides
        2 for symmetric boundaries, where a path that crossed below is gone; 1 for an upper one only.

    Returns
    -------
    tuple of float
        Infinite at a look that spends nothing.

    Examples
    --------
    >>> [round(z, 3) for z in spending_boundaries([0.2, 0.4, 0.6, 0.8, 1.0], 0.025)]
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    looks = tuple(float(t) for t in times)
    require_times(looks)
    if not 0 < alpha < 1 or (sides == 2 and alpha > 0.5):
        raise InvalidInput(f"alpha: expected an error rate for each side, not {alpha}")
    return _spending_boundaries(looks, alpha, spending, sides)


@lru_cache(maxsize=512)
def _spending_boundaries(
    times: tuple[float, ...], alpha: float, spending: Spending, sides: int
) -> tuple[float, ...]:
    walk, found, spent = Walk.start(), [], 0.0
    for time in times:
        allowed = spending.spent(time, alpha)
        z = _level(walk, time, allowed - spent)
        spent = max(spent, allowed)
        found.append(z)
        walk = walk.onward(time, -z if sides == 2 else -math.inf, z)
    return tuple(found)


def classical_boundaries(
    looks: int, alpha: float, *, exponent: float = 0.5, sides: int = 2
) -> tuple[float, ...]:
    """Boundaries C / t^exponent for equally spaced looks: ½ is O'Brien and Fleming's, 0 Pocock's.

    Parameters
    ----------
    looks
        Their number K; the fractions are 1/K … 1.
    alpha
        Error rate of each side.

    Examples
    --------
    >>> round(classical_boundaries(5, 0.025, exponent=0.0)[-1], 3)
    2.413
    """
    if looks < 1:
        raise InvalidInput(f"looks: expected at least one, not {looks}")
    from scipy import optimize

    times = [(k + 1) / looks for k in range(looks)]

    def excess(constant: float) -> float:
        upper = [constant / t**exponent for t in times]
        return float(sum(crossing_probabilities(times, upper, sides=sides))) - alpha

    # Not below a single look's boundary, not above Bonferroni's.
    ends = -float(special.ndtri(alpha)) - 1e-9, -float(special.ndtri(alpha / looks)) + 1e-9
    constant = float(optimize.brentq(excess, *ends, xtol=1e-10))
    return tuple(constant / t**exponent for t in times)


def crossing_probabilities(
    times: Sequence[float], upper: Sequence[float], *, drift: float = 0.0, sides: int = 2
) -> list[float]:
    """Probability of crossing the upper boundary at each look, not having crossed before.

    Parameters
    ----------
    times, upper
        Information fractions and z-values.
    drift
        Expected S(1) = θ·√I_max.
    sides
        2 when the mirrored lower boundary also stops.

    Examples
    --------
    >>> round(sum(crossing_probabilities([0.5, 1.0], [2.797, 1.977])), 4)
    0.025
    """
    require_times(tuple(times))
    walk, crossed = Walk.start(drift), []
    for time, z in zip(times, upper, strict=True):
        crossed.append(float(walk.above(time, z)[0]))
        walk = walk.onward(time, -z if sides == 2 else -math.inf, z)
    return crossed


def drift_for_power(times: Sequence[float], upper: Sequence[float], power: float, *, sides: int = 2) -> float:
    """The drift at which the upper boundary is crossed with the given probability.

    Its square divided by (z_α + z_β)² is the inflation of the fixed sample size.

    Examples
    --------
    >>> bounds = spending_boundaries([1 / 3, 2 / 3, 1.0], 0.025, sides=1)
    >>> drift = drift_for_power([1 / 3, 2 / 3, 1.0], bounds, 0.8, sides=1)
    >>> round(drift**2 / (1.959964 + 0.841621) ** 2, 3)
    1.013
    """
    if not 0 < power < 1:
        raise InvalidInput(f"power: expected a probability between 0 and 1, not {power}")

    from scipy import optimize

    def excess(drift: float) -> float:
        return sum(crossing_probabilities(times, upper, drift=drift, sides=sides)) - power

    return float(optimize.brentq(excess, -20.0, 40.0, xtol=1e-10))


@dataclass(frozen=True, slots=True)
class SequentialCost:
    """What looking early costs and saves, in units of the fixed-horizon sample size.

    Attributes
    ----------
    inflation
        Planned size at full information.
    expected_with_effect, expected_without_effect
        Mean size at which it stops.
    cumulative_power
        Probability of having claimed the effect, by look.
    """

    boundaries: tuple[float, ...]
    drift: float
    inflation: float
    expected_with_effect: float
    expected_without_effect: float
    cumulative_power: tuple[float, ...]


def group_sequential_cost(
    times: Sequence[float],
    spending: Spending = DEFAULT_SPENDING,
    *,
    alpha: float = 0.025,
    power: float = 0.8,
    sides: int = 2,
) -> SequentialCost:
    """Compare a group-sequential plan with a single look of the same power.

    Parameters
    ----------
    alpha
        Error rate of each side.

    Examples
    --------
    >>> cost = group_sequential_cost([1 / 3, 2 / 3, 1.0], sides=1)
    >>> round(cost.inflation, 4), round(cost.expected_with_effect, 4)
    (1.0128, 0.8656)
    """
    upper = spending_boundaries(times, alpha, spending, sides=sides)
    drift = drift_for_power(times, upper, power, sides=sides)
    fixed = -float(special.ndtri(alpha)) + float(special.ndtri(power))
    inflation = (drift / fixed) ** 2
    with_effect = crossing_probabilities(times, upper, drift=drift, sides=sides)
    without = [sides * each for each in crossing_probabilities(times, upper, sides=sides)]
    return SequentialCost(
        upper,
        drift,
        inflation,
        inflation * _mean_stop(times, with_effect),
        inflation * _mean_stop(times, without),
        tuple(np.cumsum(with_effect).tolist()),
    )


def _mean_stop(times: Sequence[float], crossed: Sequence[float]) -> float:
    """Mean information at the end, when paths that never cross run to the last look."""
    early = list(crossed[:-1])
    return math.fsum(t * p for t, p in zip(times, early, strict=False)) + times[-1] * (1 - math.fsum(early))


def _level(walk: Walk, time: float, probability: float) -> float:
    """The z-value that is passed with a given probability at the next look."""
    if probability <= 1e-307:
        return math.inf
    from scipy import optimize  # a quarter of a second that most readers of a result never need

    target = math.log(probability)

    def excess(z: float) -> float:
        tail = float(walk.above(time, z)[0])
        return (math.log(tail) if tail > 0 else -800.0) - target

    return float(optimize.brentq(excess, -_REACH, _Z_LIMIT, xtol=1e-11, rtol=1e-13))
