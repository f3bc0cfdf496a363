"""How fast the analysis is: ``python tests/benchmarks/analysis_speed.py``.

Comparisons from moments one by one and in arrays, a scorecard of 50 metrics and 5 variants, and
group-sequential boundaries for 28 daily looks, on one core.
"""

import time
from collections.abc import Callable

import numpy as np

from analysis import FixedHorizon, Moments, compare, estimate
from analysis.batch import Arms, compare_many
from analysis.boundaries import spending_boundaries


def best_of(times: int, task: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        task()
        found.append(time.perf_counter() - start)
    return min(found)


def one_by_one(pairs: list[tuple[Moments, Moments]]) -> None:
    for new, old in pairs:
        compare(estimate.mean(new), estimate.mean(old))


def scorecard(metrics: list[list[Moments]]) -> None:
    inference = FixedHorizon()
    for control, *treatments in metrics:
        base = estimate.mean(control)
        for each in treatments:
            compare(estimate.mean(each), base, inference)


def main() -> None:
    rng = np.random.default_rng(1)

    def moments() -> Moments:
        return Moments.from_summary(n=10_000, mean=float(rng.normal(10, 0.1)), var=float(rng.gamma(9, 1)))

    pairs = [(moments(), moments()) for _ in range(10_000)]
    single = best_of(3, lambda: one_by_one(pairs)) / len(pairs)
    print(f"Welch and Fieller, one by one      {1 / single:12,.0f} comparisons/s")

    arms = [Arms.of(10_000, rng.normal(10, 0.1, 200_000), rng.gamma(9, 1, 200_000)) for _ in range(2)]
    array = best_of(3, lambda: compare_many(arms[0], arms[1])) / 200_000
    print(f"Welch and Fieller, in arrays       {1 / array:12,.0f} comparisons/s   (asked: 100,000)")

    card = [[moments() for _variant in range(5)] for _metric in range(50)]
    whole = best_of(5, lambda: scorecard(card))
    print(f"scorecard, 50 metrics x 5 variants {1e3 * whole:12.2f} ms   (asked: 20)")

    times = [(k + 1) / 28 for k in range(28)]
    levels = iter(np.linspace(0.02, 0.03, 50))
    boundaries = best_of(5, lambda: spending_boundaries(times, float(next(levels))))
    print(f"group-sequential, 28 looks         {1e3 * boundaries:12.2f} ms   (asked: 100)")


if __name__ == "__main__":
    main()
