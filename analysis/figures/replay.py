"""The replay: p-values of experiments in which nothing was done, and how often the intervals held zero."""

from dataclasses import dataclass

from analysis.figures.canvas import DASHED, Canvas, Formatter, columns
from analysis.figures.palette import BLUE, GREY, VERMILION
from analysis.figures.scale import ticks
from analysis.simulate import Bins, Replay

P_VALUES_HEIGHT = 200
COVERAGE_HEIGHT = 44


@dataclass(frozen=True, slots=True)
class ReplayWords:
    """The words and formats of the figures, in the reader's language."""

    format_count: Formatter
    format_p: Formatter
    format_share: Formatter
    p_value: str
    replays: str
    expected: str
    coverage: str
    promised: str


def draw_p_values(bins: Bins, *, words: ReplayWords) -> Canvas:
    """Draw a bar for each bin on the band that chance explains; a bar that leaves it is another colour."""
    width = 1 / len(bins.counts)
    highest = max(*bins.counts, bins.high)
    canvas = Canvas(x=(0, 1), y=(0, highest * 1.15), frame_height=P_VALUES_HEIGHT, right=8)
    canvas.mark_x([(x, words.format_p(x)) for x in ticks(0, 1)])
    canvas.mark_y([(y, words.format_count(y)) for y in ticks(0, highest, about=3)], ruled=True)
    within = columns(x=[0, 1], low=[bins.low] * 2, high=[bins.high] * 2)
    canvas.draw("VArea", within, x="x", y1="low", y2="high", fill_color=GREY, fill_alpha=0.28)
    band = f"{words.format_count(bins.low)} … {words.format_count(bins.high)}"
    ends = [(place * width, (place + 1) * width) for place in range(len(bins.counts))]
    source = columns(
        x=[(left + right) / 2 for left, right in ends],
        top=list(bins.counts),
        colour=[BLUE if bins.low <= count <= bins.high else VERMILION for count in bins.counts],
        hatch=[" " if bins.low <= count <= bins.high else "/" for count in bins.counts],
        p=[f"{words.format_p(left)} … {words.format_p(right)}" for left, right in ends],
        replays=[words.format_count(count) for count in bins.counts],
        expected=[band] * len(ends),
    )
    look = {"fill_color": "colour", "fill_alpha": 0.75, "line_color": None}
    hatch = {"hatch_pattern": "hatch", "hatch_color": "white"}
    bars = canvas.draw("VBar", source, x="x", top="top", width=width * 0.9, **look, **hatch)
    canvas.tell(bars, [(words.p_value, "@p"), (words.replays, "@replays"), (words.expected, "@expected")])
    return canvas


def draw_coverage(outcome: Replay, *, words: ReplayWords) -> Canvas:
    """Draw the share of intervals that held zero as a dot on the range that chance explains."""
    low, high = outcome.coverage_range
    value, inside = outcome.coverage.value, low <= outcome.coverage.value <= high
    ends = (low, high, value)
    air = (max(ends) - min(ends)) * 0.6 or 0.01
    span = (max(0.0, min(ends) - air), min(1.0, max(ends) + air))
    canvas = Canvas(x=span, y=(0, 1), frame_height=COVERAGE_HEIGHT, right=8)
    canvas.mark_x([(x, words.format_share(x)) for x in ticks(*span, about=4)], ruled=True)
    canvas.mark_y([(0.5, words.coverage)])
    canvas.rule(outcome.confidence, "height", dash=DASHED)
    canvas.write(words.promised, x=outcome.confidence, y=1, text_baseline="top", x_offset=4)
    source = columns(
        value=[value],
        height=[0.4],
        low=[low],
        high=[high],
        told=[words.format_share(value)],
        expected=[f"{words.format_share(low)} … {words.format_share(high)}"],
    )
    bar = {"height": 0.4, "fill_color": GREY, "fill_alpha": 0.28, "line_color": GREY}
    canvas.draw("HBar", source, y="height", left="low", right="high", **bar)
    colour, marker = (BLUE, "circle") if inside else (VERMILION, "x")
    look = {"marker": marker, "size": 11, "fill_color": colour, "line_color": colour, "line_width": 2.5}
    dot = canvas.draw("Scatter", source, x="value", y="height", **look)
    canvas.tell(dot, [(words.coverage, "@told"), (words.expected, "@expected")])
    return canvas
