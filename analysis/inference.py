"""Inference: how sure, and valid at which moments.

An inference turns a test statistic into a p-value and into the width of the interval that inverts the same
test, so the two can never contradict each other. All of them share one face: `multiplier` gives the
half-width in standard errors, `p_value` the smallest level at which the interval would still exclude zero,
and the one-sided pair does the same for a bound on one side.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

from scipy import special

from analysis import normal_mixture
from analysis.errors import InvalidInput
from analysis.estimate import Estimate


class Inference(Protocol):
    """What every inference can do.

    ``df`` are the degrees of freedom of the standard error, ``n`` the units behind the comparison.
    """

    __slots__ = ()

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

    def one_sided_multiplier(self, *, df: float, n: int) -> float:
        """Distance of a one-sided bound from the estimate, in standard errors."""
        ...

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:
        """P-value against "not above zero"."""
        ...

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence, for corrected intervals."""
        ...

    def shrink(self, effect: Estimate, *, base: float) -> Estimate:  # noqa: ARG002 - for those with a prior
        """What is believed of an effect after seeing it; without a prior, the effect as it is.

        ``base`` is the mean that a relative prior refers to.
        """
        return effect


def require_confidence(confidence: float) -> None:
    """Refuse what is no confidence level."""
    if not 0.5 <= confidence < 1:
        raise InvalidInput(f"confidence: expected a share from 0.5 to below 1, not {confidence}")


@dataclass(frozen=True, slots=True)
class FixedHorizon(Inference):
    """One look at the planned end: Student's t with Welch's degrees of freedom.

    Looking earlier and claiming at the first success breaks its promise: five looks at nothing claim an
    effect 14 times in a hundred instead of five.

    References
    ----------
    Student (1908), *The probable error of a mean*, Biometrika 6. Armitage, McPherson, Rowe (1969),
    *Repeated significance tests on accumulating data*, JRSS A 132.

    Examples
    --------
    >>> round(FixedHorizon().multiplier(df=20.0, n=22), 4)
    2.086
    """

    confidence: float = 0.95

    def __post_init__(self) -> None:
        require_confidence(self.confidence)

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "fixed"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - the inferences share one face
        """Half-width in standard errors: the t quantile at 1 − α/2."""
        return -t_quantile(df, (1 - self.confidence) / 2)

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Two-sided tail of Student's t."""
        return min(1.0, 2 * t_tail(df, abs(statistic)))

    def one_sided_multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The t quantile at 1 − α."""
        return -t_quantile(df, 1 - self.confidence)

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Upper tail of Student's t."""
        return t_tail(df, statistic)

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence."""
        return replace(self, confidence=confidence)


@dataclass(frozen=True, slots=True)
class Sequential(Inference):
    """Valid at every look up to a planned size: continuous O'Brien–Fleming.

    At the information fraction t = n / size the boundary is z(1 − α/4) / √t: by the reflection principle a
    Brownian path crosses ±z(1 − α/4) somewhere on [0, 1] with probability at most α. After the planned size
    the boundary stays where it is.

    Attributes
    ----------
    size
        Planned units over both arms of the comparison.

    References
    ----------
    O'Brien, Fleming (1979), *A multiple testing procedure for clinical trials*, Biometrics 35. Lan, DeMets
    (1983), *Discrete sequential boundaries for clinical trials*, Biometrika 70, for its continuous form.

    Examples
    --------
    >>> plan = Sequential(10_000)
    >>> [round(plan.multiplier(df=999.0, n=n), 4) for n in (2_500, 10_000)]
    [4.4828, 2.2414]
    """

    size: int
    confidence: float = 0.95

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
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

    def one_sided_multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The one-sided boundary z(1 − α/2) / √t."""
        return -float(special.ndtri((1 - self.confidence) / 2)) / math.sqrt(self._fraction(n))

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose one-sided boundary passes through the statistic."""
        return min(1.0, 2 * float(special.ndtr(-statistic * math.sqrt(self._fraction(n)))))

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence."""
        return replace(self, confidence=confidence)

    def _fraction(self, n: int) -> float:
        return min(1.0, n / self.size)


@dataclass(frozen=True, slots=True)
class AlwaysValid(Inference):
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

    Examples
    --------
    >>> plan = AlwaysValid(optimum=10_000)
    >>> [round(plan.multiplier(df=999.0, n=n), 3) for n in (100, 10_000, 1_000_000)]
    [8.944, 3.035, 3.566]
    """

    optimum: int = 10_000
    confidence: float = 0.95
    tuned_for: float | None = None

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        if self.tuned_for is not None:
            require_confidence(self.tuned_for)
        if self.optimum < 1:
            raise InvalidInput(f"optimum: expected a number of units, not {self.optimum}")

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "always_valid"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Half-width in standard errors of the normal-mixture boundary after n units."""
        return normal_mixture.two_sided_width(n * self._rho_squared, 1 - self.confidence)

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose boundary passes through the statistic."""
        return normal_mixture.two_sided_p(statistic, n * self._rho_squared)

    def one_sided_multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Distance of the one-sided boundary after n units, in standard errors."""
        return normal_mixture.one_sided_width(n * self._rho_squared, 1 - self.confidence)

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose one-sided boundary passes through the statistic."""
        return normal_mixture.one_sided_p(statistic, n * self._rho_squared)

    def at_confidence(self, confidence: float) -> Self:
        """The same inference at another confidence, tuned as before."""
        return replace(self, confidence=confidence, tuned_for=self.tuned_for or self.confidence)

    @property
    def _rho_squared(self) -> float:
        return normal_mixture.best_rho_squared(self.optimum, 1 - (self.tuned_for or self.confidence))


def t_quantile(df: float, p: float) -> float:
    """Quantile of Student's t, of the normal where the degrees of freedom are infinite."""
    return float(special.ndtri(p) if math.isinf(df) else special.stdtrit(df, p))


def t_tail(df: float, statistic: float) -> float:
    """Upper tail of Student's t, asked from below so that it keeps its digits down to 1e-300."""
    return float(special.ndtr(-statistic) if math.isinf(df) else special.stdtr(df, -statistic))
