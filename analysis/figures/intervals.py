"""Intervals: one canvas whose lines stand beside the lines of a table."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bokeh.models import ColumnDataSource, FixedTicker
from bokeh.models.glyphs import HBar
from bokeh.plotting import figure

from analysis.comparison import Interval
from analysis.figures.canvas import Formatter, blank, label_ticks, rule, write
from analysis.figures.palette import VERMILION, Tone
from analysis.figures.scale import reach, ticks

WIDEST = 3.0
"""Times the usual width that the axis goes along with."""

NARROW = "narrow"
"""Tag of labels that are shown only where the table does not stand beside the canvas."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line, as high as its line in the table.

    Attributes
    ----------
    interval
        What to draw; None for a heading or a line without an estimate.
    limit
        Where harm begins.
    label
        Name of the line, for narrow pages.
    ruled
        Whether the table draws a rule above this line.
    """

    height: int
    interval: Interval | None = None
    tone: Tone = Tone.QUIET
    limit: float | None = None
    label: str = ""
    ruled: bool = True


def draw_intervals(rows: Sequence[Row], *, header: int, format_tick: Formatter) -> figure:
    """Draw estimates with their intervals, the zero line and the harm limits.

    Parameters
    ----------
    rows
        From top to bottom.
    header
        Height of the table's header in pixels; the axis stands there.
    format_tick
        Writes a lift as the axis shows it.
    """
    span = reach(_places(rows))
    canvas = blank(
        x=span,
        y=(sum(row.height for row in rows), 0),
        frame_height=sum(row.height for row in rows),
        x_axis_location="above",
        min_border_top=header,
        min_border_bottom=0,
        min_border_left=6,
        min_border_right=6,
    )
    canvas.yaxis.visible = False
    label_ticks(canvas.xaxis[0], canvas.xgrid[0], [(x, format_tick(x)) for x in ticks(*span, about=4)])
    canvas.xaxis.major_label_standoff = 12
    _rule_lines(canvas, rows)
    rule(canvas, at=0, dimension="height")
    _limits(canvas, rows)
    _marks(canvas, rows, span)
    _names(canvas, rows, span)
    return canvas


def _places(rows: Sequence[Row]) -> Iterator[float]:
    """What the axis has to hold. A row that is far wider than the others runs out of the frame instead."""
    known = [row.interval for row in rows if row.interval is not None]
    ends = [[abs(end) for end in (each.low, each.high) if math.isfinite(end)] for each in known]
    widest = [max(each) for each in ends if each]
    most = WIDEST * median(widest) if len(widest) > 2 else math.inf
    for row in rows:
        if row.interval is not None:
            yield from (max(-most, row.interval.low), min(most, row.interval.high), row.interval.estimate)
        if row.limit is not None:
            yield row.limit


def _middles(rows: Sequence[Row]) -> Iterator[tuple[Row, float]]:
    top = 0
    for row in rows:
        yield row, top + row.height / 2
        top += row.height


def _rule_lines(canvas: figure, rows: Sequence[Row]) -> None:
    tops = [middle - row.height / 2 for row, middle in _middles(rows) if row.ruled]
    canvas.ygrid.ticker = FixedTicker(ticks=tops, minor_ticks=[])


def _limits(canvas: figure, rows: Sequence[Row]) -> None:
    limited = [(row.limit, middle) for row, middle in _middles(rows) if row.limit is not None]
    canvas.segment(
        x0=[limit for limit, _ in limited],
        x1=[limit for limit, _ in limited],
        y0=[middle - 15 for _, middle in limited],
        y1=[middle + 15 for _, middle in limited],
        line_color=VERMILION,
        line_width=2,
        line_dash=[3, 4],
    )


def _marks(canvas: figure, rows: Sequence[Row], span: tuple[float, float]) -> None:
    """An end that the data do not limit lies outside the frame, so its edge is never seen."""
    far = span[1] - span[0]
    drawn = [(row, middle, row.interval) for row, middle in _middles(rows) if row.interval is not None]
    source = ColumnDataSource(
        {
            "y": [middle for _, middle, _ in drawn],
            "low": [max(interval.low, span[0] - far) for _, _, interval in drawn],
            "high": [min(interval.high, span[1] + far) for _, _, interval in drawn],
            "estimate": [interval.estimate for _, _, interval in drawn],
            "colour": [row.tone.colour for row, _, _ in drawn],
            "marker": [row.tone.marker for row, _, _ in drawn],
        }
    )
    bar = HBar(
        y="y",
        left="low",
        right="high",
        height=12,
        fill_color="colour",
        fill_alpha=0.28,
        line_color="colour",
        line_width=1.25,
    )
    bar.update(border_radius=5)
    canvas.add_glyph(source, bar)
    canvas.scatter(
        x="estimate", y="y", marker="marker", size=11, source=source, fill_color="colour", line_color="colour"
    )


def _names(canvas: figure, rows: Sequence[Row], span: tuple[float, float]) -> None:
    for row, middle in _middles(rows):
        if row.label:
            label = write(canvas, row.label, x=span[0], y=middle - 9, x_offset=4, text_baseline="bottom")
            label.tags = [NARROW]
            label.visible = False
