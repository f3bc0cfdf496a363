"""Clusters: when units arrive in groups, such as sessions of a user or users of a city.

Values of one cluster resemble each other, so counting them as independent makes every standard error too
small. Here a cluster counts as one. Three corrections for few clusters are offered by name:

- ``CR2`` is unbiased when the working model holds, with Satterthwaite degrees of freedom. The default.
- ``CR1`` scales by G/(G − 1)·(N − 1)/(N − k) and uses G − 1 degrees of freedom ("stata").
- ``CR0`` corrects nothing; right for hundreds of clusters.

References
----------
Bell, McCaffrey (2002), *Bias reduction in standard errors for linear regression with multi-stage samples*,
Survey Methodology 28. Pustejovsky, Tipton (2018), *Small-sample methods for cluster-robust variance
estimation and hypothesis testing in fixed effects models*, J. Business & Economic Statistics 36.
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.regression import Fit, least_squares

Floats = NDArray[np.float64]


class ClusterErrors(StrEnum):
    """How the covariance is corrected for few clusters."""

    CR0 = "cr0"
    CR1 = "cr1"
    CR2 = "cr2"


def cluster_mean(values: ArrayLike, clusters: ArrayLike) -> Estimate | NotEstimable:
    """Estimate a mean per row of one arm whose rows come in clusters (CR2).

    Parameters
    ----------
    values, clusters
        Shape (n,): a value and the label of its cluster.

    Examples
    --------
    >>> answer = cluster_mean([1.0, 2.0, 3.0, 5.0, 4.0], ["a", "a", "b", "b", "c"])
    >>> answer.value, answer.n, round(answer.standard_error, 4), round(answer.df, 3)
    (3.0, 3, 0.9574, 1.8)
    """
    y, labels = _aligned(values, clusters)
    if not len(y):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    _, place = np.unique(labels, return_inverse=True)
    return mean_of_totals(np.bincount(place, weights=y), np.bincount(place))


def mean_of_totals(totals: ArrayLike, sizes: ArrayLike) -> Estimate | NotEstimable:
    """Estimate a mean per row from each cluster's total and number of rows (CR2).

    For one arm the correction has a closed form. With residual totals e_g = T_g − n_g·m and shares
    h_g = n_g / N: Var(m) = Σ e_g² / (1 − h_g) / N². Satterthwaite's degrees of freedom follow from the
    working model in closed form, too. n counts clusters.

    Examples
    --------
    >>> round(mean_of_totals([3.0, 8.0, 4.0], [2, 2, 1]).standard_error, 4)
    0.9574
    """
    total, size = np.asarray(totals, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    if total.shape != size.shape or total.ndim != 1:
        raise InvalidInput("totals, sizes: expected the same length")
    if not np.isfinite(total).all():
        raise InvalidInput("totals: expected finite numbers")
    rows = size.sum()
    if len(total) < 2 or rows <= 0:
        return NotEstimable(Cause.TOO_FEW_CLUSTERS, "at least two clusters are needed")
    mean = float(total.sum() / rows)
    share = size / rows
    free = 1 - share
    variance = float(((total - size * mean) ** 2 / free).sum() / rows**2)
    # u_g'u_g and the projection of u_g on the arm, for u_g = 1 / (N·√(1 − h_g)) on each row of cluster g.
    weight = share / free / rows
    along = share / np.sqrt(free)
    expected = weight - along**2 / rows
    crossed = np.square(np.outer(along, along) / rows)
    np.fill_diagonal(crossed, expected**2)
    df = float(expected.sum() ** 2 / crossed.sum())
    return Estimate(mean, math.sqrt(variance), len(total), df, "cluster_mean")


def cluster_coefficient(
    fit: Fit, clusters: ArrayLike, place: int, errors: ClusterErrors = ClusterErrors.CR2
) -> Estimate | NotEstimable:
    """One coefficient of a regression whose rows come in clusters.

    Parameters
    ----------
    fit
        A least-squares fit.
    clusters
        The label of each row, shape (n,).
    place
        Which coefficient.
    errors
        The correction for few clusters.

    Examples
    --------
    >>> fit = least_squares([1.0, 2.0, 3.0, 5.0, 4.0, 6.0], [[1, 0]] * 3 + [[1, 1]] * 3)
    >>> answer = cluster_coefficient(fit, [0, 0, 1, 2, 2, 3], place=1)
    >>> round(answer.value, 6), round(answer.standard_error, 6), round(answer.df, 6)
    (3.0, 1.0, 2.0)
    """
    _, labels = _aligned(fit.residuals, clusters)
    names, member = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        return NotEstimable(Cause.TOO_FEW_CLUSTERS, "at least two clusters are needed")
    rows = [np.flatnonzero(member == g) for g in range(len(names))]
    value = float(fit.coefficients[place])
    if errors is ClusterErrors.CR2:
        variance, df = _bias_reduced(fit, rows, place)
    else:
        scores = np.array([fit.design[each].T @ fit.residuals[each] for each in rows])
        variance = float(fit.sandwich(scores.T @ scores)[place, place])
        df = len(rows) - 1.0
        if errors is ClusterErrors.CR1:
            variance *= len(rows) / (len(rows) - 1) * (fit.n - 1) / fit.df
    if not math.isfinite(df):
        return NotEstimable(Cause.TOO_FEW_CLUSTERS, "no cluster is left to estimate the spread from")
    return Estimate(value, math.sqrt(max(0.0, variance)), fit.n, df, f"ols_{errors}")


def effect_by_clusters(
    outcome: ArrayLike, treated: ArrayLike, clusters: ArrayLike, errors: ClusterErrors = ClusterErrors.CR2
) -> Estimate | NotEstimable:
    """The difference between treated and untreated rows, where whole clusters or parts of them are treated.

    Examples
    --------
    >>> effect = effect_by_clusters([1.0, 2.0, 3.0, 5.0, 4.0, 6.0], [0, 0, 0, 1, 1, 1], [0, 0, 1, 2, 2, 3])
    >>> round(effect.value, 9)
    3.0
    """
    t = np.asarray(treated, dtype=np.float64)
    fit = least_squares(outcome, np.column_stack([np.ones(len(t)), t]))
    return fit if isinstance(fit, NotEstimable) else cluster_coefficient(fit, clusters, 1, errors)


def difference_in_differences(
    outcome: ArrayLike,
    treated: ArrayLike,
    after: ArrayLike,
    clusters: ArrayLike,
    errors: ClusterErrors = ClusterErrors.CR2,
) -> Estimate | NotEstimable:
    """How much more the treated changed than the others: the coefficient of treated × after.

    Parameters
    ----------
    outcome, treated, after, clusters
        Shape (n,): one row per unit and period, zeros and ones, and the unit.

    Examples
    --------
    >>> rows = {"treated": [0, 0, 1, 1] * 2, "after": [0, 1] * 4, "clusters": [0, 0, 1, 1, 2, 2, 3, 3]}
    >>> round(difference_in_differences([1, 2, 1, 4, 2, 3.5, 2, 5], **rows).value, 6)
    1.75
    """
    t, p = np.asarray(treated, dtype=np.float64), np.asarray(after, dtype=np.float64)
    fit = least_squares(outcome, np.column_stack([np.ones(len(t)), t, p, t * p]))
    return fit if isinstance(fit, NotEstimable) else cluster_coefficient(fit, clusters, 3, errors)


def _bias_reduced(fit: Fit, rows: list[NDArray[np.intp]], place: int) -> tuple[float, float]:
    """Variance and degrees of freedom by CR2 with an identity working model.

    Each cluster's residuals are multiplied by (I − H_gg)^(−1/2). The variance is then a quadratic form in
    the errors, Σ (p_g'e)²; its degrees of freedom are 2·mean² / variance of that form under the model.
    """
    column = fit.bread[:, place]
    variance, lengths, along = 0.0, [], []
    for each in rows:
        x = fit.design[each]
        weights = _inverse_root(x, fit.bread) @ (x @ column)
        variance += float(weights @ fit.residuals[each]) ** 2
        lengths.append(float(weights @ weights))
        along.append(x.T @ weights)
    projected = np.array(along)
    form = -projected @ fit.bread @ projected.T
    form[np.diag_indices_from(form)] += lengths
    spread = float((form * form).sum())
    return variance, float(np.trace(form)) ** 2 / spread if spread > 0 else math.inf


def _inverse_root(x: Floats, bread: Floats) -> Floats:
    """(I − X_g·(X'X)⁻¹·X_g')^(−1/2), the symmetric root, with directions that are fitted exactly left out."""
    values, vectors = np.linalg.eigh(np.eye(len(x)) - x @ bread @ x.T)
    roots = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-10)), 0.0)
    product: Floats = (vectors * roots) @ vectors.T
    return product


def _aligned(values: ArrayLike, clusters: ArrayLike) -> tuple[Floats, NDArray[np.generic]]:
    y, labels = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if y.ndim != 1 or labels.shape != y.shape:
        raise InvalidInput(f"clusters: expected one label for each of {len(y)} rows, not {labels.shape}")
    return y, labels
