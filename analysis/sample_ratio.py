"""Sample ratio: whether the units arrive in the proportions that were planned.

A mismatch means that the groups differ by more than the treatment: units are lost, doubled or misrouted on
one side, and no result of the experiment can be trusted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.shares import binomial_test

LEAST_EXPECTED = 5
"""Below so many expected units a cell's chi-square is not one."""

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


@dataclass(frozen=True, slots=True)
class Alike:
    """Whether the units of all variants are spread over some values alike."""

    p_value: float
    statistic: float
    df: int


def alike(table: Mapping[str, Mapping[str, int]]) -> Alike | NotEstimable:
    """Test by Pearson's chi-square that the values of a segment are spread alike in every variant.

    Values too rare for the approximation, with fewer than five units expected in a variant, are taken as one.

    Parameters
    ----------
    table
        Units by value and variant.

    References
    ----------
    Pearson (1900), *On the criterion that a given system of deviations…*, Philosophical Magazine 50. Cochran
    (1952), *The χ² test of goodness of fit*, Annals of Mathematical Statistics 23, for the least expected
    count.

    Examples
    --------
    >>> answer = alike({"ads": {"old": 500, "new": 400}, "mail": {"old": 500, "new": 600}})
    >>> round(answer.statistic, 3), answer.df
    (20.202, 1)
    """
    variants = list(dict.fromkeys(name for row in table.values() for name in row))
    rows = [[row.get(name, 0) for name in variants] for row in table.values()]
    columns = [sum(column) for column in zip(*rows, strict=True)]
    kept = [column for column in columns if column]
    total = sum(kept)
    if not total:
        return NotEstimable(Cause.NO_UNITS, "no unit has been exposed")
    rare = [sum(row) * min(kept) < LEAST_EXPECTED * total for row in rows]
    together = [
        sum(parts) for parts in zip(*(r for r, few in zip(rows, rare, strict=True) if few), strict=True)
    ]
    groups = [row for row, few in zip(rows, rare, strict=True) if not few] + ([together] if together else [])
    groups = [row for row in groups if sum(row)]
    df = (len(groups) - 1) * (len(kept) - 1)
    if not df:
        return NotEstimable(Cause.NO_VARIATION, "one value or one variant has nothing to be compared with")
    statistic = math.fsum(
        (count - sum(row) * column / total) ** 2 / (sum(row) * column / total)
        for row in groups
        for count, column in zip(row, columns, strict=True)
        if column
    )
    return Alike(float(special.chdtrc(df, statistic)), statistic, df)


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


@dataclass(frozen=True, slots=True)
class SequentialCheck:
    """A check of the split that may be asked as often as one likes.

    ``log_bayes_factor`` is that of "some other split" against the planned one after each batch, ``p_values``
    the smallest reciprocal so far; the check fails for good once it falls below the level.
    """

    passed: bool
    p_value: float
    p_values: tuple[float, ...]
    log_bayes_factors: tuple[float, ...]


def srm_sequential(
    batches: Sequence[Sequence[int]],
    weights: Sequence[float],
    *,
    concentration: float = 100.0,
    level: float = SRM_LEVEL,
) -> SequentialCheck | NotEstimable:
    """Test the split after every batch of arrivals by a Dirichlet-mixed multinomial likelihood ratio.

    BF = Γ(k)/∏Γ(k·θ_i) · ∏Γ(k·θ_i + n_i)/Γ(k + n) / ∏θ_i^{n_i}, and the chance that 1/BF ever falls below
    α is at most α when the split is the planned one.

    Parameters
    ----------
    batches
        Units that arrived since the last look, by variant.
    weights
        Intended shares in any scale, in the same order; variants with weight zero are left out.
    concentration
        How far from the plan a wrong split is expected: 100 looks for several per cent, 10,000 for fractions
        of one.

    References
    ----------
    Lindon, Malek (2022), *Anytime-valid inference for multinomial count data*, NeurIPS.

    Examples
    --------
    >>> check = srm_sequential([[50, 52], [48, 51], [60, 45]], [0.5, 0.5])
    >>> [round(math.exp(each), 4) for each in check.log_bayes_factors]
    [0.7097, 0.5999, 0.5605]
    """
    if not concentration > 0:
        raise InvalidInput(f"concentration: expected a number above 0, not {concentration}")
    if any(len(batch) != len(weights) for batch in batches):
        raise InvalidInput("batches: expected a count for each weight")
    planned = _planned_shares(weights)
    counts, factors = [0] * len(weights), []
    for batch in batches:
        counts = [old + new for old, new in zip(counts, batch, strict=True)]
        factors.append(_log_bayes_factor(counts, planned, concentration))
    if not sum(counts):
        return NotEstimable(Cause.NO_UNITS, "no unit has been exposed")
    p_values, lowest = [], 1.0
    for factor in factors:
        lowest = min(lowest, math.exp(min(0.0, -factor)))
        p_values.append(lowest)
    return SequentialCheck(lowest >= level, lowest, tuple(p_values), tuple(factors))


def srm_exact(observed: tuple[int, int], weights: tuple[float, float] = (1.0, 1.0)) -> float | NotEstimable:
    """The exact binomial p-value of a split between two variants, for the first few units.

    Examples
    --------
    >>> round(srm_exact((8, 0)), 6)
    0.007812
    """
    first, second = _planned_shares(weights)
    return binomial_test(observed[0], sum(observed), first / (first + second))


def _planned_shares(weights: Sequence[float]) -> list[float]:
    if any(weight < 0 or not math.isfinite(weight) for weight in weights):
        raise InvalidInput("weights: expected finite shares from 0")
    if sum(weight > 0 for weight in weights) < 2:
        raise InvalidInput("weights: expected at least two variants with a weight above 0")
    whole = math.fsum(weights)
    return [weight / whole for weight in weights]


def _log_bayes_factor(counts: Sequence[int], planned: Sequence[float], concentration: float) -> float:
    kept = [(count, share) for count, share in zip(counts, planned, strict=True) if share > 0]
    n = sum(count for count, _ in kept)
    rising = math.fsum(
        float(special.gammaln(concentration * share + count) - special.gammaln(concentration * share))
        - count * math.log(share)
        for count, share in kept
    )
    return rising - float(special.gammaln(concentration + n) - special.gammaln(concentration))
