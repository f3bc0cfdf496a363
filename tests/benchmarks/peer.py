"""One peer's answers and its speed; run by `peers.py` with the Python of that peer's own environment.

``python peer.py NAME`` reads cases and pairs of arms as JSON from its input and writes JSON. The peers are
imported by name, because none of them is part of this project.
"""

import json
import math
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any

Arm = dict[str, float]
Answer = dict[str, float | None]
Ask = Callable[[str, Arm, Arm], Answer]


def sums(arm: Arm) -> dict[str, float]:
    """Raw sums, which is what two of the peers ask for."""
    n, mean, variance = arm["n"], arm["mean"], arm["var"]
    return {"n": n, "sum": n * mean, "sum_squares": variance * (n - 1) + n * mean * mean}


def growthbook() -> tuple[Ask, Callable[[list[tuple[Arm, Arm]]], None]]:
    tests = import_module("gbstats.frequentist.tests")
    statistics = import_module("gbstats.models.statistics")

    def statistic(kind: str, arm: Arm) -> Any:
        whole = sums(arm)
        if kind == "proportion":
            return statistics.ProportionStatistic(n=int(whole["n"]), sum=whole["sum"])
        return statistics.SampleMeanStatistic(
            n=int(whole["n"]), sum=whole["sum"], sum_squares=whole["sum_squares"]
        )

    def ask(kind: str, new: Arm, old: Arm) -> Answer:
        found: Answer = {}
        for scale, name in (("absolute", "difference"), ("relative", "lift")):
            config = tests.FrequentistConfig(difference_type=scale)
            answer = tests.TwoSidedTTest(statistic(kind, old), statistic(kind, new), config).compute_result()
            found |= {name: answer.expected, f"{name}_low": answer.ci[0], f"{name}_high": answer.ci[1]}
            found[f"{name}_p"] = answer.p_value
        return found

    def run(pairs: list[tuple[Arm, Arm]]) -> None:
        config = tests.FrequentistConfig()
        made = [(statistic("mean", old), statistic("mean", new)) for new, old in pairs]
        timed(lambda: [tests.TwoSidedTTest(old, new, config).compute_result() for old, new in made])

    return ask, run


def tea_tasting() -> tuple[Ask, Callable[[list[tuple[Arm, Arm]]], None]]:
    package, aggr = import_module("tea_tasting"), import_module("tea_tasting.aggr")
    metric = package.Mean("x")

    def aggregates(arm: Arm) -> Any:
        return aggr.Aggregates(
            count_=int(arm["n"]), mean_={"x": arm["mean"]}, var_={"x": arm["var"]}, cov_={}
        )

    def ask(_kind: str, new: Arm, old: Arm) -> Answer:
        answer = metric.analyze_aggregates(aggregates(old), aggregates(new))
        return {
            "difference": answer.effect_size,
            "difference_low": answer.effect_size_ci_lower,
            "difference_high": answer.effect_size_ci_upper,
            "difference_p": answer.pvalue,
            "lift": answer.rel_effect_size,
            "lift_low": answer.rel_effect_size_ci_lower,
            "lift_high": answer.rel_effect_size_ci_upper,
        }

    def run(pairs: list[tuple[Arm, Arm]]) -> None:
        made = [(aggregates(old), aggregates(new)) for new, old in pairs]
        timed(lambda: [metric.analyze_aggregates(old, new) for old, new in made])

    return ask, run


def spotify() -> tuple[Ask, Callable[[list[tuple[Arm, Arm]]], None]]:
    package, pandas = import_module("spotify_confidence"), import_module("pandas")

    def compare(new: Arm, old: Arm, kind: str, scales: tuple[bool, ...]) -> list[Any]:
        frame = pandas.DataFrame([{"variant": "old", **sums(old)}, {"variant": "new", **sums(new)}])
        squares = "sum" if kind == "proportion" else "sum_squares"
        test = package.StudentsTTest(frame, "sum", squares, "n", "variant")
        return [test.difference("old", "new", absolute=scale).iloc[0] for scale in scales]

    def ask(kind: str, new: Arm, old: Arm) -> Answer:
        found: Answer = {}
        for name, row in zip(
            ("difference", "lift"), compare(new, old, kind, scales=(True, False)), strict=True
        ):
            found |= {name: row["difference"], f"{name}_low": row["ci_lower"]}
            found |= {f"{name}_high": row["ci_upper"], f"{name}_p": row["p-value"]}
        return found

    def run(pairs: list[tuple[Arm, Arm]]) -> None:
        few = pairs[:100]
        timed(lambda: [compare(new, old, "mean", (False,)) for new, old in few], len(few))

    return ask, run


PEERS = {"gbstats": growthbook, "tea-tasting": tea_tasting, "spotify-confidence": spotify}
_seconds: list[float] = []


def timed(task: Callable[[], list[Any]], count: int | None = None) -> None:
    """Keep the seconds of one comparison, the best of three runs."""
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        done = len(task())
        runs.append((time.perf_counter() - start) / (count or done))
    _seconds.append(min(runs))


def plain(value: Any) -> float | str | None:
    """A number as JSON has it; what is not finite by its name."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else str(number)


def main() -> None:
    warnings.simplefilter("ignore")
    name = sys.argv[1]
    asked = json.load(sys.stdin)
    ask, run = PEERS[name]()
    answers: dict[str, Any] = {}
    for case in asked["cases"]:
        try:
            found = ask(case["kind"], case["new"], case["old"])
            answers[case["name"]] = {key: plain(value) for key, value in found.items()}
        except Exception as problem:  # noqa: BLE001 - whatever another package raises is its answer
            answers[case["name"]] = {"error": f"{type(problem).__name__}: {problem}"}
    run(asked["pairs"])
    json.dump({"version": metadata.version(name), "answers": answers, "seconds": _seconds[0]}, sys.stdout)


if __name__ == "__main__":
    main()
