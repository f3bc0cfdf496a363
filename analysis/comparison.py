"""Comparisons: a treatment against the control, as a difference and as a lift.

One test decides. The difference interval, the lift interval and the p-value are all inversions of it: they
exclude "no change" together or not at all.
"""

import math
from dataclasses import dataclass

from analysis.effects import difference as difference_of
from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate
from analysis.inference import FixedHorizon, Inference
from analysis.interval import Interval
from analysis.lift import LiftMethod, Relative, lift_interval

__all__ = ["Comparison", "Interval", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A treatment against the control.

    Attributes
    ----------
    difference
        Absolute: treatment − control.
    lift
        Relative to the control's mean; positive means more, also when that mean is negative. None where the
        control's mean is zero.
    statistic
        Difference divided by its standard error.
    df
        Degrees of freedom of the standard error.
    p_value
        Two-sided, from the same test as the intervals.
    method, inference, confidence
        How it was computed.
    """

    treatment: Estimate
    control: Estimate
    difference: Interval
    lift: Interval | None
    standard_error: float
    statistic: float
    df: float
    p_value: float
    method: str
    inference: str
    confidence: float

    @property
    def significant(self) -> bool:
        """Whether the interval excludes no change."""
        return self.difference.excludes_zero


_DEFAULT = FixedHorizon()
_PLAIN = frozenset({"mean", "proportion"})


def compare(
    treatment: Estimate | NotEstimable,
    control: Estimate | NotEstimable,
    inference: Inference = _DEFAULT,
    *,
    lift: LiftMethod = LiftMethod.FIELLER,
) -> Comparison | NotEstimable:
    """Compare a treatment with the control by Welch's unequal-variances test.

    Parameters
    ----------
    treatment, control
        Estimates of the same metric on different units.
    inference
        At which moments the answer is valid, and how sure it is.
    lift
        How the range of lifts is found; the default agrees with the difference test in every case.

    Returns
    -------
    Comparison or NotEstimable
        The latter when an arm has no estimate or neither arm has any variation.

    References
    ----------
    Welch (1947), *The generalization of "Student's" problem when several different population variances are
    involved*, Biometrika 34. Fieller (1954), *Some problems in interval estimation*, JRSS B 16.

    Examples
    --------
    >>> old = Estimate(10.0, 0.3, 400, 399, "mean")
    >>> new = Estimate(11.0, 0.4, 400, 399, "mean")
    >>> answer = compare(new, old)
    >>> round(answer.difference.low, 3), round(answer.difference.high, 3), round(answer.p_value, 4)
    (0.018, 1.982, 0.0459)
    """
    if isinstance(treatment, NotEstimable):
        return treatment
    if isinstance(control, NotEstimable):
        return control
    effect = difference_of(treatment, control)
    if isinstance(effect, NotEstimable):
        return effect
    base = control.value if control.anchor is None else control.anchor.value
    believed = inference.shrink(effect, base=base)
    if believed.standard_error == 0 or not math.isfinite(believed.value / believed.standard_error):
        return NotEstimable(Cause.NOT_FINITE, "the values are beyond the range of floating point")
    return _compared(treatment, control, effect, believed, inference, lift)


def _compared(
    treatment: Estimate,
    control: Estimate,
    effect: Estimate,
    believed: Estimate,
    inference: Inference,
    lift: LiftMethod,
) -> Comparison:
    """Put the answer together from the effect as it was measured and as it is believed."""
    error = believed.standard_error
    width = inference.multiplier(df=effect.df, n=effect.n)
    statistic = believed.value / error
    shrinkage = (error / effect.standard_error) ** 2
    return Comparison(
        treatment=treatment,
        control=control,
        difference=Interval(believed.value, believed.value - width * error, believed.value + width * error),
        lift=lift_interval(Relative.of(believed, control, shrinkage=shrinkage), width, lift),
        standard_error=error,
        statistic=statistic,
        df=effect.df,
        p_value=inference.p_value(statistic, df=effect.df, n=effect.n),
        method="welch" if treatment.method in _PLAIN else treatment.method,
        inference=inference.name,
        confidence=inference.confidence,
    )
