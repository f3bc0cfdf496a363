"""The canvas: what every figure of the house has in common."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal

from analysis.figures.document import Field, Model, model, write_document

Formatter = Callable[[float], str]
DayFormatter = Callable[[date], str]
Marks = Sequence[tuple[float, str]]

AXIS_HEIGHT = 30
"""Pixels below a frame that its labels take: never fewer, so that a page can keep the place free, and no
font that is met needs more."""

DASHED = (6,)
"""Pixels of a line and its gaps in turn; Bokeh's words for them mean another thing in a browser."""

_TEXT_SIZE = "12px"


class Canvas:
    """A figure without chrome: no toolbar, no wheel zoom (it traps scrolling), no background.

    Parameters
    ----------
    x, y
        Where the axes begin and end.
    frame_height
        Pixels of the frame, without its borders.
    left, right, top, bottom
        Pixels that the borders take at least; labels may need more.
    """

    def __init__(
        self,
        *,
        x: tuple[float, float],
        y: tuple[float, float],
        frame_height: int,
        left: int | None = None,
        right: int | None = None,
        top: int = 5,
        bottom: int = AXIS_HEIGHT,
    ) -> None:
        self.height = frame_height + top + bottom
        borders = {"left": left, "right": right, "top": top, "bottom": bottom}
        self._tools: list[Model] = []
        self._sides: dict[str, list[Model]] = {"above": [], "below": [], "left": [], "center": []}
        self._renderers: list[Model] = []
        self._root = model(
            "Figure",
            x_range=model("Range1d", start=x[0], end=x[1]),
            y_range=model("Range1d", start=y[0], end=y[1]),
            frame_height=frame_height,
            sizing_mode="stretch_width",
            toolbar=model("Toolbar", tools=self._tools),
            toolbar_location=None,
            background_fill_alpha=0,
            border_fill_alpha=0,
            outline_line_color=None,
            renderers=self._renderers,
            **self._sides,
            **{f"min_border_{side}": pixels for side, pixels in borders.items() if pixels is not None},
        )

    def document(self, *, prefix: str) -> dict[str, Any]:
        """What BokehJS reads; the names of all models begin with ``prefix``."""
        return write_document(self._root, prefix=prefix)

    def mark_x(
        self,
        marks: Marks,
        *,
        ruled: bool = False,
        side: Literal["below", "above"] = "below",
        standoff: int = 5,
    ) -> None:
        """Put these labels at these places of the horizontal axis, and rule the frame there if asked to.

        Where a narrow page has no room for all of them, some are left out.
        """
        apart = model("NoOverlap", min_distance=6)
        self._mark(marks, side=side, dimension=0, ruled=ruled, standoff=standoff, policy=apart)

    def mark_y(self, marks: Marks, *, ruled: bool = False) -> None:
        """Put these labels at these places of the vertical axis, and rule the frame there if asked to."""
        every = model("AllLabels")
        self._mark(marks, side="left", dimension=1, ruled=ruled, standoff=5, policy=every)

    def _mark(
        self, marks: Marks, *, side: str, dimension: int, ruled: bool, standoff: int, policy: Model
    ) -> None:
        ticker = _ticker([place for place, _ in marks])
        axis = model(
            "LinearAxis",
            ticker=ticker,
            formatter=model("BasicTickFormatter"),
            major_label_policy=policy,
            major_label_overrides={place: _plain(text) for place, text in marks},
            major_label_standoff=standoff,
            major_label_text_font_size=_TEXT_SIZE,
            axis_line_color=None,
            major_tick_line_color=None,
            minor_tick_line_color=None,
        )
        self._sides[side].append(axis)
        if ruled:
            self._sides["center"].append(model("Grid", dimension=dimension, axis=axis, ticker=ticker))

    def rule_lines(self, places: Sequence[float]) -> None:
        """Rule the frame from left to right at these places, which no axis names."""
        self._sides["center"].append(model("Grid", dimension=1, ticker=_ticker(places)))

    def rule(
        self,
        at: float,
        dimension: Literal["width", "height"],
        *,
        dash: Sequence[int] = (),
        width: float = 1.5,
    ) -> None:
        """Draw a line across the whole frame."""
        look = {"line_dash": dash, "line_width": width, "level": "underlay"}
        self._sides["center"].append(model("Span", location=at, dimension=dimension, **look))

    def draw(self, glyph: str, source: Model, /, **look: Any) -> Model:
        """Draw marks.

        Parameters
        ----------
        glyph
            Bokeh's name of it.
        source
            The `columns` that it reads.
        look
            Its properties. A text that names a column stands for it, anything else for itself.
        """
        known = [*source.properties["data"]]
        properties = {name: Field(each) if each in known else each for name, each in look.items()}
        drawn = model("GlyphRenderer", data_source=source, glyph=Model(glyph, properties))
        self._renderers.append(drawn)
        return drawn

    def write(self, text: str, *, x: float, y: float, **options: Any) -> None:
        """Write a short text at a place; anything longer than two words belongs into the caption."""
        label = model("Label", x=x, y=y, text=_plain(text), text_font_size=_TEXT_SIZE, **options)
        self._sides["center"].append(label)

    def tell(
        self, drawn: Model, rows: Sequence[tuple[str, str]], *, mode: Literal["mouse", "vline"] = "mouse"
    ) -> None:
        """Show some columns of a glyph under the pointer; on a line, those of the nearest point."""
        self._tools.append(model("HoverTool", renderers=[drawn], tooltips=rows, mode=mode))


def columns(**data: Sequence[Any]) -> Model:
    """What glyphs read, column by column."""
    return model("ColumnDataSource", data=data)


def _ticker(places: Sequence[float]) -> Model:
    return model("FixedTicker", ticks=places, minor_ticks=[])


def _plain(text: str) -> Model:
    """A text that is never read as TeX."""
    return model("PlainText", text=text)
