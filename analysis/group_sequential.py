"""Group sequential: a few looks, registered in advance, each with its own boundary."""

from dataclasses import dataclass, replace
from typing import Self

from analysis.boundaries import DEFAULT_SPENDING, spending_boundaries
from analysis.errors import InvalidInput
from analysis.inference import Inference, require_confidence
from analysis.spending import Spending, require_times
from analysis.stagewise import repeated_p

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class GroupSequential(Inference):
    """Valid at registered looks, the error rate given out by a spending function.

    The look at hand is the last one: after n of ``size`` planned units it spends what has become available at
    t = n / size since the last registered look before it. A look that comes a little earlier or later than it
    was registered is therefore exact, and one that was never registered should be added to ``looks``, or
    later boundaries will not know of it. A look at which nothing has been spent yet has no boundary: the
    interval is unlimited.

    Attributes
    ----------
    size
        Planned units over both arms of the comparison.
    looks
        Information fractions of the registered looks, rising; they may be past 1 when an experiment ran over.
    spending
        How the error rate is given out.

    References
    ----------
    Lan, DeMets (1983), *Discrete sequential boundaries for clinical trials*, Biometrika 70. Jennison,
    Turnbull (1989), *Interim analyses: the repeated confidence interval approach*, JRSS B 51.

    Examples
    --------
    >>> five = GroupSequential(1000, (0.2, 0.4, 0.6, 0.8, 1.0))
    >>> [round(five.multiplier(df=999.0, n=n), 3) for n in (200, 400, 1000)]
    [4.877, 3.357, 2.031]
    """

    size: int
    looks: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    spending: Spending = DEFAULT_SPENDING
    confidence: float = 0.95

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        require_times(self.looks)
        if self.size < 1:
            raise InvalidInput(f"size: expected a planned number of units, not {self.size}")

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "group_sequential"

    def times(self, n: int) -> tuple[float, ...]:
        """The looks up to now: those registered before, and this one.

        From the last registered look on this one takes its place: it spends all that is left, and an
        experiment that ran over is judged once.
        """
        now = max(n, 1) / self.size
        return (*(look for look in self.looks[:-1] if look < now - _SAME), now)

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Half-width in standard errors: this look's boundary."""
        alpha = (1 - self.confidence) / 2
        return spending_boundaries(self.times(n), alpha, self.spending)[-1]

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Repeated p-value: the level whose boundary at this look passes through the statistic."""
        return min(1.0, 2 * repeated_p(self.times(n), abs(statistic), self.spending, sides=2))

    def one_sided_multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The one-sided boundary of this look."""
        return spending_boundaries(self.times(n), 1 - self.confidence, self.spending, sides=1)[-1]

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """The level whose one-sided boundary passes through the statistic."""
        return repeated_p(self.times(n), statistic, self.spending, sides=1)

    def at_confidence(self, confidence: float) -> Self:
        """The same looks at another confidence."""
        return replace(self, confidence=confidence)
