"""Sample ratio: whether the units arrive in the proportions that were planned.

A mismatch means that the groups differ by more than the treatment: units are lost, doubled or misrouted on
one side, and no result of the experiment can be trusted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable

SRM_LEVEL = 0.001
"""Below this p-value the split counts as wrong: one false alarm in a thousand experiments."""


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a check on the data.

    Attributes
    ----------
    passed
        Whether the results may be read as far as this check goes.
    observed, expected
        Units per variant.
    """

    name: str
    passed: bool
    p_value: float
    statistic: float
    observed: Mapping[str, float]
    expected: Mapping[str, float]
    detail: str = ""


def srm(observed: Mapping[str, int], weights: Mapping[str, float]) -> Check | NotEstimable:
    """Test the split by Pearson's chi-square against the configured weights.

    Parameters
    ----------
    observed
        Units first exposed, by variant.
    weights
        Intended shares in any scale. A variant with weight zero is left out of the sum, the total and the
        degrees of freedom.

    Raises
    ------
    InvalidInput
        If a weight is negative or fewer than two variants have weight.

    References
    ----------
    Fabijan et al. (2019), *Diagnosing sample ratio mismatch in online controlled experiments*, KDD.

    Examples
    --------
    >>> check = srm({"A": 821, "B": 1179}, {"A": 1, "B": 1})
    >>> check.passed, round(check.statistic, 2)
    (False, 64.08)
    """
    if any(weight < 0 or not math.isfinite(weight) for weight in weights.values()):
        raise InvalidInput("weights: expected finite shares from 0")
    shared = {name: weight for name, weight in weights.items() if weight > 0}
    if len(shared) < 2:
        raise InvalidInput("weights: expected at least two variants with a weight above 0")
    counts = {name: observed.get(name, 0) for name in shared}
    total, whole = sum(counts.values()), math.fsum(shared.values())
    if not total:
        return NotEstimable(Cause.NO_UNITS, "no unit has been exposed")
    expected = {name: total * weight / whole for name, weight in shared.items()}
    statistic = math.fsum((counts[name] - e) ** 2 / e for name, e in expected.items())
    p_value = float(special.chdtrc(len(shared) - 1, statistic))
    return Check("srm", p_value >= SRM_LEVEL, p_value, statistic, counts, expected)


def expected_range(n: int, share: float, level: float = SRM_LEVEL) -> tuple[float, float]:
    """The range in which a variant's share of n units should lie, by the normal approximation.

    Examples
    --------
    >>> low, high = expected_range(10_000, 0.5)
    >>> round(low, 4), round(high, 4)
    (0.4835, 0.5165)
    """
    if n < 1:
        return 0.0, 1.0
    spread = -float(special.ndtri(level / 2)) * math.sqrt(share * (1 - share) / n)
    return max(0.0, share - spread), min(1.0, share + spread)
