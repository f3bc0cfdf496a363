"""Pooling: several estimates of the same effect, from segments, strata or past experiments.

`combine_estimates` asks whether they agree and what they say together; `post_stratify` weighs the strata of
one experiment by their size, which also guards against Simpson's paradox when the split changed on the way;
the Mantel–Haenszel estimates do the same for counts that are small in every stratum.

References
----------
Cochran (1954), *The combination of estimates from different experiments*, Biometrics 10. DerSimonian, Laird
(1986), *Meta-analysis in clinical trials*, Controlled Clinical Trials 7. Miratrix, Sekhon, Yu (2013),
*Adjusting treatment effect estimates by post-stratification in randomized experiments*, JRSS B 75.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from analysis.effects import difference
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate, pooled
from analysis.interval import Interval
from analysis.score import Counts


@dataclass(frozen=True, slots=True)
class Combined:
    """Several estimates together.

    Attributes
    ----------
    q, df, p_value
        Cochran's Q, its degrees of freedom and the chi-square tail: small where the estimates disagree.
    fixed
        The precision-weighted mean, as if there were one effect.
    between
        Variance of the effects between the estimates, τ², by DerSimonian and Laird; at least 0.
    random
        The mean effect when effects differ, weighted by 1/(SE² + τ²).
    disagreement
        I², the share of the variation that is not sampling error, from 0 to 1.
    """

    q: float
    df: int
    p_value: float
    fixed: Estimate
    between: float
    random: Estimate
    disagreement: float


def combine_estimates(estimates: Sequence[Estimate]) -> Combined | NotEstimable:
    """Combine independent estimates and test whether they agree.

    Examples
    --------
    >>> parts = [Estimate(v, e, 100, math.inf, "mean") for v, e in ((0.1, 0.05), (0.12, 0.04), (0.3, 0.06))]
    >>> answer = combine_estimates(parts)
    >>> round(answer.q, 3), round(answer.p_value, 4), round(answer.random.value, 4)
    (7.806, 0.0202, 0.1671)
    """
    if len(estimates) < 2:
        return NotEstimable(Cause.TOO_FEW_UNITS, "at least two estimates are needed")
    if min(each.standard_error for each in estimates) == 0:
        return NotEstimable(Cause.NO_VARIATION, "an estimate without standard error outweighs all others")
    # Everything is measured in the smallest standard error, so that no precision leaves the floating range.
    unit = min(each.standard_error for each in estimates)
    precision = [(unit / each.standard_error) ** 2 for each in estimates]
    whole = math.fsum(precision)
    fixed = _weighted(estimates, precision, unit, "fixed_effect")
    q = math.fsum(((each.value - fixed.value) / each.standard_error) ** 2 for each in estimates)
    df = len(estimates) - 1
    extra = max(0.0, (q - df) / (whole - math.fsum(w * w for w in precision) / whole))
    between = extra * unit * unit
    widened = [1 / ((each.standard_error / unit) ** 2 + extra) for each in estimates]
    random = _weighted(estimates, widened, unit, "random_effects")
    disagreement = max(0.0, (q - df) / q) if q > 0 else 0.0
    return Combined(q, df, float(special.chdtrc(df, q)), fixed, between, random, disagreement)


def post_stratify(
    treatments: Sequence[Estimate], controls: Sequence[Estimate], weights: Sequence[float] | None = None
) -> Estimate | NotEstimable:
    """The effect as the weighted sum of the effects in strata: Σ w_s·D_s, Var = Σ w_s²·SE_s².

    Parameters
    ----------
    treatments, controls
        One estimate for each stratum, in the same order.
    weights
        Shares of the strata in the population; the strata's own sizes when None.

    Examples
    --------
    >>> new = [Estimate(2.0, 0.1, 50, 49, "mean"), Estimate(5.0, 0.1, 150, 149, "mean")]
    >>> old = [Estimate(1.0, 0.1, 150, 149, "mean"), Estimate(4.0, 0.1, 50, 49, "mean")]
    >>> round(post_stratify(new, old).value, 9)
    1.0
    """
    if len(treatments) != len(controls) or not treatments:
        raise InvalidInput("treatments, controls: expected the same strata, at least one")
    sizes = [t.n + c.n for t, c in zip(treatments, controls, strict=True)] if weights is None else weights
    whole = math.fsum(sizes)
    if whole <= 0 or min(sizes) < 0:
        raise InvalidInput("weights: expected shares from 0 with a positive sum")
    effects = []
    for new, old in zip(treatments, controls, strict=True):
        effect = difference(new, old)
        if isinstance(effect, NotEstimable):
            return effect
        effects.append(effect)
    together = pooled(effects, [size / whole for size in sizes])
    return Estimate(together.value, together.standard_error, together.n, together.df, "post_stratified")


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """Common effects over strata of counts.

    ``risk_difference`` and ``log_risk_ratio`` are estimates, ``odds_ratio`` an interval.
    """

    chi_square: float
    p_value: float
    odds_ratio: Interval
    risk_difference: Estimate
    log_risk_ratio: Estimate


def mantel_haenszel(strata: Sequence[Counts], confidence: float = 0.95) -> MantelHaenszel | NotEstimable:
    """Compare two proportions within strata.

    References
    ----------
    Mantel, Haenszel (1959), J. National Cancer Institute 22. Robins, Breslow, Greenland (1986), Biometrics
    42, for the odds ratio; Greenland, Robins (1985), Biometrics 41, for the risk ratio; Sato (1989),
    Biometrics 45, for the risk difference.

    Examples
    --------
    >>> answer = mantel_haenszel([Counts(40, 210, 30, 200), Counts(66, 305, 50, 300), Counts(18, 85, 10, 80)])
    >>> round(answer.chi_square, 4), round(answer.odds_ratio.estimate, 4)
    (5.2976, 1.4205)
    """
    if not strata:
        raise InvalidInput("strata: expected at least one")
    excess, variance = 0.0, 0.0
    for each in strata:
        n, x = each.n, each.treatment + each.control
        excess += each.treatment - each.treatment_n * x / n
        if n > 1:
            variance += each.treatment_n * each.control_n * x * (n - x) / (n * n * (n - 1))
    concordant = sum(each.treatment * (each.control_n - each.control) / each.n for each in strata)
    discordant = sum(each.control * (each.treatment_n - each.treatment) / each.n for each in strata)
    if variance == 0 or concordant == 0 or discordant == 0:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "the strata leave nothing to compare")
    chi_square = excess**2 / variance
    return MantelHaenszel(
        chi_square,
        float(special.chdtrc(1, chi_square)),
        _common_odds(strata, concordant, discordant, confidence),
        _common_difference(strata),
        _common_log_ratio(strata),
    )


def _common_odds(strata: Sequence[Counts], r: float, s: float, confidence: float) -> Interval:
    rr = rs = ss = 0.0
    for each in strata:
        a, d = each.treatment, each.control_n - each.control
        b, c = each.treatment_n - each.treatment, each.control
        p, q = (a + d) / each.n, (b + c) / each.n
        rr += p * a * d / each.n
        rs += p * b * c / each.n + q * a * d / each.n
        ss += q * b * c / each.n
    error = math.sqrt(rr / (2 * r * r) + rs / (2 * r * s) + ss / (2 * s * s))
    reach = -float(special.ndtri((1 - confidence) / 2)) * error
    return Interval(r / s, r / s * math.exp(-reach), r / s * math.exp(reach))


def _common_difference(strata: Sequence[Counts]) -> Estimate:
    weight = math.fsum(each.treatment_n * each.control_n / each.n for each in strata)
    total = p = q = 0.0
    for each in strata:
        x1, x0, n1, n0, n = each.treatment, each.control, each.treatment_n, each.control_n, each.n
        total += (x1 * n0 - x0 * n1) / n
        p += (n1 * n1 * x0 - n0 * n0 * x1 + n1 * n0 * (n0 - n1) / 2) / (n * n)
        q += (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * n)
    value = total / weight
    error = math.sqrt(max(0.0, value * p + q)) / weight
    return Estimate(value, error, sum(each.n for each in strata), math.inf, "mantel_haenszel")


def _common_log_ratio(strata: Sequence[Counts]) -> Estimate:
    above = math.fsum(each.treatment * each.control_n / each.n for each in strata)
    below = math.fsum(each.control * each.treatment_n / each.n for each in strata)
    spread = math.fsum(
        (
            each.treatment_n * each.control_n * (each.treatment + each.control)
            - each.treatment * each.control * each.n
        )
        / each.n**2
        for each in strata
    )
    error = math.sqrt(spread / (above * below))
    return Estimate(math.log(above / below), error, sum(e.n for e in strata), math.inf, "mantel_haenszel")


def _weighted(estimates: Sequence[Estimate], weights: Sequence[float], unit: float, method: str) -> Estimate:
    whole = math.fsum(weights)
    value = math.fsum(w * each.value for w, each in zip(weights, estimates, strict=True)) / whole
    return Estimate(value, unit / math.sqrt(whole), sum(each.n for each in estimates), math.inf, method)
