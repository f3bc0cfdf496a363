"""Tables: the numbers behind each figure, for reading, copying and screen readers."""

from dataclasses import dataclass

from analysis import Readout
from analysis.readout import Point, Series, SplitPoint
from web.wording import numbers
from web.wording.language import gettext
from web.wording.names import Names


@dataclass(frozen=True, slots=True)
class Table:
    """Head and rows, as written."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def lift_table(series: Series) -> Table:
    """The change day by day."""
    head = (gettext("Day"), gettext("Units"), gettext("Change"), gettext("Interval"))
    written = numbers.day_in([point.day for point in series.points])
    rows = tuple((written(point.day), *_changed(point)) for point in series.points)
    return Table(gettext("Change over time"), head, rows)


def _changed(point: Point) -> tuple[str, ...]:
    change = "–" if point.estimate is None else numbers.signed_percent(point.estimate, 1)
    return numbers.whole(point.units), change, interval_of(point)


def interval_of(point: Point) -> str:
    """Write the ends of a change after one day, or why there are none."""
    if point.estimate is None:
        return gettext("not estimable yet")
    if point.low is None or point.high is None:
        return gettext("not limited by the data")
    return numbers.signed_percent(point.low, 1) + numbers.RANGE + numbers.signed_percent(point.high, 1)


def split_table(readout: Readout, names: Names) -> Table:
    """Arrivals and shares by day and variant."""
    head = (
        gettext("Day"),
        gettext("Variant"),
        gettext("New units"),
        gettext("Share so far"),
        gettext("Expected range"),
    )
    written = numbers.day_in([point.day for point in readout.split])
    rows = tuple(
        (written(point.day), *_arrived(point, variant, names.variant(variant)))
        for point in readout.split
        for variant in readout.plan.weights
    )
    return Table(gettext("Split by day"), head, rows)


def _arrived(point: SplitPoint, variant: str, name: str) -> tuple[str, ...]:
    low, high = numbers.percent(point.low[variant], 2), numbers.percent(point.high[variant], 2)
    return (
        name,
        numbers.whole(point.arrived.get(variant, 0)),
        numbers.percent(point.share[variant], 2),
        low + numbers.RANGE + high,
    )
