"""Days: one number for each day, as bars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from analysis.figures.canvas import Canvas, columns
from analysis.figures.palette import BLUE
from analysis.figures.scale import some, ticks

HEIGHT = 190


@dataclass(frozen=True, slots=True)
class DayWords:
    """The words of the figure, and how its numbers are written, in the reader's language."""

    day: str
    value: str
    format_day: Callable[[date], str]
    format_value: Callable[[float], str]


def draw_days(days: Sequence[tuple[date, float]], *, words: DayWords) -> Canvas:
    """Draw a bar for each day, from zero."""
    highest = max((value for _, value in days), default=0.0) or 1.0
    lowest = min((value for _, value in days if value < 0), default=0.0)
    canvas = Canvas(x=(-0.7, max(len(days), 1) - 0.3), y=(lowest, highest * 1.1), frame_height=HEIGHT)
    places = some(len(days), at_most=4)
    canvas.mark_x([(place, words.format_day(days[place][0])) for place in places])
    canvas.mark_y([(tick, words.format_value(tick)) for tick in ticks(lowest, highest)], ruled=True)
    source = columns(
        x=list(range(len(days))),
        top=[value for _, value in days],
        day=[words.format_day(day) for day, _ in days],
        told=[words.format_value(value) for _, value in days],
    )
    drawn = canvas.draw("VBar", source, x="x", top="top", width=0.72, fill_color=BLUE, line_color=None)
    canvas.tell(drawn, [(words.day, "@day"), (words.value, "@told")])
    return canvas
