"""Permutation: a test that leans on the random assignment alone.

If the treatment does nothing, every split of the units was as likely as the one that happened, so the
p-value is a count. Exact up to some twenty units, by Monte Carlo beyond.
"""

import math
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, InvalidInput, NotEstimable

EXACT_LIMIT = 3_000_000
"""Above this number of splits, ask `monte_carlo_test`."""

_CHUNK = 50_000
_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """P-values of a difference in means over all splits.

    ``p_value`` counts the splits at least as far from the expectation as the one that happened, on either
    side; ``p_doubled`` is twice the smaller tail. They differ where the distribution is not symmetric, and
    ours is the first.
    """

    p_value: float
    p_doubled: float
    p_greater: float
    p_less: float
    splits: int


def exact_test(treatment: ArrayLike, control: ArrayLike) -> PermutationTest | NotEstimable:
    """Compare the treatment's sum with its distribution over every split of the units.

    Raises
    ------
    InvalidInput
        If there are more splits than can be counted; use `monte_carlo_test` then.

    References
    ----------
    Pitman (1937), *Significance tests which may be applied to samples from any populations*, JRSS Suppl. 4.

    Examples
    --------
    >>> test = exact_test([3.0, 4.0], [1.0, 2.0])
    >>> test.splits, round(test.p_value, 4), round(test.p_greater, 4)
    (6, 0.3333, 0.1667)
    """
    pool, size = _pool(treatment, control)
    if isinstance(pool, NotEstimable):
        return pool
    splits = math.comb(len(pool), size)
    if splits > EXACT_LIMIT:
        raise InvalidInput(f"treatment, control: {splits} splits are too many to count; use monte_carlo_test")
    chosen = combinations(range(len(pool)), size)
    sums = np.empty(splits)
    for start in range(0, splits, _CHUNK):
        rows = np.array(list(islice(chosen, _CHUNK)))
        sums[start : start + len(rows)] = pool[rows].sum(axis=1)
    return _count(sums, float(pool[:size].sum()))


def monte_carlo_test(
    treatment: ArrayLike, control: ArrayLike, *, rng: np.random.Generator, splits: int = 10_000
) -> PermutationTest | NotEstimable:
    """Compare with a random choice of splits, the one that happened always among them.

    References
    ----------
    Phipson, Smyth (2010), *Permutation P-values should never be zero*, Stat. Applications in Genetics 9.

    Examples
    --------
    >>> test = monte_carlo_test([9.0, 8.0, 7.0], [1.0, 2.0, 3.0], rng=np.random.default_rng(1), splits=999)
    >>> 0.05 < test.p_value < 0.15
    True
    """
    pool, size = _pool(treatment, control)
    if isinstance(pool, NotEstimable):
        return pool
    sums = np.array([pool[rng.permutation(len(pool))[:size]].sum() for _ in range(splits)])
    happened = float(pool[:size].sum())
    return _count(np.append(sums, happened), happened)


def _pool(treatment: ArrayLike, control: ArrayLike) -> tuple[NDArray[np.float64] | NotEstimable, int]:
    new, old = np.asarray(treatment, dtype=np.float64), np.asarray(control, dtype=np.float64)
    pool = np.concatenate([new, old])
    if not np.isfinite(pool).all():
        raise InvalidInput("treatment, control: expected finite numbers")
    if not len(new) or not len(old):
        return NotEstimable(Cause.NO_UNITS, "an arm is empty"), 0
    if np.ptp(pool) == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value"), 0
    # Centred, so that sums of large numbers do not round equal splits apart.
    return pool - pool.mean(), len(new)


def _count(sums: NDArray[np.float64], happened: float) -> PermutationTest:
    slack = _TIE * max(1.0, float(np.abs(sums).max()))
    greater = float(np.mean(sums >= happened - slack))
    less = float(np.mean(sums <= happened + slack))
    # The pool is centred, so the expectation of the treatment's sum is zero.
    far = float(np.mean(np.abs(sums) >= abs(happened) - slack))
    return PermutationTest(far, min(1.0, 2 * min(greater, less)), greater, less, len(sums))
