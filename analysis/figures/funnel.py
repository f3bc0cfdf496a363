"""The funnel: how many of all exposed units reached each step, a bar for each variant."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.canvas import Canvas, Formatter, columns
from analysis.figures.palette import BLUE, GREY
from analysis.figures.scale import ticks

BAR = 20
GAP = 14


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """One variant at one step: its share of exposed units, written, and what the hover adds."""

    variant: str
    share: float
    told: str
    since_last: str
    control: bool


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step with a bar for each variant, in the order of the plan."""

    name: str
    bars: tuple[FunnelBar, ...]


@dataclass(frozen=True, slots=True)
class FunnelWords:
    """The words and formats of the figure, in the reader's language."""

    format_share: Formatter
    step: str
    variant: str
    reached: str
    since_last: str


def funnel_height(steps: Sequence[FunnelStep]) -> int:
    """Pixels that the bars of a funnel take."""
    return sum(len(step.bars) * BAR + GAP for step in steps)


def draw_funnel(steps: Sequence[FunnelStep], *, words: FunnelWords) -> Canvas:
    """Draw a funnel from top to bottom: the control grey, treatments blue."""
    height = funnel_height(steps)
    widest = max((bar.share for step in steps for bar in step.bars), default=0.0) or 1.0
    canvas = Canvas(x=(0, widest * 1.36), y=(height, 0), frame_height=height, right=4)
    canvas.mark_x([(x, words.format_share(x)) for x in ticks(0, widest, about=3)], ruled=True)
    rows: list[tuple[float, FunnelStep, FunnelBar]] = []
    names, top = [], 0.0
    for step in steps:
        inner = len(step.bars) * BAR
        names.append((top + GAP / 2 + inner / 2, step.name))
        rows += [(top + GAP / 2 + (place + 0.5) * BAR, step, bar) for place, bar in enumerate(step.bars)]
        top += inner + GAP
    canvas.mark_y(names)
    source = columns(
        y=[y for y, _, _ in rows],
        right=[bar.share for _, _, bar in rows],
        colour=[GREY if bar.control else BLUE for _, _, bar in rows],
        step=[step.name for _, step, _ in rows],
        variant=[bar.variant for _, _, bar in rows],
        told=[bar.told for _, _, bar in rows],
        since=[bar.since_last for _, _, bar in rows],
    )
    look = {"height": BAR - 3, "fill_color": "colour", "line_color": None}
    drawn = canvas.draw("HBar", source, y="y", left=0, right="right", **look)
    for y, _, bar in rows:
        canvas.write(bar.told, x=bar.share, y=y, x_offset=6, text_baseline="middle")
    told = [(words.step, "@step"), (words.variant, "@variant"), (words.reached, "@told")]
    canvas.tell(drawn, [*told, (words.since_last, "@since")])
    return canvas
