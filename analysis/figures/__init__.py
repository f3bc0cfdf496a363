"""Figures: the values of a readout in, a document that BokehJS draws out.

Here live shapes, scales and the palette. Here never live sentences, translations, a request or a statistic:
every word and every formatted number is handed in, ready for the reader's language.

Decisions of this room
----------------------
- Scalar visuals (axes, grids, labels, rules) take their colours from the page's CSS at every paint, so light
  and dark need no second figure. Glyphs do not follow CSS; theirs are mid-tones that hold on both.
- Nothing that BokehJS evaluates as code or fetches from elsewhere: no ``CustomJS``, no ``CanvasTexture``, and
  every text is a `PlainText`, because Bokeh reads ``$$`` in a plain string as TeX and would load MathJax.
- Documents are written here and not by Bokeh's Python classes, which take ten times as long (`document`).
- Ticks are chosen and labelled here by the caller's own formatter, so the canvas says "−5%" as the page does.
"""

from analysis.figures.canvas import Canvas
from analysis.figures.contributions import ContributionBar, ContributionWords, draw_contributions
from analysis.figures.curves import Curve, CurvePoint, CurveWords, Gap, draw_curves, draw_gaps
from analysis.figures.days import DayWords, draw_days
from analysis.figures.funnel import FunnelBar, FunnelStep, FunnelWords, draw_funnel, funnel_height
from analysis.figures.intervals import Row, draw_intervals
from analysis.figures.lateness import LatenessBar, LatenessWords, draw_lateness
from analysis.figures.lift import LiftWords, draw_lift
from analysis.figures.palette import Tone
from analysis.figures.replay import ReplayWords, draw_coverage, draw_p_values
from analysis.figures.split import ShareRow, SplitWords, draw_arrivals, draw_share_rows, draw_share_series

__all__ = [
    "Canvas",
    "ContributionBar",
    "ContributionWords",
    "Curve",
    "CurvePoint",
    "CurveWords",
    "DayWords",
    "FunnelBar",
    "FunnelStep",
    "FunnelWords",
    "Gap",
    "LatenessBar",
    "LatenessWords",
    "LiftWords",
    "ReplayWords",
    "Row",
    "ShareRow",
    "SplitWords",
    "Tone",
    "draw_arrivals",
    "draw_contributions",
    "draw_coverage",
    "draw_curves",
    "draw_days",
    "draw_funnel",
    "draw_gaps",
    "draw_intervals",
    "draw_lateness",
    "draw_lift",
    "draw_p_values",
    "draw_share_rows",
    "draw_share_series",
    "funnel_height",
]
