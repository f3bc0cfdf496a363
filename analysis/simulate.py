"""Simulate: the platform tested on a metric's own history, and a plan tried out before it starts.

An A/A replay splits real units at random many times. Nothing was done to either side, so every claim is
false, and the shares of false claims and of intervals that miss zero show whether the test keeps its promise
on *this* metric, with its zeros, its whales and its size. A plan's simulation draws the path of the statistic
at every look and counts when the chosen inference would stop.

Both take the random generator as an argument and report progress as they go.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.batch import Arms, compare_many
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.group_sequential import GroupSequential
from analysis.inference import Inference
from analysis.sample_ratio import SRM_LEVEL, expected_range

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_CHUNK_CELLS = 4_000_000


def silent(done: int, of: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of replays, with its Monte Carlo standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, hits: int, replays: int) -> "Rate":
        """From counts; the error is at least that of one hit, so that 0 is not taken for certain."""
        share = hits / replays
        floor = max(share, 1 / replays)
        return cls(share, math.sqrt(floor * max(0.0, 1 - share) / replays))


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """The outcome of an A/A replay.

    Attributes
    ----------
    false_positives
        Share of replays with p below α.
    coverage
        Share of difference intervals that hold zero.
    split_alarms
        Share of random splits that the sample-ratio check calls wrong at 0.001.
    detectable_lift
        Median over the replays of the lift that this many units detect with the given power; None where the
        mean is zero.
    unanswered
        Share of replays in which the metric was not estimable.
    p_values
        Of the replays that had an answer, for the picture: they should be uniform.
    confidence
        Of the intervals: the coverage that was promised.
    """

    replays: int
    units: int
    false_positives: Rate
    coverage: Rate
    split_alarms: Rate
    detectable_lift: float | None
    unanswered: float
    p_values: Floats
    confidence: float

    @property
    def coverage_range(self) -> tuple[float, float]:
        """Where chance can put the coverage of so many replays when the promise is kept."""
        return expected_range(len(self.p_values), self.confidence)


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram of p-values: the counts of equal bins from 0 to 1, and where chance can put each."""

    counts: tuple[int, ...]
    low: float
    high: float


def p_value_bins(outcome: Replay, bins: int = 20) -> Bins:
    """Count p-values in equal bins, beside the range for each when they are uniform.

    Examples
    --------
    >>> outcome = replay(np.arange(200.0), rng=np.random.default_rng(1), replays=500)
    >>> found = p_value_bins(outcome, bins=4)
    >>> sum(found.counts), found.low < 125 < found.high
    (500, True)
    """
    if bins < 1:
        raise InvalidInput(f"bins: expected at least one, not {bins}")
    total = len(outcome.p_values)
    low, high = expected_range(total, 1 / bins)
    counts = np.histogram(outcome.p_values, bins=bins, range=(0, 1))[0]
    return Bins(tuple(int(count) for count in counts), low * total, high * total)


