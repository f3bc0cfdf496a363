"""What fixed-horizon methods must show in simulation: error rates and coverage, rows B1–B11 and B20–B24.

Bands are those of the design; the seed is fixed, so a run is green for ever or red for a reason.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from analysis import Moments, estimate
from analysis.adjust import Slope, cuped
from analysis.batch import Arms, Comparisons, compare_many
from analysis.capping import Caps, find_caps, winsorise
from analysis.clusters import ClusterErrors, effect_by_clusters, mean_of_totals
from analysis.comparison import Comparison, compare
from analysis.estimate import Estimate
from analysis.flags import skewed_allocation
from analysis.many_to_one import critical_value
from analysis.multiplicity import benjamini_hochberg
from analysis.quantiles import quantile
from analysis.sample_ratio import SRM_LEVEL
from tests.analysis.conftest import Measure

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]


def revenue(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Ten per cent pay, log-normally."""
    return np.where(rng.random(shape) < 0.1, rng.lognormal(3.0, 1.0, shape), 0.0)


def replay(
    rng: np.random.Generator, sizes: tuple[int, int], *, repeats: int, skewed: bool, lift: float = 0.0
) -> Comparisons:
    """Two arms from one population, many times; ``sizes`` are treatment and control."""
    parts = []
    for start in range(0, repeats, 2000):
        rows = min(2000, repeats - start)
        arms = []
        for size in sizes:
            values = revenue(rng, (rows, size)) if skewed else rng.normal(10.0, 5.0, (rows, size))
            arms.append(values)
        parts.append((Arms.of_values(arms[0] * (1 + lift)), Arms.of_values(arms[1])))
    joined = [
        Arms.of(
            *(
                np.concatenate([np.broadcast_to(getattr(p[i], f), p[i].mean.shape) for p in parts])
                for f in ("n", "mean", "variance")
            )
        )
        for i in (0, 1)
    ]
    return compare_many(joined[0], joined[1])


def rate(answers: Comparisons, level: float = 0.05) -> float:
    """Share of claims; a pair that has no answer claims nothing."""
    return float((answers.estimable & (answers.p_value < level)).mean())


def test_b1_welch_normal_small(measure: Measure) -> None:
    found = rate(replay(np.random.default_rng(1), (10, 10), repeats=40_000, skewed=False))
    measure("B1 Welch, normal, 10/10", found, 0.045, 0.055)


def test_b2_welch_normal_unequal(measure: Measure) -> None:
    found = rate(replay(np.random.default_rng(2), (5, 40), repeats=40_000, skewed=False))
    measure("B2 Welch, normal, 5/40", found, 0.0, 0.065)


def test_b3_welch_revenue(measure: Measure) -> None:
    rng = np.random.default_rng(3)
    large = rate(replay(rng, (1000, 1000), repeats=20_000, skewed=True))
    small = rate(replay(rng, (100, 100), repeats=20_000, skewed=True))
    measure("B3 revenue, 1000/1000", large, 0.042, 0.055)
    measure("B3 revenue, 100/100", small, 0.0, 0.05)


def test_b4_unequal_allocation_with_skew_fails_and_warns(measure: Measure) -> None:
    rng = np.random.default_rng(4)
    answers = replay(rng, (200, 1800), repeats=20_000, skewed=True)
    measure("B4 revenue, 200/1800, warned of", rate(answers), 0.08, 0.15)
    pooled = revenue(rng, (2000,))
    assert skewed_allocation(pooled, sizes={"control": 1800, "treatment": 200}) is not None
    capped = 0
    for _ in range(4_000):
        new, old = revenue(rng, (200,)), revenue(rng, (1800,))
        caps = find_caps(new, old, upper=0.97)
        assert isinstance(caps, Caps)
        one, other = (estimate.mean(Moments.from_values(winsorise(x, caps))) for x in (new, old))
        answer = compare(one, other)
        capped += isinstance(answer, Comparison) and answer.significant
    measure("B4 the same, capped", capped / 4_000, 0.0, 0.07)


