"""Regression: least squares with standard errors that do not assume equal variances.

The tool behind adjusted effects, interactions, differences in differences and switchbacks. Each of them
hands its coefficient on as an `Estimate`, so it can be read under every inference.

References
----------
MacKinnon, White (1985), *Some heteroskedasticity-consistent covariance matrix estimators with improved finite
sample properties*, J. Econometrics 29. Lin (2013), *Agnostic notes on regression adjustments to experimental
data*, Annals of Applied Statistics 7.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate

Floats = NDArray[np.float64]

_RANK_TOLERANCE = 1e-10


class Errors(StrEnum):
    """How the covariance of the coefficients is estimated.

    ``HC2`` is unbiased under equal variances and the default; ``HC3`` is a little wider.
    """

    CLASSICAL = "classical"
    HC0 = "hc0"
    HC1 = "hc1"
    HC2 = "hc2"
    HC3 = "hc3"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares fit.

    Attributes
    ----------
    design
        Shape (n, k).
    coefficients
        Shape (k,).
    residuals
        Shape (n,).
    bread
        (X'X)⁻¹, shape (k, k).
    leverage
        Diagonal of the hat matrix, shape (n,).
    """

    design: Floats
    coefficients: Floats
    residuals: Floats
    bread: Floats
    leverage: Floats

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.residuals)

    @property
    def df(self) -> int:
        """Rows less coefficients."""
        return self.n - len(self.coefficients)

    @property
    def sigma(self) -> float:
        """Residual standard deviation, divisor n − k."""
        return math.sqrt(float((self.residuals**2).sum()) / self.df)

    def covariance(self, errors: Errors = Errors.HC2) -> Floats:
        """Covariance matrix of the coefficients, shape (k, k)."""
        squares = self.residuals**2
        if errors is Errors.CLASSICAL:
            return self.bread * self.sigma**2
        # A row with leverage 1 is fitted exactly; its residual is 0 and so is its share.
        free = np.maximum(1 - self.leverage, 1e-12)
        match errors:
            case Errors.HC1:
                squares = squares * (self.n / self.df)
            case Errors.HC2:
                squares = squares / free
            case Errors.HC3:
                squares = squares / free**2
            case Errors.HC0:
                pass
        return self.sandwich((self.design * squares[:, np.newaxis]).T @ self.design)

    def sandwich(self, meat: Floats) -> Floats:
        """(X'X)⁻¹ · meat · (X'X)⁻¹."""
        product: Floats = self.bread @ meat @ self.bread
        return product

    def coefficient(self, place: int, errors: Errors = Errors.HC2) -> Estimate:
        """One coefficient as an estimate with n − k degrees of freedom."""
        variance = float(self.covariance(errors)[place, place])
        return Estimate(
            float(self.coefficients[place]), math.sqrt(max(0.0, variance)), self.n, self.df, f"ols_{errors}"
        )


def least_squares(outcome: ArrayLike, design: ArrayLike) -> Fit | NotEstimable:
    """Fit y = X·β by orthogonal decomposition.

    Parameters
    ----------
    outcome
        Shape (n,).
    design
        Shape (n, k), the intercept included.

    Raises
    ------
    InvalidInput
        If the shapes do not fit or a value is not finite.

    Examples
    --------
    >>> line = least_squares([1.0, 3.0, 5.0, 7.1], [[1, 0], [1, 1], [1, 2], [1, 3]])
    >>> line.coefficients.round(3).tolist()
    [0.98, 2.03]
    """
    y, x = np.asarray(outcome, dtype=np.float64), np.asarray(design, dtype=np.float64)
    if x.ndim != 2 or y.shape != (len(x),):
        raise InvalidInput(f"design: expected shape (n, k) with n = {y.shape}, not {x.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InvalidInput("outcome, design: expected finite numbers")
    if len(x) <= x.shape[1]:
        return NotEstimable(Cause.TOO_FEW_UNITS, "fewer rows than coefficients")
    q, r = np.linalg.qr(x)
    pivots = np.abs(np.diagonal(r))
    if (pivots <= _RANK_TOLERANCE * np.linalg.norm(x, axis=0)).any():
        return NotEstimable(Cause.COLLINEAR, "a column of the design is a combination of the others")
    inverse = np.linalg.solve(r, np.eye(len(r)))
    coefficients = inverse @ (q.T @ y)
    return Fit(x, coefficients, y - x @ coefficients, inverse @ inverse.T, (q * q).sum(axis=1))


def adjusted_fit(
    treatment: ArrayLike,
    control: ArrayLike,
    treatment_covariates: ArrayLike,
    control_covariates: ArrayLike,
    *,
    interact: bool = True,
) -> Fit | NotEstimable:
    """Regress the outcome on the treatment and on covariates centred at their common mean.

    The coefficient at place 1 is the effect. With interactions (Lin) each arm has its own slopes, and the
    effect is never less precise in large samples than the plain difference, at any split; without them
    (ANCOVA) the arms share one slope.

    Parameters
    ----------
    treatment, control
        Outcomes, shapes (n₁,) and (n₀,).
    treatment_covariates, control_covariates
        Measured before the exposure, shapes (n₁, k) and (n₀, k).
    interact
        Whether each arm has its own slopes.

    Examples
    --------
    >>> fit = adjusted_fit([2.0, 4.1, 5.9], [1.0, 3.0, 5.1], [[1], [2], [3]], [[1], [2], [3]], interact=False)
    >>> round(float(fit.coefficients[1]), 3)
    0.967
    """
    y = np.concatenate([np.asarray(control, dtype=np.float64), np.asarray(treatment, dtype=np.float64)])
    x = np.concatenate([_columns(control_covariates), _columns(treatment_covariates)])
    if len(x) != len(y):
        raise InvalidInput(f"covariates: expected {len(y)} rows, not {len(x)}")
    if not len(y):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    arm = np.zeros(len(y))
    arm[len(np.asarray(control)) :] = 1.0
    centred = x - x.mean(axis=0)
    parts = [np.ones(len(y)), arm, *centred.T]
    if interact:
        parts += [arm * column for column in centred.T]
    return least_squares(y, np.column_stack(parts))


def interaction(outcome: ArrayLike, treated: ArrayLike, segment: ArrayLike) -> Fit | NotEstimable:
    """Regress the outcome on treatment, segment and their product; the product is at place 3.

    Parameters
    ----------
    outcome, treated, segment
        Shape (n,); the last two of zeros and ones.

    Examples
    --------
    >>> fit = interaction([1, 2, 3, 6, 1.2, 2.2, 3.2, 6.2], [0, 1, 0, 1] * 2, [0, 0, 1, 1] * 2)
    >>> round(float(fit.coefficients[3]), 6)
    2.0
    """
    t, s = np.asarray(treated, dtype=np.float64), np.asarray(segment, dtype=np.float64)
    if t.shape != s.shape:
        raise InvalidInput("treated, segment: expected the same length")
    return least_squares(outcome, np.column_stack([np.ones(len(t)), t, s, t * s]))


def _columns(covariates: ArrayLike) -> Floats:
    array = np.asarray(covariates, dtype=np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array
