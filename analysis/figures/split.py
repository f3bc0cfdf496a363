"""The split: how many units arrived each day, and whether their shares stay where chance can put them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.figures.canvas import Canvas, DayFormatter, Formatter, columns
from analysis.figures.palette import BLUE, GREY, VERMILION
from analysis.figures.scale import some, ticks
from analysis.readout import SplitPoint

ARRIVALS_HEIGHT = 105
SHARES_HEIGHT = 115
ROW = 30
LEFT = 58
"""Room for labels, alike in the two figures that stand above each other."""


@dataclass(frozen=True, slots=True)
class SplitWords:
    """The words and formats of the figures, in the reader's language."""

    format_count: Formatter
    format_share: Formatter
    format_day: DayFormatter
    names: Mapping[str, str]
    day: str
    variant: str
    units: str
    share: str
    expected: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A variant's share of all units, and the range that chance explains."""

    name: str
    share: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the share lies where it should."""
        return self.low <= self.share <= self.high


def draw_arrivals(split: Sequence[SplitPoint], *, control: str, words: SplitWords) -> Canvas:
    """Draw the units that arrived each day, a bar for each variant: the control grey, the others blue."""
    variants = list(words.names)
    days = [point.day.toordinal() for point in split]
    width = 0.84 / len(variants)
    bars = [
        (day + (place - (len(variants) - 1) / 2) * width, name, point)
        for day, point in zip(days, split, strict=True)
        for place, name in enumerate(variants)
    ]
    highest = max((max(point.arrived.values(), default=0) for point in split), default=0) or 1
    span = (days[0] - 0.6, days[-1] + 0.6)
    canvas = Canvas(x=span, y=(0, highest * 1.15), frame_height=ARRIVALS_HEIGHT, left=LEFT, right=4)
    canvas.mark_x(_days(split, words))
    canvas.mark_y([(y, words.format_count(y)) for y in ticks(0, highest, about=2)], ruled=True)
    source = columns(
        x=[x for x, _, _ in bars],
        top=[point.arrived.get(name, 0) for _, name, point in bars],
        colour=[GREY if name == control else BLUE for _, name, _ in bars],
        day=[words.format_day(point.day) for _, _, point in bars],
        name=[words.names[name] for _, name, _ in bars],
        units=[words.format_count(point.arrived.get(name, 0)) for _, name, point in bars],
    )
    look = {"width": width * 0.92, "fill_color": "colour", "line_color": None}
    drawn = canvas.draw("VBar", source, x="x", top="top", **look)
    canvas.tell(drawn, [(words.day, "@day"), (words.variant, "@name"), (words.units, "@units")])
    return canvas


def draw_share_series(split: Sequence[SplitPoint], *, variant: str, words: SplitWords) -> Canvas:
    """Draw one variant's share of all units so far, within its expected range."""
    days = [point.day.toordinal() for point in split]
    shares = [point.share[variant] for point in split]
    low, high = [point.low[variant] for point in split], [point.high[variant] for point in split]
    # The first days' range is wide beyond use; what matters is the later half, and the whole line.
    half = len(split) // 2
    near = [*shares, *low[half:], *high[half:]]
    air = (max(near) - min(near)) * 0.25 or 0.01
    heights = (max(0.0, min(near) - air), min(1.0, max(near) + air))
    span = (days[0] - 0.6, days[-1] + 0.6)
    canvas = Canvas(x=span, y=heights, frame_height=SHARES_HEIGHT, left=LEFT, right=4)
    canvas.mark_x(_days(split, words))
    canvas.mark_y([(y, words.format_share(y)) for y in ticks(*heights, about=4)], ruled=True)
    canvas.rule((low[-1] + high[-1]) / 2, "width")
    source = columns(
        x=days,
        y=shares,
        low=low,
        high=high,
        day=[words.format_day(point.day) for point in split],
        share=[words.format_share(share) for share in shares],
        expected=[_range(one, other, words) for one, other in zip(low, high, strict=True)],
    )
    canvas.draw("VArea", source, x="x", y1="low", y2="high", fill_color=GREY, fill_alpha=0.28)
    line = canvas.draw("Line", source, x="x", y="y", line_color=BLUE, line_width=2.5)
    rows = [(words.day, "@day"), (words.share, "@share"), (words.expected, "@expected")]
    canvas.tell(line, rows, mode="vline")
    return canvas


def draw_share_rows(rows: Sequence[ShareRow], *, words: SplitWords) -> Canvas:
    """Draw every variant's share as a dot on its expected range, one line for each."""
    ends = [each for row in rows for each in (row.low, row.high, row.share)]
    air = (max(ends) - min(ends)) * 0.12 or 0.01
    heights = (len(rows) * ROW, 0)
    span = (max(0.0, min(ends) - air), min(1.0, max(ends) + air))
    canvas = Canvas(x=span, y=heights, frame_height=len(rows) * ROW, right=16)
    middles = [(index + 0.5) * ROW for index in range(len(rows))]
    canvas.mark_x([(x, words.format_share(x)) for x in ticks(*span, about=4)], ruled=True)
    canvas.mark_y([(middle, row.name) for middle, row in zip(middles, rows, strict=True)])
    source = columns(
        y=middles,
        low=[row.low for row in rows],
        high=[row.high for row in rows],
        share=[row.share for row in rows],
        colour=[BLUE if row.inside else VERMILION for row in rows],
        marker=["circle" if row.inside else "x" for row in rows],
        name=[row.name for row in rows],
        told=[words.format_share(row.share) for row in rows],
        expected=[_range(row.low, row.high, words) for row in rows],
    )
    bar = {"height": ROW * 0.55, "fill_color": GREY, "fill_alpha": 0.28, "line_color": GREY}
    canvas.draw("HBar", source, y="y", left="low", right="high", **bar)
    dot = {"size": 11, "fill_color": "colour", "line_color": "colour", "line_width": 2.5}
    dots = canvas.draw("Scatter", source, x="share", y="y", marker="marker", **dot)
    rows_told = [(words.variant, "@name"), (words.share, "@told"), (words.expected, "@expected")]
    canvas.tell(dots, rows_told)
    return canvas


def _days(split: Sequence[SplitPoint], words: SplitWords) -> list[tuple[float, str]]:
    chosen = some(len(split), at_most=4)
    return [(float(split[i].day.toordinal()), words.format_day(split[i].day)) for i in chosen]


def _range(low: float, high: float, words: SplitWords) -> str:
    return f"{words.format_share(low)} … {words.format_share(high)}"
