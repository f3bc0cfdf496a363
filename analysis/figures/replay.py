"""The replay: p-values of experiments in which nothing was done, and how often the intervals held zero."""

from dataclasses import dataclass

from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from analysis.figures.canvas import Formatter, blank, label_ticks, rule, tell, write
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


def draw_p_values(bins: Bins, *, words: ReplayWords) -> figure:
    """Draw a bar for each bin on the band that chance explains; a bar that leaves it is another colour."""
    width = 1 / len(bins.counts)
    highest = max(*bins.counts, bins.high)
    canvas = blank(x=(0, 1), y=(0, highest * 1.15), frame_height=P_VALUES_HEIGHT, min_border_right=8)
    label_ticks(canvas.xaxis[0], None, [(x, words.format_p(x)) for x in ticks(0, 1)])
    marks = [(y, words.format_count(y)) for y in ticks(0, highest, about=3)]
    label_ticks(canvas.yaxis[0], canvas.ygrid[0], marks)
    canvas.xgrid.visible = False
    canvas.varea(x=[0, 1], y1=[bins.low] * 2, y2=[bins.high] * 2, fill_color=GREY, fill_alpha=0.28)
    band = f"{words.format_count(bins.low)} … {words.format_count(bins.high)}"
    ends = [(place * width, (place + 1) * width) for place in range(len(bins.counts))]
    source = ColumnDataSource(
        {
            "x": [(left + right) / 2 for left, right in ends],
            "top": list(bins.counts),
            "colour": [BLUE if bins.low <= count <= bins.high else VERMILION for count in bins.counts],
            "hatch": [" " if bins.low <= count <= bins.high else "/" for count in bins.counts],
            "p": [f"{words.format_p(left)} … {words.format_p(right)}" for left, right in ends],
            "replays": [words.format_count(count) for count in bins.counts],
            "expected": [band] * len(ends),
        }
    )
    bars = canvas.vbar(
        x="x",
        top="top",
        width=width * 0.9,
        source=source,
        fill_color="colour",
        fill_alpha=0.75,
        line_color=None,
        hatch_pattern="hatch",
        hatch_color="white",
    )
    tell(canvas, bars, [(words.p_value, "@p"), (words.replays, "@replays"), (words.expected, "@expected")])
    return canvas


def draw_coverage(outcome: Replay, *, words: ReplayWords) -> figure:
    """Draw the share of intervals that held zero as a dot on the range that chance explains."""
    low, high = outcome.coverage_range
    value, inside = outcome.coverage.value, low <= outcome.coverage.value <= high
    ends = (low, high, value)
    air = (max(ends) - min(ends)) * 0.6 or 0.01
    span = (max(0.0, min(ends) - air), min(1.0, max(ends) + air))
    canvas = blank(x=span, y=(0, 1), frame_height=COVERAGE_HEIGHT, min_border_right=8)
    label_ticks(canvas.yaxis[0], None, [(0.5, words.coverage)])
    label_ticks(canvas.xaxis[0], canvas.xgrid[0], [(x, words.format_share(x)) for x in ticks(*span, about=4)])
    canvas.ygrid.visible = False
    rule(canvas, at=outcome.confidence, dimension="height", dash="dashed")
    write(canvas, words.promised, x=outcome.confidence, y=1, text_baseline="top", x_offset=4)
    source = ColumnDataSource(
        {
            "x": [value],
            "y": [0.4],
            "low": [low],
            "high": [high],
            "told": [words.format_share(value)],
            "expected": [f"{words.format_share(low)} … {words.format_share(high)}"],
        }
    )
    canvas.hbar(
        y="y",
        left="low",
        right="high",
        height=0.4,
        source=source,
        fill_color=GREY,
        fill_alpha=0.28,
        line_color=GREY,
    )
    colour, marker = (BLUE, "circle") if inside else (VERMILION, "x")
    dot = canvas.scatter(x="x", y="y", source=source, marker=marker, size=11, color=colour, line_width=2.5)
    tell(canvas, dot, [(words.coverage, "@told"), (words.expected, "@expected")])
    return canvas
