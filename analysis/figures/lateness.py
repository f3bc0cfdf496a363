"""Lateness: how long after they happened the events came, a bar for each span."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.canvas import Canvas, columns
from analysis.figures.palette import BLUE, VERMILION

ROW = 30


@dataclass(frozen=True, slots=True)
class LatenessBar:
    """One span: its name, how many events came within it, their number in words, and whether it is late."""

    name: str
    count: int
    told: str
    late: bool


@dataclass(frozen=True, slots=True)
class LatenessWords:
    """The words of the figure, in the reader's language."""

    span: str
    events: str


def draw_lateness(bars: Sequence[LatenessBar], *, words: LatenessWords) -> Canvas:
    """Draw a bar for each span, the late ones in another colour; every bar ends with its number."""
    height = len(bars) * ROW
    highest = max((bar.count for bar in bars), default=0) or 1
    middles = [(place + 0.5) * ROW for place in range(len(bars))]
    canvas = Canvas(x=(0, highest * 1.3), y=(height, 0), frame_height=height, right=4, bottom=0)
    canvas.mark_y([(middle, bar.name) for middle, bar in zip(middles, bars, strict=True)])
    source = columns(
        y=middles,
        right=[bar.count for bar in bars],
        colour=[VERMILION if bar.late else BLUE for bar in bars],
        name=[bar.name for bar in bars],
        told=[bar.told for bar in bars],
    )
    look = {"height": ROW * 0.6, "fill_color": "colour", "line_color": None}
    drawn = canvas.draw("HBar", source, y="y", left=0, right="right", **look)
    for middle, bar in zip(middles, bars, strict=True):
        canvas.write(bar.told, x=bar.count, y=middle, x_offset=6, text_baseline="middle")
    canvas.tell(drawn, [(words.span, "@name"), (words.events, "@told")])
    return canvas
