"""Charts: readouts become figures with words, ready to be embedded in a page.

A page carries a figure as JSON in a script element that is data, never code; one static script draws it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import bokeh

from analysis import Readout
from analysis.figures import (
    Canvas,
    ContributionBar,
    ContributionWords,
    DayWords,
    LatenessBar,
    LatenessWords,
    LiftWords,
    Row,
    ShareRow,
    SplitWords,
    Tone,
    draw_arrivals,
    draw_contributions,
    draw_days,
    draw_intervals,
    draw_lateness,
    draw_lift,
    draw_share_rows,
    draw_share_series,
)
from analysis.readout import Series, SplitPoint
from web.scorecard import HEADER_HEIGHT, Line
from web.wording import Names, numbers
from web.wording.language import gettext
from web.wording.trees import Bar


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure on a page: where it goes, what it draws, its result in words, and the pixels it will take."""

    id: str
    item: Mapping[str, Any]
    label: str
    height: int


def intervals_chart(lines: Sequence[Line]) -> Chart:
    """Draw the canvas beside the scorecard."""
    rows = [_row(line) for line in lines]
    drawn = draw_intervals(rows, header=HEADER_HEIGHT, format_tick=numbers.tick_percent)
    told = [
        gettext(
            "%(name)s %(change)s (%(interval)s)", name=line.name, change=line.change, interval=line.interval
        )
        for line in lines
        if line.kind == "comparison"
    ]
    return chart_of("intervals", drawn, gettext("Changes with their intervals: ") + "; ".join(told))


def lift_chart(readout: Readout, series: Series, *, label: str, name: str = "lift") -> Chart:
    """Draw one comparison day by day."""
    end, finding = readout.plan.planned_end, readout.finding(series.metric, series.variant)
    decimals = 1 if finding is None or finding.lift is None else numbers.lift_decimals(finding.lift)
    words = LiftWords(
        format_tick=numbers.tick_percent,
        format_lift=lambda value: numbers.signed_percent(value, decimals),
        format_day=numbers.short_day,
        planned_end=gettext("planned end"),
        day=gettext("Day"),
        change=gettext("Change"),
        interval=gettext("Interval"),
        unlimited=gettext("not limited by the data"),
    )
    last = end.date() if end is not None and not readout.plan.closed else None
    return chart_of(name, draw_lift(series.points, planned_end=last, words=words), label)


def split_charts(readout: Readout, names: Names) -> tuple[Chart, Chart]:
    """Draw arrivals and shares: over time for two variants, line by line for more."""
    words = _split_words(names, list(readout.plan.weights))
    arrivals = draw_arrivals(readout.split, control=readout.plan.control, words=words)
    newest = readout.split[-1]
    treatments = readout.plan.treatments
    if len(treatments) == 1 and len(readout.split) > 1:
        shares = draw_share_series(readout.split, variant=treatments[0], words=words)
    else:
        shares = draw_share_rows(share_rows(newest, names), words=words)
    return (
        chart_of("arrivals", arrivals, gettext("New units per day by variant")),
        chart_of("shares", shares, _told_shares(newest, names)),
    )


def lateness_chart(bars: Sequence[LatenessBar]) -> Chart:
    """Draw how long after they happened the events came."""
    words = LatenessWords(span=gettext("Came after"), events=gettext("Events"))
    late = sum(bar.count for bar in bars if bar.late)
    label = gettext("How long after they happened events came. Late: %(count)s.", count=numbers.whole(late))
    return chart_of("lateness", draw_lateness(bars, words=words), label)


def days_chart(days: Sequence[tuple[date, float]], *, label: str) -> Chart:
    """Draw one number for each day."""
    words = DayWords(
        day=gettext("Day"),
        value=label,
        format_day=numbers.short_day,
        format_value=numbers.tick_number,
    )
    return chart_of("days", draw_days(days, words=words), label)


def contributions_chart(bars: Sequence[Bar], *, sign: int, label: str) -> Chart:
    """Draw what each factor of a total contributed; ``sign`` is that of a change for the better."""
    drawn = draw_contributions(
        [ContributionBar(bar.name, bar.value, bar.told, _tone(bar.value * sign)) for bar in bars],
        words=ContributionWords(factor=gettext("Factor"), contribution=gettext("Contribution")),
    )
    return chart_of("contributions", drawn, label)


def _tone(gain: float) -> Tone:
    if gain == 0:
        return Tone.QUIET
    return Tone.BETTER if gain > 0 else Tone.WORSE


def share_rows(point: SplitPoint, names: Names) -> list[ShareRow]:
    """Each variant's share with its expected range."""
    return [
        ShareRow(names.variant(name), share, point.low[name], point.high[name])
        for name, share in point.share.items()
    ]


def _told_shares(point: SplitPoint, names: Names) -> str:
    outside = [row.name for row in share_rows(point, names) if not row.inside]
    if outside:
        return gettext("Shares of the variants. Outside the expected range: ") + numbers.listed(outside)
    return gettext("Shares of the variants. All lie inside the expected range.")


def _row(line: Line) -> Row:
    finding = line.finding
    if finding is None:
        return Row(line.height, label=line.name if line.kind == "metric" else "", ruled=line.kind == "metric")
    return Row(line.height, finding.lift, Tone(line.tone), finding.harm_limit, line.name)


def _split_words(names: Names, variants: Sequence[str]) -> SplitWords:
    return SplitWords(
        format_count=numbers.tick_number,
        format_share=numbers.tick_share,
        format_day=numbers.short_day,
        names={variant: names.variant(variant) for variant in variants},
        day=gettext("Day"),
        variant=gettext("Variant"),
        units=gettext("Units"),
        share=gettext("Share"),
        expected=gettext("Expected range"),
    )


def chart_of(name: str, drawn: Canvas, label: str) -> Chart:
    """Make a figure ready to be embedded, in the form of Bokeh's ``json_item``."""
    document = {**drawn.document(prefix=name), "version": bokeh.__version__}
    root = document["roots"][0]["id"]
    item = {"target_id": None, "root_id": root, "doc": document, "version": bokeh.__version__}
    return Chart(name, item, label, drawn.height)
