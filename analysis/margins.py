"""Margins: not worse than, better by at least, and as good as.

A guardrail asks whether harm beyond a margin can be ruled out, an equivalence test whether the whole effect
lies between two limits. Both are one-sided questions to the same effect and standard error as ever, so they
work under every inference.
"""

from dataclasses import dataclass, replace

from analysis.effects import Answer, assess, difference
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.inference import FixedHorizon, Inference
from analysis.lift import Relative, contrast_df

_DEFAULT = FixedHorizon()


@dataclass(frozen=True, slots=True)
class MarginTest:
    """Whether harm beyond a margin is ruled out.

    Attributes
    ----------
    contrast
        The effect measured from the margin, with the sign turned so that positive is good.
    bound
        The one-sided confidence bound of the effect itself, on the side of harm.
    passed
        Whether the bound is on the good side of the margin.
    """

    contrast: Estimate
    statistic: float
    p_value: float
    bound: float
    passed: bool


@dataclass(frozen=True, slots=True)
class EquivalenceTest:
    """Two one-sided tests: above the lower limit and below the upper one.

    ``p_value`` is the larger of the two, and ``low`` to ``high`` the interval at 1 − 2·α that lies inside the
    limits exactly when it is below α.
    """

    p_above: float
    p_below: float
    p_value: float
    low: float
    high: float
    passed: bool


def noninferiority(
    effect: Estimate, margin: float, inference: Inference = _DEFAULT, *, more_is_better: bool = True
) -> MarginTest | NotEstimable:
    """Test that an effect is not worse than a margin in the metric's own unit.

    Parameters
    ----------
    effect
        A difference.
    margin
        The harm that is tolerated, at least 0. A negative margin asks for superiority by that much.
    inference
        Its confidence is that of the one-sided bound.
    more_is_better
        The metric's direction.

    Examples
    --------
    >>> test = noninferiority(Estimate(-0.005, 0.57, 120, 117.5, "mean"), 1.0)
    >>> test.passed, round(test.p_value, 4), round(test.bound, 3)
    (True, 0.0417, -0.95)
    """
    sign = 1.0 if more_is_better else -1.0
    contrast = replace(effect, value=sign * effect.value + margin)
    answer = assess(contrast, inference)
    if isinstance(answer, NotEstimable):
        return answer
    return _margin_test(answer, bound=sign * (answer.low - margin))


def relative_noninferiority(
    treatment: Estimate,
    control: Estimate,
    margin: float,
    inference: Inference = _DEFAULT,
    *,
    more_is_better: bool = True,
) -> MarginTest | NotEstimable:
    """Test that a treatment is not worse than the control by more than a share of the control's mean.

    With a margin of r the contrast is m₁ − (1 − r)·m₀, or (1 + r)·m₀ − m₁ where less is better; the control's
    own uncertainty is part of its standard error, which an absolute margin of r·m₀ would forget.

    Parameters
    ----------
    margin
        The tolerated share, from 0 to below 1.

    Returns
    -------
    MarginTest or NotEstimable
        ``bound`` is on the scale of the contrast. A control with a mean that is not positive has no
        meaningful share.

    References
    ----------
    Pigeot, Schäfer, Röhmel, Hauschke (2003), *Assessing non-inferiority of a new treatment in a three-arm
    clinical trial*, Statistics in Medicine 22, for the contrast. Schultzberg, Ankargren, Frånberg (2024),
    *Risk-aware product decisions in A/B tests with multiple metrics*, arXiv 2402.11609, for several
    guardrails at once: all must pass, so no correction of the level.

    Examples
    --------
    >>> old, new = Estimate(10.0, 0.1, 500, 499, "mean"), Estimate(9.9, 0.1, 500, 499, "mean")
    >>> relative_noninferiority(new, old, 0.05).passed
    True
    """
    if not 0 <= margin < 1:
        raise InvalidInput(f"margin: expected a share from 0 to below 1, not {margin}")
    if control.value <= 0:
        return NotEstimable(Cause.ZERO_DENOMINATOR, "a relative margin needs a positive control mean")
    sign = 1.0 if more_is_better else -1.0
    factor = 1 - sign * margin
    scaled = factor * control.standard_error
    df = _df(treatment, control, scaled)
    error = (treatment.standard_error**2 + scaled**2) ** 0.5
    value = sign * (treatment.value - factor * control.value)
    contrast = Estimate(value, error, treatment.n + control.n, df, "relative_margin")
    answer = assess(contrast, inference)
    return answer if isinstance(answer, NotEstimable) else _margin_test(answer, bound=answer.low)


