"""Days: a metric day by day in every variant, beside how the treatments compare, as a table and as a file."""

import csv
import io
from collections.abc import Iterator
from datetime import date

from analysis import Observation, Readout
from analysis.readout import Point
from analysis.series import levels_of
from web.reporting.comparisons import plain
from web.wording import Names, numbers
from web.wording.changes import level_words
from web.wording.language import gettext
from web.wording.tables import Table, interval_of

COLUMNS = ("day", "variant", "units", "value", "lift", "lift_low", "lift_high")


def days_table(observation: Observation, readout: Readout, metric: str, names: Names) -> Table | None:
    """Lay out a metric's days, the newest first; None for one that is not followed day by day."""
    levels = levels_of(observation, readout.plan, metric)
    days = sorted({each.day for arm in levels.values() for each in arm}, reverse=True)
    if not days:
        return None
    written = level_words(readout, names, metric)
    values = {(name, each.day): each for name, arm in levels.items() for each in arm}
    points = _points(readout, metric)
    treatments = readout.plan.treatments

    def cells(day: date) -> Iterator[str]:
        here = [values.get((name, day)) for name in readout.plan.weights]
        yield numbers.short_day(day)
        yield numbers.whole(sum(each.units for each in here if each is not None))
        yield from (written(each.value) if each is not None else "–" for each in here)
        yield from (_change(points.get((name, day))) for name in treatments)

    changes = [gettext("Change")] if len(treatments) == 1 else _headed(names, treatments)
    head = (gettext("Day"), gettext("Units"), *map(names.variant, readout.plan.weights), *changes)
    return Table(gettext("Values by day"), head, tuple(tuple(cells(day)) for day in days))


def days_csv(observation: Observation, readout: Readout, metric: str) -> str:
    """The same as CSV, one line for each day and variant, rounded nowhere."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    points = _points(readout, metric)
    for name, arm in levels_of(observation, readout.plan, metric).items():
        for each in arm:
            point = points.get((name, each.day))
            change = (None, None, None) if point is None else (point.estimate, point.low, point.high)
            writer.writerow((each.day.isoformat(), plain(name), each.units, each.value, *change))
    return text.getvalue()


def _points(readout: Readout, metric: str) -> dict[tuple[str, date], Point]:
    return {
        (series.variant, point.day): point
        for series in readout.series
        if series.metric == metric
        for point in series.points
    }


def _headed(names: Names, treatments: tuple[str, ...]) -> list[str]:
    return [gettext("Change, %(name)s", name=names.variant(name)) for name in treatments]


def _change(point: Point | None) -> str:
    if point is None or point.estimate is None:
        return gettext("not estimable yet")
    change = numbers.signed_percent(point.estimate, 1)
    return gettext("%(estimate)s (%(ends)s)", estimate=change, ends=interval_of(point))
