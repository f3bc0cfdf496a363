"""Intervals: one canvas whose lines stand beside the lines of a table."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from analysis.comparison import Interval
from analysis.figures.canvas import Canvas, Formatter, columns
from analysis.figures.palette import VERMILION, Tone
from analysis.figures.scale import reach, ticks

WIDEST = 3.0
"""Times the usual width that the axis goes along with."""

THICK, SLIM = 12, 4
SHORT = 0.04
"""Of the axis: a shorter interval hides behind its mark, and a thick bar would only blur that."""

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


def draw_intervals(rows: Sequence[Row], *, header: int, format_tick: Formatter) -> Canvas:
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
    height = sum(row.height for row in rows)
    canvas = Canvas(x=span, y=(height, 0), frame_height=height, left=6, right=6, top=header, bottom=0)
    marks = [(x, format_tick(x)) for x in ticks(*span, about=4)]
    canvas.mark_x(marks, ruled=True, side="above", standoff=12)
    canvas.rule_lines([middle - row.height / 2 for row, middle in _middles(rows) if row.ruled])
    canvas.rule(0, "height")
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


def _limits(canvas: Canvas, rows: Sequence[Row]) -> None:
    limited = [(row.limit, middle) for row, middle in _middles(rows) if row.limit is not None]
    source = columns(
        x=[limit for limit, _ in limited],
        top=[middle - 15 for _, middle in limited],
        bottom=[middle + 15 for _, middle in limited],
    )
    look = {"line_color": VERMILION, "line_width": 2, "line_dash": [3, 4]}
    canvas.draw("Segment", source, x0="x", x1="x", y0="top", y1="bottom", **look)


def _marks(canvas: Canvas, rows: Sequence[Row], span: tuple[float, float]) -> None:
    """An end that the data do not limit lies outside the frame, so its edge is never seen."""
    far = span[1] - span[0]
    drawn = [(row, middle, row.interval) for row, middle in _middles(rows) if row.interval is not None]
    source = columns(
        y=[middle for _, middle, _ in drawn],
        low=[max(interval.low, span[0] - far) for _, _, interval in drawn],
        high=[min(interval.high, span[1] + far) for _, _, interval in drawn],
        estimate=[interval.estimate for _, _, interval in drawn],
        colour=[row.tone.colour for row, _, _ in drawn],
        marker=[row.tone.marker for row, _, _ in drawn],
        height=[SLIM if each.high - each.low < far * SHORT else THICK for _, _, each in drawn],
    )
    tones = {"fill_color": "colour", "line_color": "colour"}
    bars = {"y": "y", "left": "low", "right": "high", "height": "height", "border_radius": 5}
    canvas.draw("HBar", source, fill_alpha=0.28, line_width=1.25, **bars, **tones)
    canvas.draw("Scatter", source, x="estimate", y="y", marker="marker", size=11, **tones)


def _names(canvas: Canvas, rows: Sequence[Row], span: tuple[float, float]) -> None:
    for row, middle in _middles(rows):
        if row.label:
            look = {"x_offset": 4, "text_baseline": "bottom", "tags": [NARROW], "visible": False}
            canvas.write(row.label, x=span[0], y=middle - 9, **look)
