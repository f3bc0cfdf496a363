"""Effects: differences as estimates, and what an inference says about any one of them.

A difference of two arms, a regression coefficient and a stratified sum are all the same thing to an
inference: a value with a standard error. That is why everything in this room can be read under every
inference.
"""

import math
from dataclasses import dataclass

from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate
from analysis.inference import FixedHorizon, Inference
from analysis.interval import Interval
from analysis.lift import contrast_df
from analysis.moments import Moments

_DEFAULT = FixedHorizon()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an inference says about an effect.

    ``p_value`` and ``interval`` come from one two-sided test; ``low`` and ``high`` bound the effect from
    one side each, at the same confidence.
    """

    effect: Estimate
    interval: Interval
    statistic: float
    p_value: float
    p_greater: float
    p_less: float
    low: float
    high: float
    inference: str
    confidence: float


def difference(treatment: Estimate, control: Estimate) -> Estimate | NotEstimable:
    """Subtract two independent estimates: Welch's standard error and degrees of freedom.

    References
    ----------
    Welch (1947), *The generalization of "Student's" problem when several different population variances are
    involved*, Biometrika 34.

    Examples
    --------
    >>> effect = difference(Estimate(5.0, 0.3, 10, 9, "mean"), Estimate(4.0, 0.4, 10, 9, "mean"))
    >>> effect.value, effect.standard_error, round(effect.df, 2)
    (1.0, 0.5, 16.69)
    """
    error = math.hypot(treatment.standard_error, control.standard_error)
    if error == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    value = treatment.value - control.value
    if not (math.isfinite(value) and math.isfinite(error) and math.isfinite(value / error)):
        return NotEstimable(Cause.NOT_FINITE, "the values are beyond the range of floating point")
    df = contrast_df(treatment.standard_error, control.standard_error, treatment.df, control.df)
    return Estimate(value, error, treatment.n + control.n, df, treatment.method)


def student_difference(treatment: Moments, control: Moments) -> Estimate | NotEstimable:
    """Subtract two means under one common variance: Student's test, for completeness.

    Prefer `difference`: when the variances differ and the arms are unequal this one's error rate is not the
    one that it claims.

    Examples
    --------
    >>> one, other = Moments.from_values([1.0, 2.0, 3.0]), Moments.from_values([2.0, 3.0, 4.0])
    >>> student_difference(one, other).df
    4
    """
    df = treatment.n + control.n - 2
    if min(treatment.n, control.n) < 1 or df < 1:
        return NotEstimable(Cause.TOO_FEW_UNITS, "two arms and at least three units are needed")
    variance = float(treatment.cross[0, 0] + control.cross[0, 0]) / df
    error = math.sqrt(variance) * math.sqrt(1 / treatment.n + 1 / control.n)
    if error == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    return Estimate(treatment.value - control.value, error, treatment.n + control.n, df, "student")


def assess(effect: Estimate, inference: Inference = _DEFAULT, *, null: float = 0.0) -> Answer | NotEstimable:
    """Ask an inference about one effect.

    Parameters
    ----------
    effect
        A difference, a coefficient, any value with a standard error.
    inference
        At which moments the answer is valid, and how sure it is.
    null
        The value under test.

    Examples
    --------
    >>> answer = assess(Estimate(1.0, 0.5, 20, 16.7, "mean"))
    >>> round(answer.p_value, 4), round(answer.interval.low, 4)
    (0.062, -0.0564)
    """
    if effect.standard_error == 0:
        return NotEstimable(Cause.NO_VARIATION, "the effect has no standard error")
    df, n, error = effect.df, effect.n, effect.standard_error
    statistic = (effect.value - null) / error
    if not math.isfinite(statistic):
        return NotEstimable(Cause.NOT_FINITE, "the effect is beyond the range of floating point")
    reach = inference.multiplier(df=df, n=n) * error
    one_sided = inference.one_sided_multiplier(df=df, n=n) * error
    return Answer(
        effect=effect,
        interval=Interval(effect.value, effect.value - reach, effect.value + reach),
        statistic=statistic,
        p_value=inference.p_value(statistic, df=df, n=n),
        p_greater=inference.one_sided_p(statistic, df=df, n=n),
        p_less=inference.one_sided_p(-statistic, df=df, n=n),
        low=effect.value - one_sided,
        high=effect.value + one_sided,
        inference=inference.name,
        confidence=inference.confidence,
    )
