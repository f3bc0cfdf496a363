"""Lift over time: the cumulative change with its band, day by day, up to the planned end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from analysis.figures.canvas import DASHED, Canvas, DayFormatter, Formatter, columns
from analysis.figures.palette import BLUE
from analysis.figures.scale import reach, some, ticks
from analysis.readout import Point

HEIGHT = 250


@dataclass(frozen=True, slots=True)
class LiftWords:
    """The words and formats of the figure, in the reader's language."""

    format_tick: Formatter
    format_lift: Formatter
    format_day: DayFormatter
    planned_end: str
    day: str
    change: str
    interval: str
    unlimited: str


def draw_lift(points: Sequence[Point], *, planned_end: date | None, words: LiftWords) -> Canvas:
    """Draw one comparison's series.

    Parameters
    ----------
    points
        In the order of days, at least one.
    planned_end
        The day the plan ends; None when there is no such day.
    """
    days = [point.day.toordinal() for point in points]
    end = None if planned_end is None else planned_end.toordinal()
    last = max(days[-1], end or 0)
    heights = _heights(points)
    air = max(0.6, (last - days[0]) * 0.06)
    canvas = Canvas(x=(days[0] - air, last + air), y=heights, frame_height=HEIGHT, right=4)
    marks = [(float(days[i]), words.format_day(points[i].day)) for i in some(len(days), at_most=4)]
    canvas.mark_x(marks)
    canvas.mark_y([(y, words.format_tick(y)) for y in ticks(*heights)], ruled=True)
    canvas.rule(0, "width")
    _band(canvas, points)
    _line(canvas, points, words)
    if end is not None:
        early = end - days[0] < (last - days[0]) / 2
        _planned_end(canvas, end, heights[1], words.planned_end, early=early)
    return canvas


def _heights(points: Sequence[Point]) -> tuple[float, float]:
    """Early bands are wide beyond use: show what surrounds the last third, and let the rest be cut off."""
    late = points[-max(1, len(points) // 3) :]
    ends = [each for point in late for each in (point.low, point.high) if each is not None]
    return reach([*ends, *(point.estimate for point in points if point.estimate is not None)], margin=0.15)


def _runs(points: Sequence[Point]) -> Iterator[tuple[list[int], list[float], list[float]]]:
    """Days in a row whose band is limited on both sides: the days, the low ends, the high ends."""
    for limited, run in groupby(points, key=lambda point: point.low is not None and point.high is not None):
        if limited:
            days = list(run)
            yield (
                [point.day.toordinal() for point in days],
                [point.low for point in days if point.low is not None],
                [point.high for point in days if point.high is not None],
            )


def _band(canvas: Canvas, points: Sequence[Point]) -> None:
    for x, low, high in _runs(points):
        source = columns(x=x, low=low, high=high)
        if len(x) == 1:
            look = {"line_color": BLUE, "line_width": 6, "line_alpha": 0.35}
            canvas.draw("Segment", source, x0="x", x1="x", y0="low", y1="high", **look)
            continue
        canvas.draw("VArea", source, x="x", y1="low", y2="high", fill_color=BLUE, fill_alpha=0.18)
        for end in ("low", "high"):
            canvas.draw("Line", source, x="x", y=end, line_color=BLUE, line_width=1)


def _line(canvas: Canvas, points: Sequence[Point], words: LiftWords) -> None:
    known = [point for point in points if point.estimate is not None]
    if not known:
        return
    source = columns(
        x=[point.day.toordinal() for point in known],
        y=[point.estimate for point in known],
        day=[words.format_day(point.day) for point in known],
        change=[words.format_lift(point.estimate or 0.0) for point in known],
        interval=[_interval(point, words) for point in known],
    )
    line = canvas.draw("Line", source, x="x", y="y", line_color=BLUE, line_width=2.5)
    rows = [(words.day, "@day"), (words.change, "@change"), (words.interval, "@interval")]
    canvas.tell(line, rows, mode="vline")
    newest = known[-1]
    x, y = newest.day.toordinal(), newest.estimate or 0.0
    dot = columns(x=[x], y=[y])
    canvas.draw("Scatter", dot, x="x", y="y", size=9, fill_color=BLUE, line_color=BLUE)
    canvas.write(
        words.format_lift(y),
        x=x,
        y=y,
        x_offset=-6,
        y_offset=8,
        text_align="right",
        text_baseline="bottom",
        text_font_style="bold",
    )


def _interval(point: Point, words: LiftWords) -> str:
    if point.low is None or point.high is None:
        return words.unlimited
    return f"{words.format_lift(point.low)} … {words.format_lift(point.high)}"


def _planned_end(canvas: Canvas, end: float, top: float, text: str, *, early: bool) -> None:
    """Its name stands on the side that has room."""
    canvas.rule(end, "height", dash=DASHED)
    side, off = ("left", 6) if early else ("right", -6)
    canvas.write(text, x=end, y=top, text_align=side, text_baseline="top", x_offset=off)
