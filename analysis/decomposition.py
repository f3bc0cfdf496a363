"""Decomposition: how much of a product's change each of its factors explains.

Revenue is visitors × conversion × orders per buyer × order value; when it moves, every factor has a share in
that, and the shares should add up to the whole, whichever factor is looked at first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.errors import Cause, InvalidInput, NotEstimable


@dataclass(frozen=True, slots=True)
class Part:
    """One factor's share in a change.

    Attributes
    ----------
    contribution
        In the units of the product; the contributions of all factors add up to its change.
    change
        Of the factor itself, relative to before.
    """

    name: str
    before: float
    after: float
    contribution: float
    change: float


def decompose(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Part, ...] | NotEstimable:
    """Split the change of a product among its factors by logarithmic means.

    A factor contributes L·ln(after / before) with L the logarithmic mean of the product before and after: the
    only split that is exact, has no remainder and does not depend on an order of the factors.

    References
    ----------
    Ang (2005), *The LMDI approach to decomposition analysis: a practical guide*, Energy Policy 33.

    Examples
    --------
    >>> parts = decompose({"visitors": 100, "conversion": 0.1}, {"visitors": 200, "conversion": 0.1})
    >>> [(part.name, round(part.contribution, 6)) for part in parts]
    [('visitors', 10.0), ('conversion', 0.0)]
    """
    if before.keys() != after.keys() or not before:
        raise InvalidInput("before and after: expected the same factors, one at least")
    values = [*before.values(), *after.values()]
    if not all(math.isfinite(value) and value > 0 for value in values):
        return NotEstimable(Cause.NO_UNITS, "a factor was nought or unknown, so nothing can be shared out")
    first = math.prod(before.values())
    growth = math.fsum(math.log(after[name] / before[name]) for name in before)
    weight = first * (math.expm1(growth) / growth if growth else 1.0)
    return tuple(
        Part(
            name,
            before[name],
            after[name],
            weight * math.log(after[name] / before[name]),
            after[name] / before[name] - 1,
        )
        for name in before
    )
