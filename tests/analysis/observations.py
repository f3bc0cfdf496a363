"""Plans and observations that tests of reading begin with."""

from datetime import UTC, date, datetime
from typing import Any

from analysis import Day, Moments, Observation, Plan, PlannedMetric, Role

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
SALES = PlannedMetric("sales", Role.PRIMARY)


def plan(*metrics: PlannedMetric, **changes: Any) -> Plan:
    """Two even variants, one primary mean, one look at the end."""
    asked: dict[str, Any] = {
        "experiment": "checkout",
        "control": "old",
        "weights": {"old": 1.0, "new": 1.0},
        "metrics": metrics or (SALES,),
        "inference": "fixed",
        "closed": True,
    }
    return Plan(**{**asked, **changes})


def arm(mean: float, n: int = 10_000, var: float = 25.0) -> Moments:
    """A metric in one variant."""
    return Moments.from_summary(n=n, mean=mean, var=var)


def observed(
    moments: dict[str, dict[str, Moments]] | None = None,
    *,
    daily: dict[str, dict[str, list[Moments]]] | None = None,
    **changes: Any,
) -> Observation:
    """What was counted; the units are those of the first metric, the days begin with the first of March."""
    moments = {"sales": {"old": arm(10.0), "new": arm(10.0)}} if moments is None else moments
    first = next(iter(moments.values()), {})
    seen: dict[str, Any] = {
        "as_of": NOON,
        "data_through": NOON,
        "units": {name: each.n for name, each in first.items()},
        "arrivals": {},
        "excluded": {"crossover": 0, "override": 0},
        "moments": moments,
        "daily": {
            metric: {
                name: tuple(Day(date(2026, 3, number + 1), each) for number, each in enumerate(days))
                for name, days in arms.items()
            }
            for metric, arms in (daily or {}).items()
        },
    }
    return Observation(**{**seen, **changes})


def against(new: Moments, old: Moments, key: str = "sales", **changes: Any) -> Observation:
    """One metric in two variants."""
    return observed({key: {"old": old, "new": new}}, **changes)
