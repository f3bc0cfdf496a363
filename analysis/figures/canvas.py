"""The canvas: what every figure of the house has in common."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal

from bokeh.models import FixedTicker, HoverTool, PlainText, Range1d
from bokeh.models.annotations import Label, Span
from bokeh.plotting import figure

Formatter = Callable[[float], str]
DayFormatter = Callable[[date], str]


AXIS_HEIGHT = 30
"""Pixels below a frame that its labels take: never fewer, so that a page can keep the place free, and no
font that is met needs more."""


def blank(*, x: tuple[float, float], y: tuple[float, float], frame_height: int, **options: Any) -> figure:
    """Open a figure without chrome: no toolbar, no wheel zoom (it traps scrolling), no background."""
    options = {"min_border_top": 5, "min_border_bottom": AXIS_HEIGHT, **options}
    canvas = figure(
        x_range=Range1d(start=x[0], end=x[1]),
        y_range=Range1d(start=y[0], end=y[1]),
        frame_height=frame_height,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        **options,
    )
    canvas.axis.axis_line_color = None
    canvas.axis.major_tick_line_color = None
    canvas.axis.minor_tick_line_color = None
    canvas.axis.major_label_text_font_size = "12px"
    return canvas


def label_ticks(axis: Any, grid: Any, marks: Sequence[tuple[float, str]]) -> None:
    """Put these labels at these places, and rule the grid there too."""
    ticker = FixedTicker(ticks=[place for place, _ in marks], minor_ticks=[])
    axis.ticker = ticker
    axis.major_label_overrides = {place: PlainText(text=text) for place, text in marks}
    if grid is not None:
        grid.ticker = ticker


def rule(
    canvas: figure,
    *,
    at: float,
    dimension: Literal["width", "height"],
    dash: str = "solid",
    width: float = 1.5,
) -> None:
    """Draw a line across the whole frame."""
    span = Span(location=at, dimension=dimension, line_dash=dash, line_width=width, level="underlay")
    canvas.add_layout(span)


def write(canvas: figure, text: str, *, x: float, y: float, **options: Any) -> Label:
    """Write a short text at a place; anything longer than two words belongs into the caption."""
    label = Label(x=x, y=y, text=PlainText(text=text), text_font_size="12px", **options)
    canvas.add_layout(label)
    return label


def tell(
    canvas: figure,
    renderer: Any,
    rows: Sequence[tuple[str, str]],
    *,
    mode: Literal["mouse", "vline"] = "mouse",
) -> None:
    """Show a small table of a glyph's columns under the pointer; on a line, those of the nearest point."""
    hover = HoverTool(renderers=[renderer], tooltips=list(rows), mode=mode, line_policy="nearest")
    canvas.add_tools(hover)
