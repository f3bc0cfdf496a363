"""Riches: what a readout says when funnels, segments and channels were planned. All of it is invented."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from analysis import Finding, Interval, Reading, Readout
from analysis.observation import Credit, Quality
from analysis.readout import (
    AgePoint,
    AgeSeries,
    CohortDay,
    Funnel,
    Interaction,
    Lasting,
    Mix,
    Return,
    StageCheck,
    Step,
)

STEPS = {"View cart": 0.312, "Begin checkout": 0.192, "Enter payment": 0.149, "Paid": 0.118}
SEGMENTS = {
    "lifecycle=new": (37_640, 0.112, 0.093),
    "lifecycle=active": (51_492, 0.060, 0.074),
    "lifecycle=lapsed": (12_480, 0.021, 0.117),
    "lifecycle=": (7_380, 0.088, 0.165),
}
HOUR = 3_600_000


def enrich(readout: Readout) -> Readout:
    """The same readout, with everything there is to explore."""
    treatments = readout.plan.treatments
    primary = readout.comparisons[0].metric
    return replace(
        readout,
        comparisons=(*readout.comparisons, *_by_segment(readout)),
        stages=_stages(readout),
        interactions=tuple(
            Interaction(primary, "lifecycle", name, differs=False, p_value=0.61, p_value_adjusted=0.61)
            for name in treatments
        ),
        funnels=(_funnel(readout),),
        returns=tuple(_return(readout, day) for day in range(1, 15)),
        cohorts=tuple(_cohorts(readout)),
        ages=tuple(_ages(primary, name) for name in treatments),
        lasting=tuple(
            _lasting(primary, name, 0.9 - 0.02 * place) for place, name in enumerate(readout.units)
        ),
        mixes=(_mix(readout),),
        credits=tuple(
            Credit(rule, channel, name, share * 600, share * 21_000)
            for rule in ("first_touch", "last_touch")
            for channel, share in {"email": 0.4, "search": 0.5, "": 0.1}.items()
            for name in readout.units
        ),
        quality=Quality(exposures=109_400, events=61_220, late=310, future=2, unreadable={primary: 3}),
    )


def _by_segment(readout: Readout) -> list[Finding]:
    first = readout.comparisons[0]
    return [
        replace(
            first,
            variant=name,
            segment=segment,
            treatment_n=units // 2,
            control_n=units - units // 2,
            lift=Interval(lift, lift - half, lift + half),
            significant=lift > half,
            reading=Reading.BETTER if lift > half else Reading.INCONCLUSIVE,
        )
        for name in readout.plan.treatments
        for segment, (units, lift, half) in SEGMENTS.items()
    ]


def _stages(readout: Readout) -> tuple[StageCheck, ...]:
    left = {"recorded": 1.02, "exposed": 1.01, "not_crossed": 1.0, "matured": 0.97}
    return tuple(
        StageCheck(name, {key: round(n * share) for key, n in readout.units.items()}, True, 0.41)
        for name, share in left.items()
    )


def _funnel(readout: Readout) -> Funnel:
    units = readout.units
    steps = []
    for name, share in {"Exposed": 1.0, **STEPS}.items():
        shares = {key: share if key == readout.plan.control else min(1.0, share * 1.06) for key in units}
        steps.append(
            Step(
                name,
                {key: round(units[key] * shares[key]) for key in units},
                shares,
                {key: Interval(0.06 * share, 0.02 * share, 0.1 * share) for key in readout.plan.treatments},
            )
        )
    return Funnel("checkout-steps", units, tuple(steps))


def _return(readout: Readout, day: int) -> Return:
    share = 0.42 / (1 + 0.18 * day)
    old = {key: round(n * (1 - day / 16)) for key, n in readout.units.items()}
    half = 0.004 + 0.0006 * day
    return Return(
        day,
        old,
        {key: share + (0 if key == readout.plan.control else 0.006) for key in readout.units},
        {key: Interval(0.006, 0.006 - half, 0.006 + half) for key in readout.plan.treatments},
    )


def _cohorts(readout: Readout) -> Iterator[CohortDay]:
    """Two weeks; of the second fewer days have passed, and of its last one for a handful of units only."""
    for weeks, days in ((0, (1, 3, 7, 10)), (1, (1, 3))):
        for day in days:
            old = {
                key: 20 if (weeks, day) == (1, 3) else n // (weeks + 2) for key, n in readout.units.items()
            }
            gap = 0.004 * (2 - weeks) - 0.001 * day
            share = 0.42 / (1 + 0.18 * day)
            shares = {key: share + (0 if key == readout.plan.control else gap) for key in readout.units}
            gaps = {key: Interval(gap, gap - 0.006, gap + 0.006) for key in readout.plan.treatments}
            yield CohortDay(date(2026, 2, 23) + timedelta(weeks=weeks), day, old, shares, gaps)


def _ages(metric: str, variant: str) -> AgeSeries:
    points = tuple(
        AgePoint(
            day, 100_000 - 6_000 * day, value := 0.008 + 0.001 * math.sin(day), value - 0.004, value + 0.004
        )
        for day in range(14)
    )
    return AgeSeries(metric, variant, points, 0.48, Interval(-0.0006, -0.0031, 0.0019), novelty=False)


def _lasting(metric: str, variant: str, end: float) -> Lasting:
    times = tuple(range(HOUR, 337 * HOUR, HOUR))
    share = tuple(end + (1 - end) * math.exp(-time / (80 * HOUR)) for time in times)
    return Lasting(
        metric,
        variant,
        times,
        share,
        tuple(each - 0.003 for each in share),
        tuple(min(1.0, each + 0.003) for each in share),
    )


def _mix(readout: Readout) -> Mix:
    parts = {"email": 0.21, "search": 0.44, "direct": 0.31, "": 0.04}
    return Mix(
        "channel",
        {value: {key: round(n * part) for key, n in readout.units.items()} for value, part in parts.items()},
        True,
        0.72,
    )
