"""Survival: time until something happens, when for some it has not happened yet.

A user who is still here after three days tells nothing about day seven. Counting him as lost makes retention
look bad, leaving him out makes it look good; Kaplan and Meier's curve uses what he does tell.

Event times with equal values are handled exactly, by Efron in the proportional hazards model.

References
----------
Kaplan, Meier (1958), JASA 53. Mantel (1966), Cancer Chemotherapy Reports 50, log-rank. Royston, Parmar
(2013), BMC Medical Research Methodology 13, restricted means. Efron (1977), JASA 72, ties.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.interval import Interval
from analysis.observation import Lifetable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A survival curve: a step down at each event time.

    Attributes
    ----------
    times
        Distinct event times, rising, shape (k,).
    at_risk, events
        Units not yet gone just before each time, and how many go then.
    survival
        Share surviving each time.
    greenwood
        Cumulative Σ d/(r·(r − d)), infinite once nobody is left.
    n, end
        Units and the longest observed time.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    greenwood: Floats
    n: int
    end: float

    def at(self, time: float, confidence: float = 0.95) -> tuple[Estimate, Interval]:
        """Survival at a time, with Greenwood's error and the interval of log(−log S), which stays in [0, 1].

        Examples
        --------
        >>> estimate, interval = survival_curve([1, 2, 3, 4], [1, 1, 0, 1]).at(2.0)
        >>> estimate.value, round(interval.low, 3)
        (0.5, 0.058)
        """
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return Estimate(1.0, 0.0, self.n, math.inf, "kaplan_meier"), Interval(1.0, 1.0, 1.0)
        s, g = float(self.survival[place]), float(self.greenwood[place])
        if s <= 0:
            return Estimate(0.0, 0.0, self.n, math.inf, "kaplan_meier"), Interval(0.0, 0.0, 0.0)
        error = s * math.sqrt(g)
        reach = -float(special.ndtri((1 - confidence) / 2)) * math.sqrt(g) / abs(math.log(s))
        interval = Interval(s, s ** math.exp(reach), s ** math.exp(-reach))
        return Estimate(s, error, self.n, math.inf, "kaplan_meier"), interval

    def restricted_mean(self, horizon: float) -> Estimate | NotEstimable:
        """Mean time survived within a horizon: the area under the curve, with Greenwood's error.

        Examples
        --------
        >>> survival_curve([1, 2, 3, 4], [1, 1, 1, 1]).restricted_mean(4.0).value
        2.5
        """
        if horizon > self.end and (not self.survival.size or self.survival[-1] > 0):
            return NotEstimable(Cause.NOT_MATURED, "nobody has been observed up to the horizon")
        inside = self.times < horizon
        edges = np.concatenate([[0.0], self.times[inside], [horizon]])
        steps = np.concatenate([[1.0], self.survival[inside]])
        pieces = np.diff(edges) * steps
        # Area still to come after each event time.
        ahead = np.cumsum(pieces[::-1])[::-1][1:]
        d, r = self.events[inside], self.at_risk[inside]
        terms = np.divide(ahead**2 * d, r * (r - d), out=np.zeros_like(ahead), where=r > d)
        error = math.sqrt(float(terms.sum()))
        return Estimate(float(pieces.sum()), error, self.n, math.inf, "restricted_mean")


def survival_curve(times: ArrayLike, events: ArrayLike) -> Curve | NotEstimable:
    """Estimate a survival curve by Kaplan and Meier.

    Parameters
    ----------
    times
        Shape (n,), at least 0: when each unit left or was last seen.
    events
        Shape (n,): 1 if it left, 0 if it was still there.

    Examples
    --------
    >>> survival_curve([1, 2, 3, 4], [1, 1, 0, 1]).survival.tolist()
    [0.75, 0.5, 0.0]
    """
    return curve_of(_tabulated(times, events))


def curve_of(table: Lifetable) -> Curve | NotEstimable:
    """Estimate a survival curve from how many units had the event, and were last seen, at each time.

    Examples
    --------
    >>> curve_of(Lifetable((1, 2, 3), (1, 1, 0), (0, 0, 2))).survival.tolist()
    [0.75, 0.5]
    """
    times, gone, present = _columns(table)
    n = int(present[0]) if len(present) else 0
    if not n:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    told = gone > 0
    at_risk, events = present[told], gone[told]
    left = at_risk - events
    survival = np.cumprod(left / at_risk).astype(np.float64)
    steps = np.divide(events, at_risk * left, out=np.full(len(events), math.inf), where=left > 0)
    return Curve(times[told], at_risk, events, survival, np.cumsum(steps), n, float(times[-1]))


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank test of equal survival."""

    chi_square: float
    p_value: float


def log_rank(
    treatment: tuple[ArrayLike, ArrayLike], control: tuple[ArrayLike, ArrayLike]
) -> LogRank | NotEstimable:
    """Test whether two arms leave at the same rate.

    Parameters
    ----------
    treatment, control
        (times, events) of each arm.

    Examples
    --------
    >>> test = log_rank(([3, 4, 5, 6], [1, 1, 1, 0]), ([1, 2, 2, 3], [1, 1, 1, 1]))
    >>> round(test.chi_square, 3)
    5.601
    """
    return log_rank_of(_tabulated(*treatment), _tabulated(*control))


