"""Shares: intervals for one proportion, from x successes among n.

The textbook interval p ± z·√(p(1 − p)/n) is not offered: with few successes it covers far too rarely.
Wilson's is the default everywhere; Clopper and Pearson's never covers too rarely and is the widest.

References
----------
Brown, Cai, DasGupta (2001), *Interval estimation for a binomial proportion*, Statistical Science 16.
"""

import math
from collections.abc import Callable

from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.interval import Interval

Method = Callable[[int, int, float], tuple[float, float]]


def share(
    successes: int, n: int, confidence: float = 0.95, *, method: str = "wilson"
) -> Interval | NotEstimable:
    """A proportion with its interval.

    Parameters
    ----------
    successes, n
        Counts, 0 ≤ successes ≤ n.
    method
        ``wilson``, ``wilson_cc``, ``clopper_pearson``, ``agresti_coull`` or ``jeffreys``.

    Raises
    ------
    InvalidInput
        If the counts are impossible or the method is unknown.

    Examples
    --------
    >>> answer = share(120, 1000)
    >>> answer.estimate, round(answer.low, 4), round(answer.high, 4)
    (0.12, 0.1013, 0.1416)
    """
    require_counts(successes, n)
    if method not in _METHODS:
        raise InvalidInput(f"method: expected one of {', '.join(_METHODS)}, not {method!r}")
    if n == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    low, high = _METHODS[method](successes, n, 1 - confidence)
    return Interval(successes / n, low, high)


def require_counts(successes: int, n: int) -> None:
    """Refuse impossible counts."""
    if not 0 <= successes <= n:
        raise InvalidInput(f"successes: expected a count from 0 to n = {n}, not {successes}")


def wilson(x: int, n: int, alpha: float) -> tuple[float, float]:
    """Every p with |p̂ − p| ≤ z·√(p(1 − p)/n): the score interval of Wilson (1927).

    Examples
    --------
    >>> tuple(round(each, 4) for each in wilson(0, 20, 0.05))
    (0.0, 0.1611)
    """
    z = _z(alpha)
    p, share_of_z = x / n, z * z / n
    middle = p + share_of_z / 2
    reach = z * math.sqrt(p * (1 - p) / n + share_of_z / (4 * n))
    low = 0.0 if x == 0 else (middle - reach) / (1 + share_of_z)
    high = 1.0 if x == n else (middle + reach) / (1 + share_of_z)
    return low, high


def wilson_corrected(x: int, n: int, alpha: float) -> tuple[float, float]:
    """Wilson's interval with a continuity correction (Newcombe 1998, method 4)."""
    z = _z(alpha)
    p, square = x / n, z * z
    low = (2 * x + square - 1 - z * _root(square - 2 - 1 / n + 4 * p * (n * (1 - p) + 1))) / (
        2 * (n + square)
    )
    high = (2 * x + square + 1 + z * _root(square + 2 - 1 / n + 4 * p * (n * (1 - p) - 1))) / (
        2 * (n + square)
    )
    return (0.0 if x == 0 else max(0.0, low)), (1.0 if x == n else min(1.0, high))


def clopper_pearson(x: int, n: int, alpha: float) -> tuple[float, float]:
    """Every p that neither exact one-sided binomial test rejects at α/2 (Clopper, Pearson 1934)."""
    low = 0.0 if x == 0 else float(special.betaincinv(x, n - x + 1, alpha / 2))
    high = 1.0 if x == n else float(special.betainccinv(x + 1, n - x, alpha / 2))
    return low, high


def agresti_coull(x: int, n: int, alpha: float) -> tuple[float, float]:
    """The textbook interval after adding z²/2 successes and as many failures (Agresti, Coull 1998)."""
    z = _z(alpha)
    size = n + z * z
    p = (x + z * z / 2) / size
    reach = z * math.sqrt(p * (1 - p) / size)
    return max(0.0, p - reach), min(1.0, p + reach)


def jeffreys(x: int, n: int, alpha: float) -> tuple[float, float]:
    """Equal-tailed posterior interval under the prior Beta(½, ½), not closed at 0 and 1."""
    low = float(special.betaincinv(x + 0.5, n - x + 0.5, alpha / 2))
    return low, float(special.betainccinv(x + 0.5, n - x + 0.5, alpha / 2))


def binomial_test(successes: int, n: int, probability: float = 0.5) -> float | NotEstimable:
    """Two-sided exact p-value: the probability of all counts no likelier than the one that came.

    Examples
    --------
    >>> round(binomial_test(60, 100), 6)
    0.056888
    """
    require_counts(successes, n)
    if n == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    if not 0 < probability < 1:
        raise InvalidInput(f"probability: expected a share between 0 and 1, not {probability}")
    return no_likelier(successes, n, probability)


def no_likelier(x: int, n: int, p: float) -> float:
    """Probability of all counts no likelier than x, for n ≥ 1 and 0 < p < 1.

    The tail with x, and the far part of the other tail found by bisection: the pmf falls on each side.
    """
    mode = math.floor((n + 1) * p)
    limit = _log_pmf(x, n, p) + 1e-7
    if x == mode:
        return 1.0
    if x > mode:
        # Largest count below the mode that is no likelier than x; −1 when there is none.
        low, high = -1, mode
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _log_pmf(middle, n, p) <= limit else (low, middle)
        other = float(special.bdtr(low, n, p)) if low >= 0 else 0.0
        return min(1.0, float(special.betainc(x, n - x + 1, p)) + other)
    return no_likelier(n - x, n, 1 - p)


def _log_pmf(x: int, n: int, p: float) -> float:
    choose = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    return float(choose + special.xlogy(x, p) + special.xlog1py(n - x, -p))


def _z(alpha: float) -> float:
    return -float(special.ndtri(alpha / 2))


def _root(value: float) -> float:
    return math.sqrt(max(0.0, value))


_METHODS: dict[str, Method] = {
    "wilson": wilson,
    "wilson_cc": wilson_corrected,
    "clopper_pearson": clopper_pearson,
    "agresti_coull": agresti_coull,
    "jeffreys": jeffreys,
}
