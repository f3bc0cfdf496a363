"""Bayes: what to believe after the data, and what a wrong choice would cost.

A posterior answers "how likely is it that the treatment is better", which is what people ask; it does not
promise an error rate. With a flat prior and twenty looks, shipping at 97.5 % is wrong in a quarter of all
experiments without effect. A prior that knows how small effects usually are repairs much of that.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

from scipy import special

from analysis.errors import InvalidInput
from analysis.estimate import Estimate
from analysis.inference import Inference, require_confidence


@dataclass(frozen=True, slots=True)
class Posterior:
    """A normal posterior of an effect.

    Attributes
    ----------
    probability_better
        That the effect is above zero.
    loss_of_treatment, loss_of_control
        Expected cost of choosing each: E[max(−effect, 0)] and E[max(effect, 0)].
    """

    mean: float
    sd: float
    probability_better: float
    loss_of_treatment: float
    loss_of_control: float
    low: float
    high: float


def normal_posterior(
    effect: Estimate, *, prior_mean: float = 0.0, prior_sd: float = math.inf, confidence: float = 0.95
) -> Posterior:
    """Combine a normal prior with an effect and its standard error.

    Precisions add: 1/sd² = 1/τ² + 1/SE². The expected loss of choosing the treatment is sd·[φ(k) − k·Φ(−k)]
    with k = mean/sd.

    Parameters
    ----------
    prior_mean, prior_sd
        On the effect's own scale; an infinite sd is the flat prior.

    References
    ----------
    Stucchio (2015), *Bayesian A/B testing at VWO*. Gelman et al. (2013), *Bayesian data analysis*, section
    2.5.

    Examples
    --------
    >>> after = normal_posterior(Estimate(0.02, 0.0174865, 39900, math.inf, "mean"), prior_sd=0.03)
    >>> round(after.mean, 5), round(after.probability_better, 4)
    (0.01493, 0.8385)
    """
    believed = _updated(effect, prior_mean, prior_sd)
    mean, sd = believed.value, believed.standard_error
    if sd == 0:
        better = 0.5 if mean == 0 else float(mean > 0)
        return Posterior(mean, 0.0, better, max(-mean, 0.0), max(mean, 0.0), mean, mean)
    k = mean / sd
    reach = -float(special.ndtri((1 - confidence) / 2)) * sd
    return Posterior(
        mean,
        sd,
        float(special.ndtr(k)),
        sd * expected_shortfall(k),
        sd * expected_shortfall(-k),
        mean - reach,
        mean + reach,
    )


def expected_shortfall(k: float) -> float:
    """E[max(−Z, 0)] for Z ~ N(k, 1): φ(k) − k·Φ(−k), without cancellation for large k.

    Examples
    --------
    >>> round(expected_shortfall(0.0), 6), 0 < expected_shortfall(30.0) < 1e-190
    (0.398942, True)
    """
    density = math.exp(-0.5 * k * k) / math.sqrt(2 * math.pi)
    if k < 5:
        return density - k * float(special.ndtr(-k))
    # φ(k)·(1 − k·R(k)) with Mills's ratio R; 1 − k·R is 1/k² − 3/k⁴ + 15/k⁶ − … for large k.
    if k < 40:
        mills = math.sqrt(math.pi / 2) * float(special.erfcx(k / math.sqrt(2)))
        return density * (1 - k * mills)
    return density / (k * k)


@dataclass(frozen=True, slots=True)
class Bayesian(Inference):
    """Posterior intervals of a normal effect.

    The prior is on the lift, because "most changes move a metric by a few per cent" is true of every metric:
    an effect on a mean of 10 has prior sd 10·``prior_sd``. The p-value is twice the posterior probability of
    the less likely sign, so it is below α exactly when the credible interval excludes zero; it is not an
    error rate.

    Attributes
    ----------
    prior_mean, prior_sd
        Of the lift; an infinite sd is the flat prior.

    Examples
    --------
    >>> from analysis.comparison import compare
    >>> old, new = Estimate(10.0, 0.3, 400, 399, "mean"), Estimate(11.0, 0.4, 400, 399, "mean")
    >>> answer = compare(new, old, Bayesian(prior_sd=0.05))
    >>> round(answer.difference.estimate, 3), round(answer.difference.low, 3)
    (0.5, -0.193)
    """

    prior_mean: float = 0.0
    prior_sd: float = math.inf
    confidence: float = 0.95

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        if not self.prior_sd > 0 or not math.isfinite(self.prior_mean):
            raise InvalidInput("prior: expected a finite mean and a standard deviation above 0")

    @property
    def name(self) -> str:
        """The name in plans and readouts."""
        return "bayesian"

    def multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Half-width of the central credible interval, in posterior standard deviations."""
        return -float(special.ndtri((1 - self.confidence) / 2))

    def p_value(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Twice the posterior probability of the less likely sign."""
        return min(1.0, 2 * float(special.ndtr(-abs(statistic))))

    def one_sided_multiplier(self, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Distance of a one-sided credible bound, in posterior standard deviations."""
        return -float(special.ndtri(1 - self.confidence))

    def one_sided_p(self, statistic: float, *, df: float, n: int) -> float:  # noqa: ARG002 - one face
        """Posterior probability that the effect is not above zero."""
        return float(special.ndtr(-statistic))

    def at_confidence(self, confidence: float) -> Self:
        """The same prior at another confidence."""
        return replace(self, confidence=confidence)

    def shrink(self, effect: Estimate, *, base: float) -> Estimate:
        """The posterior of an effect, the prior scaled to the mean that lifts refer to."""
        scale = abs(base)
        # A base too small to carry the prior is like one of zero: the data speak alone.
        if scale == 0 or not self.prior_sd * scale > 0 or not math.isfinite(self.prior_mean * scale):
            return effect
        return _updated(effect, self.prior_mean * scale, self.prior_sd * scale)


def _updated(effect: Estimate, prior_mean: float, prior_sd: float) -> Estimate:
    """The effect pulled towards the prior: the share of the data is τ² / (τ² + SE²)."""
    if math.isinf(prior_sd) or effect.standard_error == 0:
        return effect
    if not prior_sd > 0:
        raise InvalidInput(f"prior_sd: expected a standard deviation above 0, not {prior_sd}")
    pull = prior_sd / math.hypot(effect.standard_error, prior_sd)
    value = pull * pull * effect.value + (1 - pull * pull) * prior_mean
    return replace(effect, value=value, standard_error=effect.standard_error * pull)
