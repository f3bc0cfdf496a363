"""Quantile regression of one indicator: the effect on a quantile, with density-based standard errors.

With only a treatment indicator the regression's coefficients are the arms' own quantiles; what it adds is a
choice of standard errors. `analysis.quantiles` needs none of the densities below and is the default.

References
----------
Koenker, Bassett (1978), *Regression quantiles*, Econometrica 46. Koenker (2005), *Quantile regression*,
sections 3.4 and 4.10. Hall, Sheather (1988), *On the distribution of a studentized quantile*, JRSS B 50.
Powell (1991), *Estimation of monotonic regression models under quantile restrictions*.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from analysis.errors import Cause, InvalidInput, NotEstimable

Floats = NDArray[np.float64]

_ZERO = 1.5e-8


@dataclass(frozen=True, slots=True)
class QuantileEffect:
    """A difference of quantiles with its standard errors, by method.

    Attributes
    ----------
    error_alike
        Both arms have errors of one distribution; its sparsity from neighbouring residuals.
    error_sandwich
        Each arm has its own density at the quantile, from difference quotients of its quantiles.
    error_kernel
        Each arm's density from a normal kernel over the residuals (Powell).
    error_pooled_kernel
        One density from an Epanechnikov kernel over all residuals.
    """

    value: float
    error_alike: float
    error_sandwich: float
    error_kernel: float
    error_pooled_kernel: float


def quantile_effect(treatment: ArrayLike, control: ArrayLike, q: float) -> QuantileEffect | NotEstimable:
    """The difference of two arms' quantiles, as a quantile regression finds it.

    Where n·q is a whole number any value between two neighbours minimises the loss; here the control takes
    the upper and the treatment the lower one.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> effect = quantile_effect(rng.normal(1.0, 1.0, 200), rng.normal(0.0, 1.0, 200), 0.5)
    >>> 0.7 < effect.value < 1.3, 0.1 < effect.error_sandwich < 0.16
    (True, True)
    """
    if not 0 < q < 1:
        raise InvalidInput(f"q: expected a level between 0 and 1, not {q}")
    new, old = (np.sort(np.asarray(each, dtype=np.float64)) for each in (treatment, control))
    if not (np.isfinite(new).all() and np.isfinite(old).all()):
        raise InvalidInput("treatment, control: expected finite numbers")
    if min(len(new), len(old)) < 5:
        return NotEstimable(Cause.TOO_FEW_UNITS, "five units in each arm are needed for a density")
    at_new, at_old = _lower(new, q), _upper(old, q)
    residuals = np.concatenate([old - at_old, new - at_new])
    sizes = np.array([len(old), len(new)])
    step = bandwidth(q, len(residuals))
    while q - step < 0 or q + step > 1:
        step /= 2
    if np.ptp(residuals) == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit has its arm's quantile")
    spread = math.sqrt(q * (1 - q))
    sparsity = _sparsity(residuals, q)
    densities = np.array([_slope_density(arm, q, step) for arm in (old, new)])
    kernel = _kernel_densities(residuals, sizes, q, step)
    # For one indicator the sandwich of each method reduces to a sum over the arms of 1 / (n·f²).
    return QuantileEffect(
        at_new - at_old,
        spread * sparsity * math.sqrt(float((1 / sizes).sum())),
        spread * math.sqrt(float((1 / (sizes * densities**2)).sum())),
        spread * math.sqrt(float((1 / (sizes * kernel**2)).sum())),
        _pooled_kernel_error(residuals, np.concatenate([old, new]), sizes, q),
    )


def bandwidth(q: float, n: int, alpha: float = 0.05) -> float:
    """Hall and Sheather's bandwidth, n^(−1/3)·z^(2/3)·(1.5·φ(x)²/(2x² + 1))^(1/3) at the normal quantile x.

    Examples
    --------
    >>> round(bandwidth(0.5, 240), 4)
    0.1563
    """
    x = float(special.ndtri(q))
    density = math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    z = -float(special.ndtri(alpha / 2))
    return float(n ** (-1 / 3) * z ** (2 / 3) * (1.5 * density**2 / (2 * x * x + 1)) ** (1 / 3))


def _lower(ordered: Floats, q: float) -> float:
    """The smallest minimiser of the quantile loss: the ⌈n·q⌉-th value."""
    return float(ordered[max(0, math.ceil(len(ordered) * q - 1e-9) - 1)])


def _upper(ordered: Floats, q: float) -> float:
    """The largest minimiser: the (⌊n·q⌋ + 1)-th value."""
    return float(ordered[min(len(ordered) - 1, math.floor(len(ordered) * q + 1e-9))])


def _sparsity(residuals: Floats, q: float) -> float:
    """1/f(0) as the slope of the residuals nearest zero over their ranks, by least absolute deviations."""
    n = len(residuals)
    exact = int((np.abs(residuals) < _ZERO).sum())
    count = max(3, math.ceil(n * bandwidth(q, n)))
    places = np.arange(exact, min(n, exact + count + 1))
    near = np.sort(residuals[np.argsort(np.abs(residuals), kind="stable")][places])
    rank = (places + 1) / (n - 2)

    def loss(slope: float) -> float:
        left = near - slope * rank
        return float(np.abs(left - np.median(left)).sum())

    steepest = float(np.max(np.diff(near) / np.diff(rank)))
    found = optimize.minimize_scalar(loss, bounds=(0.0, steepest), method="bounded", options={"xatol": 1e-12})
    return float(found.x)


def _slope_density(ordered: Floats, q: float, step: float) -> float:
    """2h / (Q(q + h) − Q(q − h)) from the arm's own quantiles."""
    return 2 * step / max(_lower(ordered, q + step) - _lower(ordered, q - step) - _ZERO, _ZERO)


def _kernel_densities(residuals: Floats, sizes: NDArray[np.int64], q: float, step: float) -> Floats:
    stretch = float(special.ndtri(q + step) - special.ndtri(q - step))
    width = stretch * min(float(residuals.std(ddof=1)), _robust_spread(residuals))
    density = np.exp(-0.5 * (residuals / width) ** 2) / (width * math.sqrt(2 * math.pi))
    return np.array([density[: sizes[0]].mean(), density[sizes[0] :].mean()])


def _pooled_kernel_error(residuals: Floats, values: Floats, sizes: NDArray[np.int64], q: float) -> float:
    step = bandwidth(q, len(residuals))
    stretch = float(special.ndtri(min(1 - 1e-9, q + step)) - special.ndtri(max(1e-9, q - step)))
    width = stretch * min(float(values.std()), _robust_spread(residuals))
    scaled = residuals / width
    density = float((0.75 * (1 - scaled**2) * (np.abs(scaled) <= 1)).mean()) / width
    weights = np.where(residuals > 0, (q / density) ** 2, ((1 - q) / density) ** 2)
    parts = np.array([weights[: sizes[0]].sum(), weights[sizes[0] :].sum()])
    return math.sqrt(float((parts / sizes.astype(np.float64) ** 2).sum()))


def _robust_spread(values: Floats) -> float:
    """The interquartile range over 1.34; the standard deviation where the quartiles coincide."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / 1.34 or float(values.std(ddof=1))