@pytest.mark.parametrize(("users", "low", "high"), [(200, 0.045, 0.062), (1000, 0.045, 0.057)])
def test_b5_ratio_by_delta_method(users: int, low: float, high: float, measure: Measure) -> None:
    rng = np.random.default_rng(5)
    claims = 0
    repeats = 20_000
    for _ in range(repeats // 500):
        arms = []
        for _arm in range(2):
            views = 1 + rng.poisson(rng.gamma(1.0, 4.0, (500, users)))
            clicks = rng.binomial(views, rng.beta(1.0, 9.0, (500, users)))
            arms.append(_ratio_arms(clicks.astype(float), views.astype(float)))
        claims += int((compare_many(arms[0], arms[1]).p_value < 0.05).sum())
    measure(f"B5 ratio, {users} users", claims / repeats, low, high)


def _ratio_arms(x: Floats, y: Floats) -> Arms:
    """The delta method in rows; `test_estimate` holds it against `estimate.ratio`."""
    r = x.mean(axis=1) / y.mean(axis=1)
    linear = x - r[:, np.newaxis] * y
    return Arms.of(x.shape[1], r, linear.var(axis=1, ddof=1) / y.mean(axis=1) ** 2)


def test_b6_lift_coverage_with_revenue(measure: Measure) -> None:
    answers = replay(np.random.default_rng(6), (400, 400), repeats=20_000, skewed=True, lift=0.2)
    covered = (answers.lift_low <= 0.2) & (answers.lift_high >= 0.2)
    measure("B6 lift coverage, revenue", covered.mean(), 0.94, 0.965)


def test_b7_lift_coverage_with_normal_values(measure: Measure) -> None:
    answers = replay(np.random.default_rng(7), (30, 30), repeats=20_000, skewed=False, lift=0.1)
    covered = (answers.lift_low <= 0.1) & (answers.lift_high >= 0.1)
    measure("B7 lift coverage, normal", covered.mean(), 0.94, 0.96)


def test_b8_lift_and_difference_never_contradict(measure: Measure) -> None:
    answers = replay(np.random.default_rng(8), (50, 50), repeats=40_000, skewed=False)
    by_lift = (answers.lift_low > 0) | (answers.lift_high < 0)
    measure("B8 contradictions", float((by_lift != (answers.p_value < 0.05)).sum()), 0.0, 0.0)


@pytest.mark.parametrize(("rho", "band"), [(0.3, 0.03), (0.6, 0.04), (0.9, 0.018)])
def test_b9_cuped_variance(rho: float, band: float, measure: Measure) -> None:
    rng = np.random.default_rng(9)
    plain, adjusted = [], []
    for arms in _correlated(rng, rho, n=500, repeats=4_000):
        estimates = cuped(arms)
        assert isinstance(estimates, dict)
        adjusted.append(estimates["treatment"].value - estimates["control"].value)
        plain.append(arms["treatment"].value - arms["control"].value)
    left = 1 - rho**2
    ratio = float(np.var(adjusted) / np.var(plain))
    measure(f"B9 CUPED variance ratio, rho {rho}", ratio, left - band, left + band)


@pytest.mark.parametrize("slope", [Slope.WITHIN, Slope.JOINT, Slope.PER_ARM])
def test_b10_cuped_and_lin_error_rate(slope: Slope, measure: Measure) -> None:
    rng = np.random.default_rng(10)
    repeats, claims = 40_000, 0
    for arms in _correlated(rng, 0.7, n=50, repeats=repeats):
        estimates = cuped(arms, slope=slope)
        assert isinstance(estimates, dict)
        answer = compare(estimates["treatment"], estimates["control"])
        claims += isinstance(answer, Comparison) and answer.p_value < 0.05
    measure(f"B10 CUPED error rate, {slope}", claims / repeats, 0.045, 0.057)


def _correlated(rng: np.random.Generator, rho: float, *, n: int, repeats: int) -> list[dict[str, Moments]]:
    """Moments of (outcome, covariate) in two arms of n, many times."""
    found: list[dict[str, Moments]] = [{} for _ in range(repeats)]
    chunk = max(1, 1_000_000 // n)
    for name in ("control", "treatment"):
        for start in range(0, repeats, chunk):
            rows = min(chunk, repeats - start)
            x = rng.normal(10.0, 2.0, (rows, n))
            y = 10 + rho * (x - 10) + math.sqrt(1 - rho**2) * rng.normal(0.0, 2.0, (rows, n))
            means = np.stack([y.mean(axis=1), x.mean(axis=1)], axis=1)
            both = np.stack([y, x], axis=1) - means[:, :, np.newaxis]
            crosses = both @ both.transpose(0, 2, 1)
            for row in range(rows):
                found[start + row][name] = Moments(n, means[row], crosses[row])
    return found


def test_b11_srm_error_rate(measure: Measure) -> None:
    rng = np.random.default_rng(11)
    n = 20_000
    first = rng.binomial(n, 0.5, 2_000_000)
    statistic = (2 * first - n) ** 2 / n
    alarms = (special.chdtrc(1, statistic) < SRM_LEVEL).mean()
    measure("B11 SRM chi-square at 0.001", alarms, 0.0009, 0.0011)


def test_b20_dunnett_family(measure: Measure) -> None:
    rng = np.random.default_rng(20)
    c = critical_value(np.full(4, math.sqrt(0.5)), df=math.inf)
    z = rng.normal(size=(100_000, 5))
    largest = np.abs((z[:, 1:] - z[:, :1]) / math.sqrt(2)).max(axis=1)
    measure("B20 Dunnett, 4 treatments", (largest > c).mean(), 0.048, 0.052)
    assert (largest > 1.96).mean() > 0.15


def test_b21_false_discoveries(measure: Measure) -> None:
    rng = np.random.default_rng(21)
    shifts = np.array([0.0] * 15 + [3.0] * 5)
    p = 2 * special.ndtr(-np.abs(rng.normal(size=(20_000, 20)) + shifts))
    shares = []
    for row in p:
        claimed = [each <= 0.05 for each in benjamini_hochberg(row.tolist())]
        shares.append(sum(claimed[:15]) / max(1, sum(claimed)))
    noise = 3.3 * float(np.std(shares)) / math.sqrt(len(shares))
    measure("B21 false discovery rate", float(np.mean(shares)), 0.0, 0.0375 + noise)


def test_b22_clustered_quantile(measure: Measure) -> None:
    rng = np.random.default_rng(22)
    repeats, claims, naive = 10_000, 0, 0
    sizes = 1 + rng.poisson(2.0, (64, 500))
    users = [np.repeat(np.arange(500), size) for size in sizes]

    def arm(clustered: bool) -> Estimate:
        owner = users[int(rng.integers(64))]
        speed = rng.lognormal(0.0, 0.8, 500)[owner]
        y = speed * rng.lognormal(0.0, 0.4, len(owner))
        found = quantile(y, 0.9, owner if clustered else None)
        assert isinstance(found, Estimate)
        return found

    for _ in range(repeats):
        answer = compare(arm(clustered=True), arm(clustered=True))
        claims += isinstance(answer, Comparison) and answer.p_value < 0.05
    for _ in range(repeats // 5):
        answer = compare(arm(clustered=False), arm(clustered=False))
        naive += isinstance(answer, Comparison) and answer.p_value < 0.05
    measure("B22 clustered p90", claims / repeats, 0.04, 0.06)
    measure("B22 the same, clusters ignored", naive / (repeats // 5), 0.07, 1.0)


def test_b23_few_clusters(measure: Measure) -> None:
    rng = np.random.default_rng(23)
    repeats, corrected, plain = 20_000, 0, 0
    sizes = np.full(6, 20)
    for _ in range(repeats):
        totals = 20 * rng.normal(0.0, 1.0, (2, 6)) + math.sqrt(20) * rng.normal(0.0, 2.0, (2, 6))
        new, old = (mean_of_totals(row, sizes) for row in totals)
        answer = compare(new, old)
        corrected += isinstance(answer, Comparison) and answer.p_value < 0.05
        spread = math.sqrt(sum(((row - row.mean()) ** 2).sum() for row in totals)) / 120
        plain += abs(totals[1].sum() - totals[0].sum()) / 120 > 1.96 * spread
    measure("B23 CR2, 12 clusters", corrected / repeats, 0.04, 0.06)
    measure("B23 CR0", plain / repeats, 0.08, 1.0)


def test_b23_the_closed_form_is_the_regression() -> None:
    rng = np.random.default_rng(230)
    clusters = np.repeat(np.arange(12), rng.integers(1, 9, 12))
    treated = (clusters % 2).astype(float)
    y = rng.normal(size=12)[clusters] + rng.normal(size=len(clusters))
    whole = effect_by_clusters(y, treated, clusters, ClusterErrors.CR2)
    new, old = (
        mean_of_totals(
            [y[clusters == g].sum() for g in range(12) if g % 2 == side],
            [(clusters == g).sum() for g in range(12) if g % 2 == side],
        )
        for side in (1, 0)
    )
    assert isinstance(whole, Estimate)
    answer = compare(new, old)
    assert isinstance(answer, Comparison)
    assert math.isclose(answer.standard_error, whole.standard_error, rel_tol=1e-10)


def test_b24_noninferiority_at_the_margin(measure: Measure) -> None:
    rng = np.random.default_rng(24)
    new, old = (Arms.of_values(rng.normal(mean, 1.0, (40_000, 50))) for mean in (-0.3, 0.0))
    answers = compare_many(new, old)
    p = special.stdtr(answers.df, -(answers.difference + 0.3) / answers.standard_error)
    measure("B24 non-inferiority at the margin", (p < 0.05).mean(), 0.045, 0.055)
