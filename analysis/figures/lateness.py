"""Lateness: how long after they happened the events came, a bar for each span."""

from collections.abc import Sequence
from dataclasses import dataclass

from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from analysis.figures.canvas import blank, label_ticks, tell, write
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


def draw_lateness(bars: Sequence[LatenessBar], *, words: LatenessWords) -> figure:
    """Draw a bar for each span, the late ones in another colour; every bar ends with its number."""
    height = len(bars) * ROW
    highest = max((bar.count for bar in bars), default=0) or 1
    middles = [(place + 0.5) * ROW for place in range(len(bars))]
    canvas = blank(
        x=(0, highest * 1.3), y=(height, 0), frame_height=height, min_border_right=4, min_border_bottom=0
    )
    canvas.xaxis.visible = False
    canvas.grid.visible = False
    named = [(middle, bar.name) for middle, bar in zip(middles, bars, strict=True)]
    label_ticks(canvas.yaxis[0], None, named)
    source = ColumnDataSource(
        {
            "y": middles,
            "right": [bar.count for bar in bars],
            "colour": [VERMILION if bar.late else BLUE for bar in bars],
            "name": [bar.name for bar in bars],
            "told": [bar.told for bar in bars],
        }
    )
    drawn = canvas.hbar(
        y="y", left=0, right="right", height=ROW * 0.6, source=source, fill_color="colour", line_color=None
    )
    for middle, bar in zip(middles, bars, strict=True):
        write(canvas, bar.told, x=bar.count, y=middle, x_offset=6, text_baseline="middle")
    tell(canvas, drawn, [(words.span, "@name"), (words.events, "@told")])
    return canvas
