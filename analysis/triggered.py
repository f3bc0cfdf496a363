"""Triggered: only some users could have noticed the change, and the effect on all is a fraction of theirs.

The test is made on the triggered units alone, which is many times more sensitive; their split must be checked
by itself, because a trigger that depends on the treatment breaks the comparison.

References
----------
Kohavi, Tang, Xu (2020), *Trustworthy online controlled experiments*, chapter 20.
"""

from dataclasses import dataclass, replace

from analysis.errors import InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.sample_ratio import Check, srm


@dataclass(frozen=True, slots=True)
class DilutedEffect:
    """The effect over everybody, as a mean per unit and relative to everybody's mean."""

    difference: Estimate
    lift: float | None


def dilute(effect: Estimate, *, triggered: int, everybody: int, control_mean: float) -> DilutedEffect:
    """Spread the effect on triggered units over everybody.

    Parameters
    ----------
    effect
        Difference among the triggered.
    triggered, everybody
        Units of the control.
    control_mean
        The metric's mean over everybody in the control.

    Examples
    --------
    >>> whole = dilute(Estimate(2.0, 0.5, 200, 198, "mean"), triggered=100, everybody=1000, control_mean=4.0)
    >>> whole.difference.value, whole.lift
    (0.2, 0.05)
    """
    if not 0 < triggered <= everybody:
        raise InvalidInput("triggered: expected from 1 to everybody")
    rate = triggered / everybody
    whole = replace(
        effect,
        value=rate * effect.value,
        standard_error=rate * effect.standard_error,
        n=everybody,
        method="diluted",
        anchor=None,
    )
    return DilutedEffect(whole, whole.value / abs(control_mean) if control_mean else None)


def trigger_check(triggered: dict[str, int], weights: dict[str, float]) -> Check | NotEstimable:
    """The sample-ratio check among triggered units.

    Examples
    --------
    >>> trigger_check({"a": 500, "b": 640}, {"a": 1, "b": 1}).passed
    False
    """
    return srm(triggered, weights)
