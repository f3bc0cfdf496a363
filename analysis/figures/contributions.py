"""Contributions: what each factor added to a change or took from it, a bar on one side of zero."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.canvas import Canvas, columns
from analysis.figures.palette import Tone

ROW = 34
ROOM = 0.5
"""Of the span of all bars, kept free beside them for their numbers: a phone leaves little."""


@dataclass(frozen=True, slots=True)
class ContributionBar:
    """One factor: its name, what it contributed, the same in words, and what that means."""

    name: str
    value: float
    told: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class ContributionWords:
    """The words of the figure, in the reader's language."""

    factor: str
    contribution: str


def draw_contributions(bars: Sequence[ContributionBar], *, words: ContributionWords) -> Canvas:
    """Draw a bar for each factor from zero, to the right where it added; every bar ends with its number."""
    height = len(bars) * ROW
    low, high = min(0.0, *(bar.value for bar in bars), 0.0), max(0.0, *(bar.value for bar in bars), 0.0)
    room = ((high - low) or 1.0) * ROOM
    canvas = Canvas(
        x=(low - (room if low < 0 else 0.0), high + room),
        y=(height, 0),
        frame_height=height,
        right=4,
        bottom=0,
    )
    middles = [(place + 0.5) * ROW for place in range(len(bars))]
    canvas.mark_y([(middle, bar.name) for middle, bar in zip(middles, bars, strict=True)])
    canvas.rule(0.0, "height", width=1)
    source = columns(
        y=middles,
        right=[bar.value for bar in bars],
        colour=[bar.tone.colour for bar in bars],
        name=[bar.name for bar in bars],
        told=[bar.told for bar in bars],
    )
    look = {"height": ROW * 0.6, "fill_color": "colour", "line_color": None}
    drawn = canvas.draw("HBar", source, y="y", left=0, right="right", **look)
    for middle, bar in zip(middles, bars, strict=True):
        side = {"x_offset": 6} if bar.value >= 0 else {"x_offset": -6, "text_align": "right"}
        canvas.write(bar.told, x=bar.value, y=middle, text_baseline="middle", **side)
    canvas.tell(drawn, [(words.factor, "@name"), (words.contribution, "@told")])
    return canvas