def replay(
    values: ArrayLike,
    *,
    rng: np.random.Generator,
    replays: int = 1_000,
    share: float = 0.5,
    confidence: float = 0.95,
    power: float = 0.8,
    progress: Progress = silent,
) -> Replay | NotEstimable:
    """Split real units at random many times and compare the halves.

    Parameters
    ----------
    values
        One number for each unit, shape (n,).
    share
        Of the treatment.
    progress
        Called with (replays done, replays in all).

    References
    ----------
    Kohavi, Tang, Xu (2020), *Trustworthy online controlled experiments*, chapter 19, on A/A tests.

    Examples
    --------
    >>> outcome = replay(np.arange(200.0), rng=np.random.default_rng(1), replays=500)
    >>> outcome.units, 0.02 < outcome.false_positives.value < 0.09
    (200, True)
    """
    x = _values(values)
    if not 0 < share < 1 or replays < 1:
        raise InvalidInput("share, replays: expected a share between 0 and 1 and at least one replay")
    if len(x) < 4:
        return NotEstimable(Cause.TOO_FEW_UNITS, "at least four units are needed")
    if np.ptp(x) == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit has the same value")
    treatment, control, chunk = [], [], max(1, _CHUNK_CELLS // len(x))
    for start in range(0, replays, chunk):
        rows = min(chunk, replays - start)
        one, other = _split(x, rng, rows, share)
        treatment.append(one)
        control.append(other)
        progress(start + rows, replays)
    new, old = _joined(treatment), _joined(control)
    return _summary(new, old, len(x), share=share, confidence=confidence, power=power)


def _split(x: Floats, rng: np.random.Generator, rows: int, share: float) -> tuple[Arms, Arms]:
    """Moments of both arms in each of many random splits, from two matrix products."""
    mask = (rng.random((rows, len(x)), dtype=np.float32) < share).astype(np.float64)
    centre = float(x.mean())
    y = x - centre
    n1 = mask.sum(axis=1)
    s1, q1 = mask @ y, mask @ (y * y)
    return _arm(n1, s1, q1, centre), _arm(len(x) - n1, y.sum() - s1, (y * y).sum() - q1, centre)


def _arm(n: Floats, total: Floats, squares: Floats, centre: float) -> Arms:
    # Centred at the mean of all units first, so the sums of squares keep their digits.
    with np.errstate(all="ignore"):
        mean = total / n
        variance = np.maximum(0.0, squares - n * mean * mean) / (n - 1)
    return Arms(n, centre + mean, variance)


def _summary(
    new: Arms, old: Arms, units: int, *, share: float, confidence: float, power: float
) -> Replay | NotEstimable:
    answers = compare_many(new, old, confidence)
    good = answers.estimable
    replays, answered = len(good), int(good.sum())
    if answered == 0:
        return NotEstimable(Cause.TOO_FEW_UNITS, "no split had two arms to compare")
    claims = int((answers.p_value[good] < 1 - confidence).sum())
    covered = int(((answers.low[good] <= 0) & (answers.high[good] >= 0)).sum())
    chi_square = (new.n - share * units) ** 2 / (units * share * (1 - share))
    alarms = int((special.chdtrc(1, chi_square) < SRM_LEVEL).sum())
    width = (answers.high[good] - answers.low[good]) / 2
    needed = width + float(special.ndtri(power)) * answers.standard_error[good]
    base = np.abs(old.mean[good])
    return Replay(
        replays,
        units,
        Rate.of(claims, answered),
        Rate.of(covered, answered),
        Rate.of(alarms, replays),
        float(np.median(needed / base)) if (base > 0).all() else None,
        1 - answered / replays,
        answers.p_value[good],
        confidence,
    )


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What a plan would do at one true effect.

    Attributes
    ----------
    drift
        The true effect: the expected z at the planned end.
    claims
        Share of runs that claim an effect in the right direction, any direction where the drift is 0.
    wrong_way
        Share that claim the opposite.
    mean_stop, median_stop
        When a run ends, as a share of the planned size; runs without claim end at 1.
    """

    drift: float
    claims: Rate
    wrong_way: Rate
    mean_stop: float
    median_stop: float


def try_plan(
    inference: Inference,
    *,
    size: int,
    drift: float,
    rng: np.random.Generator,
    looks: int = 100,
    runs: int = 4_000,
    first_look: int = 200,
    progress: Progress = silent,
) -> PlanOutcome:
    """Run a plan many times at a true effect.

    The statistic is a Brownian path sampled at equally spaced looks, which is what cumulative comparisons of
    hundreds of units are.

    Parameters
    ----------
    size
        Planned units over both arms.
    drift
        Expected z at the planned end: lift · base / standard error there. 2.80 is what a fixed test finds
        with a power of 80 %.
    first_look
        Units before which nothing is claimed.

    Examples
    --------
    >>> from analysis.inference import Sequential
    >>> rng = np.random.default_rng(1)
    >>> outcome = try_plan(Sequential(10_000), size=10_000, drift=2.8016, rng=rng)
    >>> 0.74 < outcome.claims.value < 0.81, 0.65 < outcome.mean_stop < 0.85
    (True, True)
    """
    if size < 1 or looks < 1 or runs < 1:
        raise InvalidInput("size, looks, runs: expected counts of at least 1")
    path = _Path.of(inference, size=size, drift=drift, looks=looks, first_look=first_look)
    right = wrong = 0
    stops = []
    chunk = max(1, _CHUNK_CELLS // len(path.times))
    for start in range(0, runs, chunk):
        rows = min(chunk, runs - start)
        agrees, against, stop = path.walk(rows, rng)
        right += agrees
        wrong += against
        stops.append(stop)
        progress(start + rows, runs)
    ended = np.concatenate(stops)
    return PlanOutcome(
        drift, Rate.of(right, runs), Rate.of(wrong, runs), float(ended.mean()), float(np.median(ended))
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """A plan's looks, as shares of its size, the bounds of |z| at each, and the drift at the end."""

    times: Floats
    bounds: Floats
    drift: float

    @classmethod
    def of(cls, inference: Inference, *, size: int, drift: float, looks: int, first_look: int) -> "_Path":
        # A group-sequential plan is looked at when it says, any other at equal distances.
        even = np.arange(1, looks + 1) / looks
        times = np.array(inference.looks) if isinstance(inference, GroupSequential) else even
        units = np.maximum(1, np.rint(times * size).astype(int))
        bounds = [inference.multiplier(df=math.inf, n=int(n)) if n >= first_look else math.inf for n in units]
        return cls(times, np.array(bounds), drift)

    def walk(self, runs: int, rng: np.random.Generator) -> tuple[int, int, Floats]:
        """Of some runs, those that claim the right and the wrong direction, and when each one ends."""
        gaps = np.diff(self.times, prepend=0.0)
        steps = rng.normal(self.drift * gaps, np.sqrt(gaps), (runs, len(self.times)))
        z = np.cumsum(steps, axis=1) / np.sqrt(self.times)
        hit = np.abs(z) > self.bounds
        ever, at = hit.any(axis=1), hit.argmax(axis=1)
        above = z[np.arange(runs), at] > 0
        agrees = np.ones(runs, dtype=bool) if self.drift == 0 else above == (self.drift > 0)
        stops = np.where(ever, self.times[at], 1.0)
        return int((ever & agrees).sum()), int((ever & ~agrees).sum()), stops


def _joined(parts: list[Arms]) -> Arms:
    return Arms(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("n", "mean", "variance")))


def _values(values: ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise InvalidInput("values: expected finite numbers, shape (n,)")
    return x
