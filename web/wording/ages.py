"""Ages: how an effect changes with the days since the exposure, which is how novelty shows."""

from analysis import Interval, Readout
from analysis.readout import AgePoint, AgeSeries, Lasting
from web.wording import numbers
from web.wording.changes import is_share
from web.wording.funnels import day_word, points_change
from web.wording.language import gettext
from web.wording.names import Names
from web.wording.readings import points
from web.wording.tables import Table


def ages_sentence(readout: Readout, series: AgeSeries, names: Names) -> str:
    """Say whether the effect fades or grows."""
    words = {"metric": names.metric(series.metric)}
    if len(readout.plan.treatments) > 1:
        words["metric"] = f"{words['metric']} · {names.variant(series.variant)}"
    if series.change is None or series.p_value is None:
        return gettext("%(metric)s: too few days to tell novelty from a lasting effect.", **words)
    share = is_share(readout, series.metric)
    words["change"] = change_with_range(series.change, as_share=share)
    if series.novelty:
        return gettext(
            "%(metric)s: the effect changes as units grow older, by %(change)s from the first days to the "
            "last. The average over all days promises something else than what stays.",
            **words,
        )
    if not series.change.low <= 0 <= series.change.high:
        return gettext(
            "%(metric)s: the effect was another one in the first days than in the last, by %(change)s, but "
            "it does not change steadily as units grow older.",
            **words,
        )
    return gettext(
        "%(metric)s: no sign of novelty. From the first days to the last the effect moved by %(change)s, "
        "which chance would explain.",
        **words,
    )


def ages_table(readout: Readout, series: AgeSeries) -> Table:
    """The difference on each day of the units' lives."""
    share = is_share(readout, series.metric)
    head = (gettext("Day after exposure"), gettext("Units"), gettext("Difference"), gettext("Interval"))
    rows = tuple(_row(point, as_share=share) for point in series.points)
    return Table(gettext("Effect by days since exposure"), head, rows)


def lasting_table(curves: list[Lasting], names: Names, times: list[int]) -> Table:
    """The share without the event after some spans of time."""
    head = (gettext("Time since exposure"), *(names.variant(each.variant) for each in curves))
    rows = tuple((numbers.span(time), *(_at(curve, time) for curve in curves)) for time in times)
    return Table(gettext("Units without the event so far"), head, rows)


def change_with_range(change: Interval, *, as_share: bool) -> str:
    """Write a change with its interval: in points of per cent for a share, plain otherwise."""
    if as_share:
        return points_change(change)
    decimals = numbers.decimals_of(numbers.half_width(change), digits=2)
    size, low, high = (
        numbers.signed_number(each, decimals) for each in (change.estimate, change.low, change.high)
    )
    return gettext("%(size)s (%(low)s to %(high)s)", size=size, low=low, high=high)


def signed(value: float, *, as_share: bool) -> str:
    """Write a change with its sign."""
    return (numbers.MINUS if value < 0 else "+") + points(abs(value), as_share=as_share)


def _row(point: AgePoint, *, as_share: bool) -> tuple[str, ...]:
    estimate = "–" if point.estimate is None else signed(point.estimate, as_share=as_share)
    if point.low is None or point.high is None:
        interval = gettext("not limited by the data")
    else:
        interval = (
            signed(point.low, as_share=as_share) + numbers.RANGE + signed(point.high, as_share=as_share)
        )
    return day_word(point.day), numbers.whole(point.units), estimate, interval


def _at(curve: Lasting, time: int) -> str:
    place = max((index for index, each in enumerate(curve.times) if each <= time), default=None)
    if place is None:
        return numbers.percent(1.0, 1)
    low, high = numbers.percent(curve.low[place], 1), numbers.percent(curve.high[place], 1)
    share = numbers.percent(curve.share[place], 1)
    return gettext("%(estimate)s (%(ends)s)", estimate=share, ends=low + numbers.RANGE + high)
