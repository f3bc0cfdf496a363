"""How fast units are assigned. Run by hand: ``python -m tests.benchmarks.assignment_speed``.

Prints microseconds for one `decide` with twenty experiments loaded, and ids per second for `assign_many`.
"""

import random
import timeit
import uuid

import numpy as np
from numpy.typing import NDArray

from assignment import Holdout, Layer, Range, Rule, Ruleset, Variant, condition_from_json, decide, decide_all
from assignment.vector import assign_many

_RNG = random.Random(1)
_TARGETING = condition_from_json(
    {"all": [{"attribute": "country", "operator": "in", "value": ["NO", "SE"]}, {"segment": "adults"}]}
)


def _ruleset() -> Ruleset:
    arms = (Variant("old", 1, "v1"), Variant("new", 1, "v2"))
    plain = [Rule(f"plain-{i}", f"plain-salt-{i}", "old", arms) for i in range(10)]
    full = [
        Rule(
            f"full-{i}",
            f"full-salt-{i}",
            "old",
            arms,
            targeting=_TARGETING,
            layer="pricing",
            slots=(Range(1_000 * i, 1_000 * i + 1_000),),
            holdouts=("year",),
        )
        for i in range(10)
    ]
    return Ruleset(
        version=1,
        rules={rule.key: rule for rule in [*plain, *full[1:], _deepest(arms)]},
        layers={"pricing": Layer("pricing", "layer-salt"), "whole": Layer("whole", "whole-salt")},
        holdouts={"year": Holdout("year", "holdout-salt", 500)},
        segments={"adults": condition_from_json({"attribute": "age", "operator": "ge", "value": 18})},
    )


def _deepest(arms: tuple[Variant, ...]) -> Rule:
    """The longest way to a variant: nobody leaves before the third hash, but for the few held out."""
    slots = (Range(0, 10_000),)
    return Rule(
        "deepest", "s", "old", arms, targeting=_TARGETING, layer="whole", slots=slots, holdouts=("year",)
    )


def _uuids(count: int) -> list[str]:
    return [str(uuid.UUID(int=_RNG.getrandbits(128))) for _ in range(count)]


def _microseconds_of_decide(ruleset: Ruleset, key: str) -> float:
    attributes = {"country": "NO", "age": 30}
    units = _uuids(10_000)

    def once() -> None:
        for unit in units:
            decide(ruleset, key, unit=unit, attributes=attributes)

    return min(timeit.repeat(once, number=1, repeat=7)) / len(units) * 1e6


def _millions_a_second(ruleset: Ruleset, units: NDArray[np.str_] | NDArray[np.bytes_], key: str) -> float:
    mask = np.ones(len(units), dtype=bool)
    seconds = min(timeit.repeat(lambda: assign_many(ruleset, key, units, targeted=mask), number=1, repeat=5))
    return len(units) / seconds / 1e6


def main() -> None:
    ruleset = _ruleset()
    ways = {
        "plain-3": "no conditions",
        "full-3": "targeting, segment, holdout, a tenth of a layer",
        "deepest": "the same with a whole layer: three hashes",
    }
    for key, what in ways.items():
        print(f"decide, 36 characters, {what}: {_microseconds_of_decide(ruleset, key):.2f} µs")
    unit = _uuids(1)[0]
    everything = min(timeit.repeat(lambda: list(decide_all(ruleset, unit=unit)), number=100, repeat=5)) / 100
    print(f"decide_all, twenty experiments: {everything * 1e6:.0f} µs")

    some = np.array(_uuids(1_000_000))
    numbers = np.arange(1_000_000, 2_000_000).astype("S")
    kinds = {
        "7 bytes, S7": numbers,
        "12 bytes, S12": np.char.add(b"user-", numbers),
        "16 bytes, S16": np.array([text[:16] for text in some], dtype="S16"),
        "36 bytes, S36": some.astype("S36"),
        "36 characters, U36": some,
        "mixed lengths, S8": np.arange(1_000_000).astype("S8"),
    }
    for what, units in kinds.items():
        print(
            f"assign_many, {what}: {_millions_a_second(ruleset, units, 'plain-3'):.1f} million ids a second"
        )
    full = _millions_a_second(ruleset, kinds["12 bytes, S12"], "full-3")
    print(f"assign_many, 12 bytes, holdout and layer (three hashes): {full:.1f} million ids a second")


if __name__ == "__main__":
    main()
