"""Switchback: when the whole market is treated for a while, then not, then again.

The unit is a period. Neighbouring periods resemble each other, so the standard error allows for
autocorrelation (Newey and West); the first part of each period may still carry the previous treatment and is
best left out before the means are taken.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.regression import least_squares

Floats = NDArray[np.float64]


def switchback_effect(
    outcome: ArrayLike, treated: ArrayLike, *, lags: int | None = None, adjusted: bool = True
) -> Estimate | NotEstimable:
    """The difference between treated and untreated periods with a Newey–West standard error.

    The meat of the sandwich is Γ₀ + Σ_l (1 − l/(L + 1))·(Γ_l + Γ_l').

    Parameters
    ----------
    outcome, treated
        Shape (n,): the mean of each period and whether it was treated, in the order of time.
    lags
        How many neighbours resemble each other; ⌊4·(n/100)^(2/9)⌋ when None.
    adjusted
        Multiply the variance by n/(n − 2), for few periods.

    References
    ----------
    Newey, West (1987), *A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
    covariance matrix*, Econometrica 55. Bojinov, Simchi-Levi, Zhao (2023), *Design and analysis of switchback
    experiments*, Management Science 69.

    Examples
    --------
    >>> round(switchback_effect([1.0, 3.1, 0.9, 3.0, 1.1, 2.9], [0, 1, 0, 1, 0, 1], lags=1).value, 6)
    2.0
    """
    t = np.asarray(treated, dtype=np.float64)
    fit = least_squares(outcome, np.column_stack([np.ones(len(t)), t]))
    if isinstance(fit, NotEstimable):
        return fit
    window = math.floor(4 * (fit.n / 100) ** (2 / 9)) if lags is None else lags
    if not 0 <= window < fit.n:
        raise InvalidInput(f"lags: expected from 0 to below {fit.n}, not {window}")
    scores = fit.design * fit.residuals[:, np.newaxis]
    meat = scores.T @ scores
    for lag in range(1, window + 1):
        shared = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (window + 1)) * (shared + shared.T)
    variance = float(fit.sandwich(meat)[1, 1]) * (fit.n / fit.df if adjusted else 1.0)
    fitted_exactly = np.linalg.norm(fit.residuals) <= 1e-12 * np.linalg.norm(np.asarray(outcome))
    if variance <= 0 or fitted_exactly:
        return NotEstimable(Cause.NO_VARIATION, "the periods leave no residual variation")
    return Estimate(float(fit.coefficients[1]), math.sqrt(variance), fit.n, fit.df, "newey_west")


def randomisation_p(
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 2_000,
    block: int = 1,
) -> float | NotEstimable:
    """P-value of the difference against fresh draws of the switching itself.

    Parameters
    ----------
    block
        Periods that were always switched together.

    Examples
    --------
    >>> p = randomisation_p([1, 5, 1, 5, 1, 5, 1, 5], [0, 1] * 4, rng=np.random.default_rng(1), draws=999)
    >>> p < 0.06
    True
    """
    y, t = np.asarray(outcome, dtype=np.float64), np.asarray(treated, dtype=np.float64)
    if y.shape != t.shape or block < 1:
        raise InvalidInput("outcome, treated, block: expected the same length and blocks of at least one")
    if t.min(initial=1.0) == t.max(initial=0.0) or not len(t):
        return NotEstimable(Cause.NO_UNITS, "every period had the same treatment")
    heads = t[::block]
    happened = abs(_gap(y, t))
    drawn = 0
    for _ in range(draws):
        fresh = np.repeat(rng.permutation(heads), block)[: len(t)]
        drawn += abs(_gap(y, fresh)) >= happened * (1 - 1e-12)
    return (drawn + 1) / (draws + 1)


def _gap(y: Floats, t: Floats) -> float:
    return float(y[t > 0].mean() - y[t <= 0].mean()) if 0 < t.sum() < len(t) else 0.0
