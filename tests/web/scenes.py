"""Scenes: experiments with observations, from which pages and words are tested.

The headline tests carry the published counts of the Upworthy Research Archive; the others are invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analysis import Day, Moments, Observation, Readout, read
from experiments import launch, readouts
from experiments.analyses import plan_of
from experiments.catalog import find_experiment
from experiments.definition import Definitions
from experiments.registry import find_metrics
from experiments.store import Store
from tests.web.riches import enrich

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)

METRICS = [
    {"key": "ctr", "name": "Click-through rate", "kind": "proportion", "event": "click"},
    {"key": "paid", "name": "Checkout conversion", "kind": "proportion", "event": "pay"},
    {
        "key": "refund",
        "name": "Refund rate",
        "kind": "proportion",
        "event": "refund",
        "direction": "decrease",
    },
    {
        "key": "load",
        "name": "Page load",
        "kind": "mean",
        "event": "load",
        "direction": "decrease",
        "unit": "ms",
    },
    {
        "key": "revenue",
        "name": "Revenue per user",
        "name_zh": "人均收入",
        "kind": "mean",
        "event": "pay",
        "unit": "CNY",
        "format": "currency",
    },
    {
        "key": "contacts",
        "name": "Support contacts",
        "kind": "proportion",
        "event": "ask",
        "direction": "decrease",
    },
]

Arm = tuple[int, float, float]
"""Units, mean and variance of a metric in a variant."""


@dataclass(frozen=True)
class Scene:
    """An experiment and what was counted."""

    key: str
    units: Mapping[str, int]
    arms: Mapping[str, Mapping[str, Arm]]
    draft: Mapping[str, Any] = field(default_factory=dict)
    days: int = 14
    crossover: int = 0
    rich: bool = False

    def definitions(self) -> Definitions:
        variants = list(self.units)
        experiment = {
            "key": self.key,
            "name": self.key.capitalize(),
            "assignment": "external",
            "variants": [{"key": variant} for variant in variants],
            "control": variants[0],
            "status": "running",
            "starts": START.isoformat(),
            "metrics": {"primary": [next(iter(self.arms))]},
            "plan": {"inference": "fixed", "days": 14},
            **self.draft,
        }
        return Definitions.model_validate({"metrics": METRICS, "experiments": [experiment]})

    def observation(self) -> Observation:
        shares = [(day + 1) / self.days for day in range(self.days)]
        return Observation(
            as_of=NOW,
            data_through=START + timedelta(days=self.days),
            units=self.units,
            arrivals={_day(day): self._arrived(day) for day in range(self.days)},
            excluded={"crossover": self.crossover, "override": 0},
            moments={
                metric: {v: _moments(*arm) for v, arm in arms.items()} for metric, arms in self.arms.items()
            },
            daily={
                metric: {
                    variant: tuple(Day(_day(day), _part(arm, share)) for day, share in enumerate(shares))
                    for variant, arm in arms.items()
                }
                for metric, arms in self.arms.items()
            },
        )

    def _arrived(self, day: int) -> dict[str, int]:
        return {
            variant: (day + 1) * count // self.days - day * count // self.days
            for variant, count in self.units.items()
        }


def counted(successes: int, n: int) -> Arm:
    """An arm of a proportion."""
    share = successes / n
    return n, share, share * (1 - share) * n / max(1, n - 1)


def headlines(key: str, counts: Mapping[str, tuple[int, int]], **draft: Any) -> Scene:
    """A headline test: impressions and clicks by variant."""
    arms = {"ctr": {variant: counted(clicks, shown) for variant, (shown, clicks) in counts.items()}}
    return Scene(key, {variant: shown for variant, (shown, _) in counts.items()}, arms, draft)


TOUCH = headlines("touch", {"A": (5405, 19), "B": (5379, 79), "C": (5374, 78), "D": (5448, 37)})
VETERANS = headlines("veterans", {"A": (2734, 19), "B": (2655, 23), "C": (3561, 26), "D": (2711, 30)})
THIRD_GRADER = headlines("third-grader", {"A": (1490, 22), "B": (1585, 19), "C": (1551, 15), "D": (1472, 19)})
EARLY = headlines(
    "early",
    {"A": (5405, 19), "B": (5379, 79)},
    plan={"inference": "fixed", "days": 28},
)
ONE_PAGE = Scene(
    "checkout-onepage",
    {"control": 54_669, "treatment": 54_323},
    {
        "paid": {"control": counted(6_451, 54_669), "treatment": counted(6_899, 54_323)},
        "refund": {"control": counted(1_148, 54_669), "treatment": counted(1_130, 54_323)},
        "load": {"control": (54_669, 1_840.0, 160_000.0), "treatment": (54_323, 1_868.0, 170_000.0)},
        "revenue": {"control": (54_669, 42.1, 30_000.0), "treatment": (54_323, 43.6, 31_000.0)},
        "contacts": {"control": counted(497, 54_669), "treatment": counted(467, 54_323)},
    },
    {
        "name": "One-page checkout",
        "hypothesis": {
            "change": "merge the three checkout steps into one page",
            "audience": "people who begin checkout",
            "effect": "more of them pay",
            "because": "each extra page loses some of them",
        },
        "variants": [{"key": "control", "name": "Three pages"}, {"key": "treatment", "name": "One page"}],
        "metrics": {
            "primary": ["paid"],
            "guardrails": [{"metric": "refund", "margin": 0.08}, {"metric": "load", "margin": 0.03}],
            "secondary": ["revenue", "contacts"],
        },
        "plan": {"inference": "sequential", "size": 100_000, "days": 14, "mde": 0.06},
        "source": "Invented numbers.",
    },
)
WON = replace(
    ONE_PAGE,
    draft={
        **ONE_PAGE.draft,
        "metrics": {"primary": ["paid"], "guardrails": [{"metric": "refund", "margin": 0.2}]},
    },
)
"""The same with a wider limit, so that nothing stands against shipping."""
HARM = Scene(
    "harm",
    {"control": 20_000, "treatment": 20_000},
    {
        "paid": {"control": counted(2_360, 20_000), "treatment": counted(2_380, 20_000)},
        "refund": {"control": counted(420, 20_000), "treatment": counted(640, 20_000)},
    },
    {"metrics": {"primary": ["paid"], "guardrails": [{"metric": "refund", "margin": 0.08}]}},
)
OPEN_LIMIT = Scene(
    "open-limit",
    {"control": 20_000, "treatment": 20_000},
    {
        "paid": {"control": counted(2_360, 20_000), "treatment": counted(2_680, 20_000)},
        "refund": {"control": counted(420, 20_000), "treatment": counted(424, 20_000)},
    },
    {"metrics": {"primary": ["paid"], "guardrails": [{"metric": "refund", "margin": 0.08}]}},
)
NOTHING = Scene(
    "nothing",
    {"control": 400_000, "treatment": 400_000},
    {"paid": {"control": counted(47_200, 400_000), "treatment": counted(47_210, 400_000)}},
    {"plan": {"inference": "fixed", "days": 14, "mde": 0.02}},
)
FEW = Scene(
    "few",
    {"control": 40, "treatment": 41},
    {
        "paid": {"control": counted(1, 40), "treatment": counted(3, 41)},
        "revenue": {"control": (40, 0.0, 0.0), "treatment": (41, 0.5, 2.0)},
    },
    {
        "metrics": {"primary": ["paid"], "secondary": ["revenue"]},
        "plan": {"inference": "sequential", "size": 4_000},
    },
    days=1,
)
EMPTY = Scene(
    "empty", {"control": 0, "treatment": 0}, {"paid": {}}, {"plan": {"inference": "always_valid"}}, days=1
)
MIXED = Scene(
    "mixed",
    {"control": 4_000, "treatment": 4_010},
    {"paid": {"control": counted(400, 4_000), "treatment": counted(430, 4_010)}},
    crossover=600,
)

RICH = replace(ONE_PAGE, key="rich", rich=True, draft={**ONE_PAGE.draft, "segments": ["lifecycle"]})

SCENES = (TOUCH, VETERANS, THIRD_GRADER, EARLY, ONE_PAGE, HARM, OPEN_LIMIT, NOTHING, FEW, EMPTY, MIXED, RICH)


def stage(store: Store, *scenes: Scene) -> None:
    """Put scenes into a store, defined and analysed."""
    for scene in scenes:
        with store.write() as session:
            launch.apply(session=session, definitions=scene.definitions(), actor="Ada", now=START)
            readout, observation = readout_in(session, scene), scene.observation()
            readouts.keep(session=session, readout=readout, observation=observation)


def readout_in(session: Any, scene: Scene) -> Readout:
    """Read a scene's observation under its stored plan."""
    experiment = find_experiment(session=session, key=scene.key)
    metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
    readout = read(plan_of(experiment, metrics), scene.observation(), version="test")
    return enrich(readout) if scene.rich else readout


def _moments(n: int, mean: float, variance: float) -> Moments:
    return Moments.from_summary(n=n, mean=mean, var=variance)


def _part(arm: Arm, share: float) -> Moments:
    n, mean, variance = arm
    return _moments(max(2, round(n * share)), mean * (1 + 0.1 * (1 - share)), variance)


def _day(number: int) -> date:
    return (START + timedelta(days=number)).date()
