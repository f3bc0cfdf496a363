"""Inference: how sure, and valid at which moments.

An inference turns a test statistic into a p-value and into the width of the interval that inverts the same
test, so the two can never contradict each other. All of them share one face: `multiplier` gives the
half-width in standard errors, `p_value` the smallest level at which the interval would still exclude zero.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

from scipy import special

from analysis.errors import InvalidInput


class Inference(Protocol):
    """What every inference can do.

    ``df`` are the degrees of freedom of the standard error, ``n`` the units behind the comparison.
    """

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        ...

    @property
    def confidence(self) -> float:
        """Coverage of the intervals."""
        ...

    def multiplier(self, *, df: float, n: int) -> float:
        """Half-width of the interval, in standard errors."""
        ...

    def p_value(self, statistic: float, *, df: float, n: int) -> float:
        """Two-sided p-value of the estimate divided by its standard error."""
        ...

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence, for corrected intervals."""
        ...


def _require_confidence(confidence: float) -> None:
    if not 0.5 <= confidence < 1:
        raise InvalidInput(f"confidence: expected a share from 0.5 to below 1, not {confidence}")


@dataclass(frozen=True, slots=True)
class FixedHorizon:
    """One look at the planned end: Student's t with Welch's degrees of freedom."""

    confidence: float = 0.95

    def __post_init__(self) -> None:
        _require_confidence(self.confidence)

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "fixed"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - the inferences share one face
        """Half-width in standard errors: the t quantile at 1 − α/2."""
        return -_t_quantile(df, (1 - self.confidence) / 2)

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Two-sided tail of Student's t."""
        return min(1.0, 2 * _t_tail(df, abs(statistic)))

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence."""
        return replace(self, confidence=confidence)


@dataclass(frozen=True, slots=True)
class Sequential:
    """Valid at every look up to a planned size: continuous O'Brien–Fleming.

    At the information fraction t = n / size the boundary is z(1 − α/4) / √t: by the reflection principle a
    Brownian path crosses ±z(1 − α/4) somewhere on [0, 1] with probability at most α. After the planned size
    the boundary stays where it is.

    Attributes
    ----------
    size
        Planned units over both arms of the comparison.
    """

    size: int
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _require_confidence(self.confidence)
        if self.size < 1:
            raise InvalidInput(f"size: expected a planned number of units, not {self.size}")

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "sequential"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Half-width in standard errors: the boundary at the present information fraction."""
        return -float(special.ndtri((1 - self.confidence) / 4)) / math.sqrt(self._fraction(n))

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose boundary passes through the statistic."""
        return min(1.0, 4 * float(special.ndtr(-abs(statistic) * math.sqrt(self._fraction(n)))))

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence."""
        return replace(self, confidence=confidence)

    def _fraction(self, n: int) -> float:
        return min(1.0, n / self.size)


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """Valid at every look, for ever: the asymptotic confidence sequence.

    Attributes
    ----------
    optimum
        Units over both arms at which the interval is tightest; fixed in the plan before any data.
    tuned_for
        The confidence at which it is tightest there: the plan's own, also when a correction asks for
        intervals at another. A p-value must not depend on the level that is asked.

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), *Time-uniform central limit theory and asymptotic
    confidence sequences*, Annals of Statistics; arXiv 2103.06476, equation 9.
    """

    optimum: int = 10_000
    confidence: float = 0.95
    tuned_for: float | None = None

    def __post_init__(self) -> None:
        _require_confidence(self.confidence)
        if self.tuned_for is not None:
            _require_confidence(self.tuned_for)
        if self.optimum < 1:
            raise InvalidInput(f"optimum: expected a number of units, not {self.optimum}")

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "always_valid"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Half-width in standard errors of the normal-mixture boundary after n units."""
        weight = n * self._rho_squared
        return math.sqrt(
            2 * (weight + 1) / weight * (0.5 * math.log1p(weight) - math.log(1 - self.confidence))
        )

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose boundary passes through the statistic."""
        weight = n * self._rho_squared
        logarithm = 0.5 * math.log1p(weight) - statistic * statistic * weight / (2 * (weight + 1))
        return math.exp(min(0.0, logarithm))

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence, tuned as before."""
        return replace(self, confidence=confidence, tuned_for=self.tuned_for or self.confidence)

    @property
    def _rho_squared(self) -> float:
        alpha = 1 - (self.tuned_for or self.confidence)
        return (-float(special.lambertw(-(alpha**2) / math.e, -1).real) - 1) / self.optimum


def _t_quantile(df: float, p: float) -> float:
    return float(special.ndtri(p) if math.isinf(df) else special.stdtrit(df, p))


def _t_tail(df: float, statistic: float) -> float:
    """Upper tail of Student's t, asked from below so that it keeps its digits down to 1e-300."""
    return float(special.ndtr(-statistic) if math.isinf(df) else special.stdtr(df, -statistic))
