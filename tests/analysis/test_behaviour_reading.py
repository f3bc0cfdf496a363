"""What a whole readout must show in simulation: adjusted means and ratios, and the family of segments.

Nothing was done to either side, so every claim is false; with an effect, its interval must hold it. Bands are
3.3 Monte Carlo standard errors around what was promised.
"""

import math

import numpy as np
import pytest

from analysis import Moments, Observation, PlannedMetric, Role, read
from analysis.observation import Age, Cut
from analysis.readout import Finding
from tests.analysis.conftest import Measure
from tests.analysis.observations import observed, plan

pytestmark = pytest.mark.slow

REPEATS, FAMILIES = 800, 2_000
MARGIN = 3.3 * math.sqrt(0.05 * 0.95 / REPEATS)
MEAN = PlannedMetric("sales", Role.PRIMARY, covariates=("before",))
RATIO = PlannedMetric("sales", Role.PRIMARY, kind="ratio", covariates=("sales before", "views before"))


def finding(metric: PlannedMetric, new: np.ndarray, old: np.ndarray) -> Finding:
    arms = {"old": Moments.from_values(old), "new": Moments.from_values(new)}
    return read(plan(metric), observed({"sales": arms}), version="test").comparisons[0]


def history(rng: np.random.Generator, n: int, effect: float = 0.0) -> np.ndarray:
    """An outcome that correlates 0.7 with what was before, and is skewed as much."""
    before = rng.gamma(2.0, 1.0, n)
    return np.column_stack([0.7 * before + math.sqrt(0.51) * rng.gamma(2.0, 1.0, n) + effect, before])


def visits(rng: np.random.Generator, n: int) -> np.ndarray:
    """Revenue and visits of users with habits, during and before."""
    habit, worth = rng.gamma(2.0, 2.0, n), rng.gamma(4.0, 0.25, n)
    views, earlier = 1.0 + rng.poisson(habit), 1.0 + rng.poisson(habit)
    return np.column_stack([rng.poisson(worth * views), views, rng.poisson(worth * earlier), earlier])


def test_an_adjusted_mean_keeps_its_error_rate_and_its_coverage(measure: Measure) -> None:
    rng = np.random.default_rng(31)
    claims, held, reduction = 0, 0, 0.0
    for _ in range(REPEATS):
        claims += finding(MEAN, history(rng, 150), history(rng, 150)).significant
        moved = finding(MEAN, history(rng, 150, 0.3), history(rng, 250))
        assert moved.difference is not None
        held += moved.difference.low <= 0.3 <= moved.difference.high
        reduction += moved.variance_reduction or 0.0
    measure("read(): CUPED, error rate", claims / REPEATS, 0.05 - MARGIN, 0.05 + MARGIN)
    measure("read(): CUPED, coverage", held / REPEATS, 0.95 - MARGIN, 0.95 + MARGIN)
    measure("read(): CUPED, variance taken away", reduction / REPEATS, 0.46, 0.52)


def test_an_adjusted_ratio_keeps_its_error_rate(measure: Measure) -> None:
    rng = np.random.default_rng(32)
    plain = PlannedMetric("sales", Role.PRIMARY, kind="ratio")
    claims, adjusted = 0, 0
    for _ in range(REPEATS):
        new, old = visits(rng, 300), visits(rng, 300)
        claims += finding(plain, new[:, :2], old[:, :2]).significant
        adjusted += finding(RATIO, new, old).significant
    measure("read(): ratio, error rate", claims / REPEATS, 0.05 - MARGIN, 0.05 + MARGIN)
    measure("read(): ratio with CUPED, error rate", adjusted / REPEATS, 0.05 - MARGIN, 0.05 + MARGIN)


def cuts(rng: np.random.Generator, effects: tuple[float, ...]) -> Observation:
    parts = []
    for number, effect in enumerate(effects):
        n = 100 + 60 * number
        arms = {
            name: Moments.from_values(rng.gamma(2.0, 1.0, n) + moved)
            for name, moved in (("old", 0.0), ("new", effect))
        }
        parts.append(Cut("channel", f"v{number}", dict.fromkeys(arms, n), {"sales": arms}))
    whole = {
        name: sum((part.moments["sales"][name] for part in parts), Moments.empty()) for name in ("old", "new")
    }
    return observed({"sales": whole}, cuts=tuple(parts))


def test_a_family_of_segments_keeps_its_error_rate(measure: Measure) -> None:
    rng = np.random.default_rng(33)
    asked = plan(PlannedMetric("sales", Role.PRIMARY), segments=("channel",))
    any_claim, differs, uneven = 0, 0, 0
    for _ in range(FAMILIES):
        calm = read(asked, cuts(rng, (0.0,) * 6), version="test")
        any_claim += any(each.significant for each in calm.comparisons if each.segment is not None)
    for _ in range(REPEATS):
        # An effect that is the same everywhere is no interaction.
        alike = read(asked, cuts(rng, (0.3,) * 6), version="test")
        differs += alike.interactions[0].differs
        mixed = read(asked, cuts(rng, (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)), version="test")
        uneven += mixed.interactions[0].differs
    margin = 3.3 * math.sqrt(0.05 * 0.95 / FAMILIES)
    measure("read(): segments, any false claim", any_claim / FAMILIES, 0.0, 0.05 + margin)
    measure("read(): interaction where there is none", differs / REPEATS, 0.05 - MARGIN, 0.05 + MARGIN)
    measure("read(): interaction of half a deviation", uneven / REPEATS, 0.5, 1.0)


def test_an_effect_that_lasts_is_seldom_called_novelty(measure: Measure) -> None:
    rng = np.random.default_rng(34)
    asked, claims = plan(), 0
    for _ in range(REPEATS):
        lives = {
            name: tuple(
                Age(day, Moments.from_values(rng.gamma(1.0, 1.0, 120) + moved), 60) for day in range(10)
            )
            for name, moved in (("old", 0.0), ("new", 0.2))
        }
        claims += read(asked, observed(ages={"sales": lives}), version="test").ages[0].novelty
    measure(
        "read(): novelty where there is none", claims / REPEATS, 0.0, 0.01 + 3.3 * math.sqrt(0.01 / REPEATS)
    )