def limit_p(
    treatment: Estimate,
    control: Estimate,
    limit: float,
    inference: Inference = _DEFAULT,
    *,
    more_is_better: bool = True,
) -> float | NotEstimable:
    """The one-sided p-value of "the lift is beyond a harm limit".

    It tests D − limit·|m₀| with the covariance of the difference and the control, which is what Fieller's
    interval inverts: it falls below α/2 exactly when the whole interval of lifts at 1 − α is on the good side
    of the limit. Adjusted estimates are measured from the unadjusted control, as lifts are.

    Parameters
    ----------
    limit
        The lift at which harm begins.
    more_is_better
        The metric's direction.

    References
    ----------
    Pigeot, Schäfer, Röhmel, Hauschke (2003), *Assessing non-inferiority of a new treatment in a three-arm
    clinical trial*, Statistics in Medicine 22.

    Examples
    --------
    >>> old, new = Estimate(10.0, 0.1, 500, 499, "mean"), Estimate(9.9, 0.1, 500, 499, "mean")
    >>> round(limit_p(new, old, -0.05), 4)
    0.0019
    """
    effect = difference(treatment, control)
    if isinstance(effect, NotEstimable):
        return effect
    base = control.value if control.anchor is None else control.anchor.value
    believed = inference.shrink(effect, base=base)
    pull = (believed.standard_error / effect.standard_error) ** 2
    change = Relative.of(believed, control, shrinkage=pull)
    if base == 0 or not change.error_at(limit * (1 if base > 0 else -1)) > 0:
        return NotEstimable(Cause.ZERO_DENOMINATOR, "a relative limit needs a control mean")
    sign = 1.0 if more_is_better else -1.0
    distance = sign * (change.lift - limit) / change.error_at(limit * (1 if base > 0 else -1))
    both = inference.p_value(distance, df=effect.df, n=effect.n)
    return both / 2 if distance > 0 else 1 - both / 2


def equivalence(
    effect: Estimate, low: float, high: float, inference: Inference = _DEFAULT
) -> EquivalenceTest | NotEstimable:
    """Test that an effect lies between two limits, by two one-sided tests.

    Parameters
    ----------
    low, high
        The limits in the metric's own unit.
    inference
        Its α is that of each one-sided test.

    References
    ----------
    Schuirmann (1987), *A comparison of the two one-sided tests procedure and the power approach*, J.
    Pharmacokinetics and Biopharmaceutics 15.

    Examples
    --------
    >>> test = equivalence(Estimate(0.2, 0.5, 120, 117.0, "mean"), -1.5, 1.5)
    >>> test.passed, round(test.p_value, 4)
    (True, 0.0053)
    """
    if not low < high:
        raise InvalidInput(f"low, high: expected limits in order, not {low} and {high}")
    above, below = assess(effect, inference, null=low), assess(effect, inference, null=high)
    if isinstance(above, NotEstimable):
        return above
    if isinstance(below, NotEstimable):
        return below
    return EquivalenceTest(
        p_above=above.p_greater,
        p_below=below.p_less,
        p_value=max(above.p_greater, below.p_less),
        low=above.low,
        high=above.high,
        passed=low < above.low and above.high < high,
    )


def _margin_test(answer: Answer, *, bound: float) -> MarginTest:
    return MarginTest(answer.effect, answer.statistic, answer.p_greater, bound, passed=answer.low > 0)


def _df(treatment: Estimate, control: Estimate, scaled: float) -> float:
    if treatment.standard_error == 0 and scaled == 0:
        return control.df
    return contrast_df(treatment.standard_error, scaled, treatment.df, control.df)
