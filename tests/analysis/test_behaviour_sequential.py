"""What methods for repeated looks must show in simulation: rows B12–B19, B25 and B26."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from analysis.boundaries import classical_boundaries, spending_boundaries
from analysis.inference import AlwaysValid, Sequential
from analysis.sample_ratio import SequentialCheck, srm_sequential
from analysis.spending import Family, Spending
from analysis.stagewise import stagewise_p
from tests.analysis.conftest import Measure

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]

FIXED = 1.959963984540054 + 0.8416212335729143
"""Drift that a fixed test finds with a power of 80 %."""


def paths(rng: np.random.Generator, looks: int, repeats: int, drift: float = 0.0) -> Floats:
    """z at equally spaced looks, shape (repeats, looks), for a given expected z at the end."""
    steps = rng.standard_normal((repeats, looks), dtype=np.float32)
    steps += np.float32(drift / math.sqrt(looks))
    walk = np.cumsum(steps, axis=1, out=steps)
    return walk / np.sqrt(np.arange(1, looks + 1, dtype=np.float32))


def crossed(z: Floats, bounds: Floats) -> tuple[float, float]:
    """Share of paths that ever cross, and the mean look of the first crossing or the end, as a fraction."""
    hit = np.abs(z) > bounds.astype(np.float32)
    ever = hit.any(axis=1)
    stop = np.where(ever, hit.argmax(axis=1) + 1, z.shape[1]) / z.shape[1]
    return float(ever.mean()), float(stop.mean())


def test_b12_srm_e_process(measure: Measure) -> None:
    rng = np.random.default_rng(12)
    looks, batch, k = 2_000, 10, 100.0
    repeated = alarms = 0
    for _ in range(4):
        first = np.cumsum(rng.binomial(batch, 0.5, (1_000, looks)), axis=1)
        n = batch * np.arange(1, looks + 1)
        log_bf = (
            special.gammaln(k)
            - 2 * special.gammaln(k / 2)
            - special.gammaln(k + n)
            + special.gammaln(k / 2 + first)
            + special.gammaln(k / 2 + n - first)
            + n * math.log(2)
        )
        alarms += int((log_bf.max(axis=1) > math.log(20)).sum())
        repeated += int((special.chdtrc(1, (2 * first - n) ** 2 / n).min(axis=1) < 0.05).sum())
        batches = np.diff(np.stack([first[0], n - first[0]], axis=1), axis=0, prepend=0).tolist()
        check = srm_sequential(batches, [1, 1])
        assert isinstance(check, SequentialCheck)
        assert math.isclose(max(check.log_bayes_factors), log_bf[0].max(), abs_tol=1e-8)
    measure("B12 SRM e-process, 2,000 peeks", alarms / 4_000, 0.0, 0.05)
    assert repeated / 4_000 > 0.4


def test_b13_asymptotic_sequence_one_sample(measure: Measure) -> None:
    rng = np.random.default_rng(13)
    size, first, repeats = 10_000, 100, 10_000
    inference = AlwaysValid(optimum=size // 4)
    looks = np.arange(first, size + 1, 5)
    bounds = np.array([inference.multiplier(df=math.inf, n=int(n)) for n in looks])
    ever = naive = 0
    for _ in range(repeats // 500):
        x = rng.standard_normal((500, size), dtype=np.float32)
        total, squares = np.cumsum(x, axis=1), np.cumsum(x * x, axis=1)
        s, q = total[:, looks - 1], squares[:, looks - 1]
        deviation = np.sqrt((q - s * s / looks) / (looks - 1))
        z = np.abs(s) / np.sqrt(looks) / deviation
        ever += int((z > bounds).any(axis=1).sum())
        naive += int((z > 1.96).any(axis=1).sum())
    measure("B13 always valid, one sample", ever / repeats, 0.0, 0.05 + 3.3 * 0.0022)
    assert naive / repeats > 0.4


@pytest.mark.parametrize("kind", ["bernoulli", "lognormal"])
def test_b14_asymptotic_sequence_two_arms(kind: str, measure: Measure) -> None:
    rng = np.random.default_rng(14)
    size, repeats = 5_000, 6_000
    looks = np.arange(100, size + 1, 10)
    inference = AlwaysValid(optimum=size // 2)
    bounds = np.array([inference.multiplier(df=math.inf, n=2 * int(n)) for n in looks])
    ever = 0
    for _ in range(repeats // 500):
        arms = []
        for _arm in range(2):
            if kind == "bernoulli":
                x = (rng.random((500, size), dtype=np.float32) < 0.05).astype(np.float32)
            else:
                x = np.exp(rng.standard_normal((500, size), dtype=np.float32))
            s, q = np.cumsum(x, axis=1)[:, looks - 1], np.cumsum(x * x, axis=1)[:, looks - 1]
            arms.append((s / looks, (q - s * s / looks) / (looks - 1) / looks, s))
        error = np.sqrt(arms[0][1] + arms[1][1])
        enough = np.minimum(arms[0][2], arms[1][2]) >= (5 if kind == "bernoulli" else 0)
        z = np.abs(arms[0][0] - arms[1][0]) / np.maximum(error, 1e-9)
        ever += int(((z > bounds) & enough).any(axis=1).sum())
    measure(f"B14 always valid, two arms, {kind}", ever / repeats, 0.0, 0.05)


@pytest.mark.parametrize("kind", ["bernoulli", "lognormal"])
def test_b15_asymptotic_sequence_skewed_after_burn_in(kind: str, measure: Measure) -> None:
    rng = np.random.default_rng(15)
    size, repeats = 10_000, 6_000
    looks = np.arange(500, size + 1, 10)
    inference = AlwaysValid(optimum=size // 4)
    bounds = np.array([inference.multiplier(df=math.inf, n=int(n)) for n in looks])
    ever = 0
    for _ in range(repeats // 500):
        if kind == "bernoulli":
            x, mean = (rng.random((500, size), dtype=np.float32) < 0.05).astype(np.float32), 0.05
        else:
            x, mean = np.exp(rng.standard_normal((500, size), dtype=np.float32)), math.exp(0.5)
        s, q = np.cumsum(x, axis=1)[:, looks - 1], np.cumsum(x * x, axis=1)[:, looks - 1]
        deviation = np.sqrt((q - s * s / looks) / (looks - 1))
        z = np.abs(s / looks - mean) * np.sqrt(looks) / deviation
        ever += int((z > bounds).any(axis=1).sum())
    measure(f"B15 always valid, burn-in 500, {kind}", ever / repeats, 0.0, 0.055)


@pytest.mark.parametrize(("factor", "power"), [(1.0, 0.50), (1.5, 0.90)])
def test_b16_asymptotic_sequence_power(factor: float, power: float, measure: Measure) -> None:
    size = 10_000
    inference = AlwaysValid(optimum=size // 4)
    looks = np.arange(1, 2_001) * 5
    bounds = np.array([inference.multiplier(df=math.inf, n=int(n)) for n in looks])
    bounds[:20] = 100.0
    found, stop = crossed(paths(np.random.default_rng(16), 2_000, 4_000, FIXED * factor), bounds)
    measure(f"B16 always valid, power at {factor}x", found, power, 1.0)
    measure(f"B16 always valid, stop at {factor}x", stop, 0.0, 0.76)


def _designs() -> dict[str, Floats]:
    return {
        name: np.array(spending_boundaries([(k + 1) / looks for k in range(looks)], 0.025, Spending(family)))
        for name, looks, family in (
            ("obf5", 5, Family.OBRIEN_FLEMING),
            ("pocock5", 5, Family.POCOCK),
            ("obf10", 10, Family.OBRIEN_FLEMING),
        )
    }


@pytest.mark.parametrize("design", ["obf5", "pocock5", "obf10"])
def test_b17_group_sequential_error_rate(design: str, measure: Measure) -> None:
    bounds = _designs()[design]
    rng = np.random.default_rng(17)
    found = float(np.mean([crossed(paths(rng, len(bounds), 100_000), bounds)[0] for _ in range(10)]))
    measure(f"B17 {design} error rate", found, 0.0490, 0.0510)


@pytest.mark.parametrize(
    ("design", "power", "stop"), [("obf5", 0.789, 0.81), ("pocock5", 0.716, 0.71), ("obf10", 0.785, 0.77)]
)
def test_b18_group_sequential_power(design: str, power: float, stop: float, measure: Measure) -> None:
    bounds = _designs()[design]
    rng = np.random.default_rng(18)
    runs = np.array([crossed(paths(rng, len(bounds), 100_000, FIXED), bounds) for _ in range(10)])
    found, stopped = runs.mean(axis=0)
    measure(f"B18 {design} power", found, power - 0.003, power + 0.003)
    measure(f"B18 {design} stop", stopped, stop - 0.01, stop + 0.01)


def test_b19_continuous_obrien_fleming(measure: Measure) -> None:
    rng = np.random.default_rng(19)
    inference = Sequential(size=2_000)
    bounds = np.array([inference.multiplier(df=math.inf, n=n) for n in range(1, 2_001)])

    def run(drift: float) -> tuple[float, float]:
        runs = np.array([crossed(paths(rng, 2_000, 2_000, drift), bounds) for _ in range(10)])
        found, stop = runs.mean(axis=0)
        return float(found), float(stop)

    measure("B19 continuous O'Brien-Fleming error rate", run(0.0)[0], 0.0, 0.05)
    power, stop = run(FIXED)
    measure("B19 power at 1x", power, 0.76, 1.0)
    measure("B19 stop at 1x", stop, 0.0, 0.76)
    measure("B19 power at 1.5x", run(1.5 * FIXED)[0], 0.97, 1.0)


def test_b25_stagewise_coverage_and_median(measure: Measure) -> None:
    rng = np.random.default_rng(25)
    times = [0.25, 0.5, 0.75, 1.0]
    bounds = list(classical_boundaries(4, 0.025, sides=1))
    drift = 2.0
    z = paths(rng, 4, 100_000, drift).astype(np.float64)
    hit = z > np.array(bounds)
    stage = np.where(hit.any(axis=1), hit.argmax(axis=1), 3)
    p = np.empty(len(z))
    for k in range(4):
        here = stage == k
        p[here] = stagewise_p(times[: k + 1], bounds[:k], z[here, k], drift=drift)
    covered = ((p > 0.025) & (p < 0.975)).mean()
    measure("B25 stage-wise coverage", covered, 0.945, 0.955)
    measure("B25 below the median estimate", (p < 0.5).mean(), 0.49, 0.51)


def test_b26_flat_prior_peeked_twenty_times(measure: Measure) -> None:
    rng = np.random.default_rng(26)
    z = paths(rng, 20, 20_000)
    better = special.ndtr(z)
    claimed = ((better > 0.975) | (better < 0.025)).any(axis=1).mean()
    measure("B26 flat prior, 20 peeks", claimed, 0.23, 0.27)