def log_rank_of(treatment: Lifetable, control: Lifetable) -> LogRank | NotEstimable:
    """Test whether two arms leave at the same rate, from their counts at each time.

    Examples
    --------
    >>> new = Lifetable((3, 4, 5, 6), (1, 1, 1, 0), (0, 0, 0, 1))
    >>> test = log_rank_of(new, Lifetable((1, 2, 3), (1, 2, 1), (0, 0, 0)))
    >>> round(test.chi_square, 3)
    5.601
    """
    (t1, gone1, present1), (t0, gone0, present0) = _columns(treatment), _columns(control)
    times = np.unique(np.concatenate([t1[gone1 > 0], t0[gone0 > 0]]))
    r1, r0 = _at_risk(t1, present1, times), _at_risk(t0, present0, times)
    d1, d0 = _gone_at(t1, gone1, times), _gone_at(t0, gone0, times)
    r, d = r1 + r0, d1 + d0
    excess = float((d1 - d * r1 / r).sum())
    several = r > 1
    r, d, share = r[several], d[several], (r1 / r)[several]
    variance = float((d * share * (1 - share) * (r - d) / (r - 1)).sum())
    if variance == 0:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "no event tells the arms apart")
    chi_square = excess**2 / variance
    return LogRank(chi_square, float(special.chdtrc(1, chi_square)))


def hazard_ratio(
    treatment: tuple[ArrayLike, ArrayLike], control: tuple[ArrayLike, ArrayLike]
) -> Estimate | NotEstimable:
    """The logarithm of the hazard ratio, treatment to control, by Cox's model with Efron's ties.

    Newton's method on the partial likelihood of one indicator.

    Examples
    --------
    >>> answer = hazard_ratio(([3, 4, 5, 6], [1, 1, 1, 0]), ([1, 2, 4, 3], [1, 1, 1, 1]))
    >>> answer.value < 0
    True
    """
    (t1, e1), (t0, e0) = _checked(*treatment), _checked(*control)
    table = _risk_table(t1, e1, t0, e0)
    total, treated = float(table[:, 2:].sum()), float(table[:, 2].sum())
    if treated == 0 or treated == total:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "an arm without event has no hazard")
    beta = 0.0
    for _ in range(50):
        score, information = _partial_likelihood(table, beta)
        step = score / information
        beta += math.copysign(min(1.0, abs(step)), step)
        if abs(beta) > 25:
            return NotEstimable(Cause.TOO_FEW_EVENTS, "one arm's events all come first")
        if abs(step) < 1e-12:
            break
    _, information = _partial_likelihood(table, beta)
    return Estimate(beta, 1 / math.sqrt(information), len(t1) + len(t0), math.inf, "cox")


def _risk_table(t1: Floats, e1: NDArray[np.bool_], t0: Floats, e0: NDArray[np.bool_]) -> Floats:
    """At each event time: at risk and events of treatment and control, columns (r₁, r₀, d₁, d₀)."""
    rows = [
        (
            (t1 >= time).sum(),
            (t0 >= time).sum(),
            ((t1 == time) & e1).sum(),
            ((t0 == time) & e0).sum(),
        )
        for time in np.unique(np.concatenate([t1[e1], t0[e0]]))
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _partial_likelihood(table: Floats, beta: float) -> tuple[float, float]:
    """Derivative and information of Efron's partial log-likelihood."""
    score = information = 0.0
    grown = math.exp(beta)
    for r1, r0, d1, d0 in table:
        d = int(d1 + d0)
        for k in range(d):
            one = grown * (r1 - k / d * d1)
            share = one / (one + r0 - k / d * d0)
            score -= share
            information += share * (1 - share)
        score += d1
    return float(score), float(information)


def _tabulated(times: ArrayLike, events: ArrayLike) -> Lifetable:
    """Count units at their distinct times."""
    t, e = _checked(times, events)
    distinct, places = np.unique(t, return_inverse=True)
    gone = np.bincount(places, weights=e, minlength=len(distinct))
    kept = np.bincount(places, weights=~e, minlength=len(distinct))
    return Lifetable(tuple(distinct.tolist()), tuple(map(int, gone)), tuple(map(int, kept)))


def _columns(table: Lifetable) -> tuple[Floats, Floats, Floats]:
    """Times, events, and units that were there just before each time."""
    gone, kept = np.array(table.events, dtype=np.float64), np.array(table.censored, dtype=np.float64)
    present = np.cumsum((gone + kept)[::-1])[::-1]
    return np.array(table.times, dtype=np.float64), gone, present


def _at_risk(times: Floats, present: Floats, at: Floats) -> Floats:
    """Units of one arm that were there just before each of some times."""
    return np.append(present, 0.0)[np.searchsorted(times, at, side="left")]


def _gone_at(times: Floats, gone: Floats, at: Floats) -> Floats:
    """Events of one arm at each of some times."""
    places = np.searchsorted(times, at, side="left")
    met = np.append(times, math.inf)[places] == at
    return np.where(met, np.append(gone, 0.0)[places], 0.0)


def _checked(times: ArrayLike, events: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    t, e = np.asarray(times, dtype=np.float64), np.asarray(events)
    if t.ndim != 1 or e.shape != t.shape:
        raise InvalidInput("times, events: expected the same length")
    if not np.isfinite(t).all() or (t < 0).any():
        raise InvalidInput("times: expected finite numbers from 0")
    return t, e.astype(bool)
