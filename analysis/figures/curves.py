"""Curves: what happens to units as they grow older, a line for each variant, and how the lines differ."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from analysis.figures.canvas import DASHED, DAY_ROOM, Canvas, Formatter, columns
from analysis.figures.palette import BLUE, GREY
from analysis.figures.scale import reach, ticks

CURVES_HEIGHT = 190
DIFFERENCES_HEIGHT = 120
ALONE_HEIGHT = 240
LEFT = 58
"""Room for labels, alike in figures that stand above each other."""
DASHES: tuple[tuple[int, ...], ...] = ((), DASHED, (2, 4), (2, 4, 6, 4))
"""Treatments share a colour and differ in their lines; the table names them."""

WIDEST = 3.0
"""Times the usual length of an interval that the axis goes along with."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A variant's share at one age, with its band where there is one, and both as written."""

    age: float
    share: float
    low: float | None = None
    high: float | None = None
    when: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """One variant's points, in the order of ages. ``stepped`` ones hold until the next."""

    name: str
    control: bool
    points: tuple[CurvePoint, ...]
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """How a treatment differs from the control at one age; ends are None where nothing limits them."""

    age: float
    estimate: float
    low: float | None
    high: float | None
    when: str
    told: str


@dataclass(frozen=True, slots=True)
class CurveWords:
    """The words and formats of the figures, in the reader's language."""

    format_share: Formatter
    format_change: Formatter
    format_age: Formatter
    age: str
    variant: str
    share: str
    change: str


def draw_curves(
    curves: Sequence[Curve], *, ages: Sequence[float], words: CurveWords, from_zero: bool = True
) -> Canvas:
    """Draw shares by age.

    Parameters
    ----------
    ages
        Where the axis is labelled.
    from_zero
        Whether the axis of shares begins at zero; otherwise it surrounds what there is.
    """
    places = [point.age for curve in curves for point in curve.points]
    shares = [
        each
        for curve in curves
        for point in curve.points
        for each in (point.share, point.low, point.high)
        if each is not None
    ]
    low, high = (0.0, max(shares) * 1.12) if from_zero else _around(shares)
    air = (max(places) - min(places)) * 0.03 or 0.5
    canvas = Canvas(
        x=(min(places) - air, max(places) + air),
        y=(low, min(high, 1.0)),
        frame_height=CURVES_HEIGHT,
        left=LEFT,
        right=DAY_ROOM,
    )
    canvas.mark_x([(age, words.format_age(age)) for age in ages])
    marks = [(y, words.format_share(y)) for y in ticks(low, min(high, 1.0), about=4)]
    canvas.mark_y(marks, ruled=True)
    treatments = 0
    for curve in curves:
        _curve(canvas, curve, DASHES[0 if curve.control else treatments % len(DASHES)], words)
        treatments += not curve.control
    return canvas


def draw_gaps(
    gaps: Sequence[Gap],
    *,
    ages: Sequence[float],
    words: CurveWords,
    span: tuple[float, float] | None = None,
) -> Canvas:
    """Draw one treatment's difference from the control at each age, with its interval.

    Parameters
    ----------
    ages
        Where the axis is labelled.
    span
        The first and the last age, where the figure stands under another one.
    """
    heights = reach(_ends(gaps), margin=0.15)
    places = [gap.age for gap in gaps]
    first, last = span or (min(places), max(places))
    air = (last - first) * 0.03 or 0.5
    height = DIFFERENCES_HEIGHT if span else ALONE_HEIGHT
    canvas = Canvas(x=(first - air, last + air), y=heights, frame_height=height, left=LEFT, right=DAY_ROOM)
    canvas.mark_x([(age, words.format_age(age)) for age in ages])
    canvas.mark_y([(y, words.format_change(y)) for y in ticks(*heights, about=3 if span else 4)], ruled=True)
    canvas.rule(0, "width")
    _differences(canvas, gaps, words)
    return canvas


def _ends(gaps: Sequence[Gap]) -> Iterator[float]:
    """What the axis has to hold. An interval that is far longer than the others runs out of the frame."""
    spans = [(gap, gap.low, gap.high) for gap in gaps if gap.low is not None and gap.high is not None]
    longest = WIDEST * median(high - low for _, low, high in spans) if spans else 0.0
    yield from (gap.estimate for gap in gaps)
    for gap, low, high in spans:
        yield from (max(low, gap.estimate - longest / 2), min(high, gap.estimate + longest / 2))


def _differences(canvas: Canvas, gaps: Sequence[Gap], words: CurveWords) -> None:
    known = [(gap.age, gap.low, gap.high) for gap in gaps if gap.low is not None and gap.high is not None]
    bars = columns(
        x=[age for age, _, _ in known],
        low=[low for _, low, _ in known],
        high=[high for _, _, high in known],
    )
    look = {"line_color": BLUE, "line_width": 5, "line_alpha": 0.55}
    canvas.draw("Segment", bars, x0="x", x1="x", y0="low", y1="high", **look)
    source = columns(
        x=[gap.age for gap in gaps],
        y=[gap.estimate for gap in gaps],
        when=[gap.when for gap in gaps],
        told=[gap.told for gap in gaps],
    )
    dots = canvas.draw("Scatter", source, x="x", y="y", size=7, fill_color=BLUE, line_color=BLUE)
    canvas.tell(dots, [(words.age, "@when"), (words.change, "@told")])


def _curve(canvas: Canvas, curve: Curve, dash: Sequence[int], words: CurveWords) -> None:
    colour = GREY if curve.control else BLUE
    banded = [(p.age, p.low, p.high) for p in curve.points if p.low is not None and p.high is not None]
    if len(banded) > 1:
        band = columns(
            x=[age for age, _, _ in banded],
            low=[low for _, low, _ in banded],
            high=[high for _, _, high in banded],
        )
        canvas.draw("VArea", band, x="x", y1="low", y2="high", fill_color=colour, fill_alpha=0.18)
    source = columns(
        x=[point.age for point in curve.points],
        y=[point.share for point in curve.points],
        name=[curve.name] * len(curve.points),
        when=[point.when for point in curve.points],
        told=[point.told for point in curve.points],
    )
    look: dict[str, Any] = {"line_color": colour, "line_width": 2.2, "line_dash": dash}
    if curve.stepped:
        canvas.draw("Step", source, mode="after", x="x", y="y", **look)
    else:
        canvas.draw("Line", source, x="x", y="y", **look)
    size = 0.1 if curve.stepped else 6
    marker = "circle" if curve.control else "triangle"
    tones = {"fill_color": colour, "line_color": colour}
    dots = canvas.draw("Scatter", source, x="x", y="y", size=size, marker=marker, **tones)
    canvas.tell(dots, [(words.age, "@when"), (words.variant, "@name"), (words.share, "@told")])


def _around(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if math.isfinite(value)]
    air = (max(known) - min(known)) * 0.12 or 0.01
    return max(0.0, min(known) - air), max(known) + air
