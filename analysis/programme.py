"""The programme: what many experiments say together, when one remembers that the best were picked.

A shipped variant was shipped because its estimate was large, so its estimate is too large on average. Each
effect is therefore pulled towards zero as far as all concluded experiments together suggest, before anything
is added up.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.errors import NotEstimable
from analysis.estimate import Estimate
from analysis.interval import Interval
from analysis.plan import Direction
from analysis.readout import Finding
from analysis.shares import share
from analysis.shrinkage import posterior_from_history

Z = 1.959963984540054
"""Standard errors on each side of an interval of 95 per cent."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A concluded experiment: the lift of its first primary metric, positive when better.

    ``shipped`` is the share of people who got it, from 0 to 1.
    """

    experiment: str
    metric: str
    effect: Estimate
    shipped: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What was measured, and what is expected to remain of it."""

    experiment: str
    metric: str
    shipped: float
    measured: Interval
    expected: Interval


@dataclass(frozen=True, slots=True)
class Impact:
    """What all variants that were shipped did to one metric together: measured, and expected to remain."""

    metric: str
    shipped: int
    measured: float
    expected: float


def effect_of(finding: Finding, direction: Direction) -> Estimate | None:
    """The lift of a finding as an estimate, positive when better; None where it has none.

    Its standard error is that of the difference relative to the control's value.
    """
    if finding.lift is None or not finding.standard_error or not finding.control_value:
        return None
    error = finding.standard_error / abs(finding.control_value)
    n = finding.treatment_n + finding.control_n
    return Estimate(finding.lift.estimate * direction.sign, error, n, math.inf, "lift")


def shrink_effects(trials: Sequence[Trial]) -> list[Effect]:
    """Shrink every effect by what all of them say about the size of effects.

    One experiment alone says nothing about the others, so nothing is given below two.

    Examples
    --------
    >>> def trial(name, lift):
    ...     return Trial(name, "paid", Estimate(lift, 0.02, 1000, math.inf, "lift"), 1.0)
    >>> first, *_ = shrink_effects([trial("a", 0.09), trial("b", 0.01), trial("c", -0.03)])
    >>> 0 < first.expected.estimate < first.measured.estimate
    True
    """
    history = [trial.effect for trial in trials]
    effects = []
    for trial in trials:
        left = posterior_from_history(trial.effect, history)
        if isinstance(left, NotEstimable):
            continue
        value, reach = trial.effect.value, Z * trial.effect.standard_error
        measured = Interval(value, value - reach, value + reach)
        expected = Interval(left.mean, left.low, left.high)
        effects.append(Effect(trial.experiment, trial.metric, trial.shipped, measured, expected))
    return effects


def add_up(effects: Iterable[Effect]) -> list[Impact]:
    """Multiply up what was shipped, metric by metric, each as far as it was rolled out.

    Examples
    --------
    >>> one = Effect("a", "paid", 1.0, Interval(0.1, 0, 0.2), Interval(0.05, 0, 0.1))
    >>> [impact] = add_up([one, one])
    >>> round(impact.measured, 3), round(impact.expected, 4)
    (0.21, 0.1025)
    """
    shipped: dict[str, list[Effect]] = {}
    for effect in effects:
        if effect.shipped:
            shipped.setdefault(effect.metric, []).append(effect)
    return [
        Impact(
            metric,
            len(those),
            math.prod(1 + each.shipped * each.measured.estimate for each in those) - 1,
            math.prod(1 + each.shipped * each.expected.estimate for each in those) - 1,
        )
        for metric, those in shipped.items()
    ]


def win_rate(wins: int, concluded: int) -> Interval | None:
    """The share of concluded experiments that shipped something, with its range; None before the first."""
    rate = share(wins, concluded)
    return None if isinstance(rate, NotEstimable) else rate
