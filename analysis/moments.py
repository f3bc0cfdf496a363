"""Sufficient statistics: how many, the mean, and how the values spread and move together.

Everything on the way to a `Moments` is counting; everything after it is mathematics. Two samples pool by
addition, in any grouping, which is what lets days, files, workers and database engines each contribute
their part of the same answer:

    >>> left, right = Moments.from_values([1.0, 2.0]), Moments.from_values([6.0])
    >>> (left + right).mean.tolist()
    [3.0]

The spread is kept *centred*. Raw sums of squares would be shorter to write and lose every digit of a
variance when the mean is a hundred million and the standard deviation is one.

References
----------
Chan, Golub, LeVeque (1983), *Algorithms for Computing the Sample Variance*, The American Statistician 37(3),
equations 2.1a and 2.1b, here for vectors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import InvalidInput

Floats = NDArray[np.float64]

_quiet = np.errstate(over="ignore", invalid="ignore")
"""Sums that leave the floating range become infinite without a noise; the estimators answer `NOT_FINITE`."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The moments of n units, of one variable or of k together.

    Attributes
    ----------
    n
        Number of units.
    mean
        Shape (k,).
    cross
        Shape (k, k): the sums over units of products of deviations from the mean. Its diagonal divided by
        n − 1 is the sample variance.
    """

    n: int
    mean: Floats
    cross: Floats

    @classmethod
    def empty(cls, k: int = 1) -> Self:
        """The moments of nobody: adding them changes nothing."""
        return cls(0, np.zeros(k), np.zeros((k, k)))

    @classmethod
    @_quiet
    def from_values(cls, values: ArrayLike) -> Self:
        """Measure a sample.

        Parameters
        ----------
        values
            Shape (n,) for one variable or (n, k) for k variables of the same units.

        Raises
        ------
        InvalidInput
            If the array has another shape or holds a value that is not finite.

        Examples
        --------
        >>> sample = Moments.from_values([[1.0, 10.0], [3.0, 30.0]])
        >>> sample.n, sample.mean.tolist(), sample.covariance.tolist()
        (2, [2.0, 20.0], [[2.0, 20.0], [20.0, 200.0]])
        """
        array = np.asarray(values, dtype=np.float64)
        if array.ndim == 1:
            array = array[:, np.newaxis]
        if array.ndim != 2:
            raise InvalidInput(f"values: expected shape (n,) or (n, k), not {array.shape}")
        if not len(array):
            return cls.empty(array.shape[1])
        _require_finite("values", array)
        mean = array.mean(axis=0)
        centred = array - mean
        # Rounding leaves the deviations with a tiny mean of their own; taking it out again is the
        # corrected two-pass algorithm (Chan, Golub, LeVeque, equation 1.7).
        drift = centred.mean(axis=0)
        centred -= drift
        return cls(len(array), mean + drift, centred.T @ centred)

    @classmethod
    def from_summary(cls, *, n: int, mean: ArrayLike, var: ArrayLike) -> Self:
        """Restore moments from figures that somebody else computed.

        Parameters
        ----------
        n
            Number of units.
        mean
            A number, or shape (k,).
        var
            A variance or a (k, k) covariance matrix, with the divisor n − 1.

        Raises
        ------
        InvalidInput
            If the shapes do not fit, a figure is not finite, or a variance or the count is negative.

        Examples
        --------
        >>> Moments.from_summary(n=100, mean=5.0, var=4.0).variance
        4.0
        """
        centre = np.atleast_1d(np.asarray(mean, dtype=np.float64))
        spread = np.asarray(var, dtype=np.float64)
        spread = spread.reshape(1, 1) if spread.ndim == 0 else spread
        k = len(centre)
        if centre.ndim != 1 or spread.shape != (k, k):
            raise InvalidInput(f"var: expected shape {(k, k)} to fit the mean, not {spread.shape}")
        if n < 0:
            raise InvalidInput(f"n: expected a count, not {n}")
        _require_finite("mean", centre)
        _require_finite("var", spread)
        if (np.diagonal(spread) < 0).any():
            raise InvalidInput("var: a variance cannot be negative")
        return cls(n, centre, spread * max(n - 1, 0))

    @classmethod
    def from_counts(cls, *, successes: int, n: int) -> Self:
        """The moments of zeros and ones, from how many there are of each.

        Raises
        ------
        InvalidInput
            Unless 0 ≤ successes ≤ n.

        Examples
        --------
        >>> Moments.from_counts(successes=1, n=4).cross.item()
        0.75
        """
        if not 0 <= successes <= n:
            raise InvalidInput(f"successes: expected a count from 0 to n = {n}, not {successes}")
        if n == 0:
            return cls.empty()
        share = successes / n
        return cls(n, np.array([share]), np.array([[successes * (1 - share)]]))

    @_quiet
    def __add__(self, other: "Moments") -> "Moments":
        """Pool two samples of different units."""
        if self.k != other.k:
            raise InvalidInput(f"cannot pool {self.k} variables with {other.k}")
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.n / n)
        between = np.outer(apart, apart) * (self.n * (other.n / n))
        return Moments(n, mean, self.cross + other.cross + between)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Moments)
            and self.n == other.n
            and np.array_equal(self.mean, other.mean)
            and np.array_equal(self.cross, other.cross)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equality without identity

    @property
    def k(self) -> int:
        """How many variables were measured on each unit."""
        return len(self.mean)

    @property
    def covariance(self) -> Floats:
        """The sample covariance matrix, shape (k, k), divisor n − 1; zeros when n < 2."""
        return self.cross / max(self.n - 1, 1)

    @property
    def variance(self) -> float:
        """The sample variance of the first variable, divisor n − 1; 0 when n < 2."""
        return float(self.cross[0, 0]) / max(self.n - 1, 1)

    @property
    def value(self) -> float:
        """The mean of the first variable."""
        return float(self.mean[0])

    def correlation(self, one: int, other: int) -> float:
        """The correlation of two variables; 0 when one of them does not vary."""
        scale = math.sqrt(float(self.cross[one, one])) * math.sqrt(float(self.cross[other, other]))
        return float(self.cross[one, other]) / scale if scale else 0.0

    def take(self, variables: Sequence[int]) -> "Moments":
        """Keep some of the variables, in the order given."""
        chosen = list(variables)
        if chosen == list(range(self.k)):
            return self
        return Moments(self.n, self.mean[chosen], self.cross[np.ix_(chosen, chosen)])

    @_quiet
    def combine(self, weights: ArrayLike) -> "Moments":
        """The moments of linear combinations of the variables.

        Parameters
        ----------
        weights
            Shape (k,) for one combination or (j, k) for j of them.

        Examples
        --------
        >>> sample = Moments.from_values([[1.0, 10.0], [3.0, 30.0]])
        >>> sample.combine([-10.0, 1.0]).mean.tolist()
        [0.0]
        """
        rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        if rows.shape[1] != self.k:
            raise InvalidInput(f"weights: expected {self.k} a row, not {rows.shape[1]}")
        return Moments(self.n, rows @ self.mean, rows @ self.cross @ rows.T)

    def to_json(self) -> dict[str, Any]:
        """Write as plain numbers that restore to the same moments, bit for bit."""
        return {"n": self.n, "mean": self.mean.tolist(), "cross": self.cross.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(int(document["n"]), np.array(document["mean"]), np.array(document["cross"]))


def _require_finite(name: str, array: Floats) -> None:
    """Refuse what is not finite, naming the first place."""
    broken = ~np.isfinite(array)
    if broken.any():
        place = tuple(int(i) for i in np.argwhere(broken)[0])
        raise InvalidInput(f"{name}: the entry at {place} is {array[place]}, not a finite number")
