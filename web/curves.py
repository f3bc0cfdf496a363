"""Curves: funnels, returns, lives and spans of time become figures with words."""

from collections.abc import Sequence

from analysis import Readout
from analysis.figures import (
    Curve,
    CurvePoint,
    CurveWords,
    FunnelBar,
    FunnelStep,
    FunnelWords,
    Gap,
    draw_curves,
    draw_funnel,
    draw_gaps,
)
from analysis.figures.canvas import Formatter
from analysis.figures.scale import some
from analysis.readout import AgeSeries, Funnel, Lasting, Return, Step
from web.charts import Chart, chart_of
from web.wording import Names, numbers
from web.wording.ages import ages_sentence, lasting_table, signed
from web.wording.changes import is_share
from web.wording.funnels import TOLD_DAYS, day_word, points_change
from web.wording.language import gettext
from web.wording.legibility import legible
from web.wording.tables import Table

LONGEST_STEP = 16
"""A step's name beside its bars; the table carries the whole."""

MOST_POINTS = 400
"""Points of a curve over time that are drawn; the eye tells no more apart."""


def funnel_chart(readout: Readout, funnel: Funnel, names: Names, *, name: str) -> Chart:
    """Draw a funnel by variant."""
    steps = [
        FunnelStep(_brief(step.name), tuple(_bars(readout, names, step, before)))
        for step, before in zip(funnel.steps, (None, *funnel.steps), strict=False)
    ]
    words = FunnelWords(
        format_share=numbers.tick_share,
        step=gettext("Step"),
        variant=gettext("Variant"),
        reached=gettext("Of exposed units"),
        since_last=gettext("Of the step before"),
    )
    label = gettext("Share of exposed units that reached each step, by variant")
    return chart_of(name, draw_funnel(steps, words=words), label)


def returns_charts(
    readout: Readout, days: Sequence[Return], names: Names
) -> tuple[Chart, tuple[tuple[str, Chart], ...]]:
    """Draw who was active on the days after the exposure, and how each treatment differs."""
    control = readout.plan.control
    curves = [
        Curve(names.variant(name), name == control, _returned(days, name)) for name in readout.plan.weights
    ]
    ages = _marked([each.day for each in days])
    words = _words(format_age=day_word)
    label = gettext("Share of units that were active on each day after their exposure, by variant")
    drawn = chart_of("returns", draw_curves(curves, ages=ages, words=words), label)
    gaps = []
    for place, treatment in enumerate(readout.plan.treatments):
        points = [
            Gap(
                each.day,
                difference.estimate,
                difference.low,
                difference.high,
                day_word(each.day),
                points_change(difference),
            )
            for each in days
            if (difference := each.difference.get(treatment)) is not None and difference.bounded
        ]
        if points:
            figure = draw_gaps(points, ages=ages, words=words, span=(days[0].day, days[-1].day))
            told = gettext("Difference in returning, %(name)s (points)", name=names.variant(treatment))
            gaps.append((told, chart_of(f"gaps-{place}", figure, told)))
    return drawn, tuple(gaps)


def ages_chart(readout: Readout, series: AgeSeries, names: Names, *, name: str) -> Chart:
    """Draw an effect by days since exposure."""
    share = is_share(readout, series.metric)
    gaps = [
        Gap(
            point.day,
            point.estimate,
            point.low,
            point.high,
            day_word(point.day),
            signed(point.estimate, as_share=share),
        )
        for point in series.points
        if point.estimate is not None
    ]

    def written(value: float) -> str:
        return numbers.tick_signed(value * 100 if share else value)

    words = _words(format_age=day_word, format_change=written)
    drawn = draw_gaps(gaps, ages=_marked([gap.age for gap in gaps]), words=words)
    return chart_of(name, drawn, ages_sentence(readout, series, names))


def lasting_chart(
    readout: Readout, curves: Sequence[Lasting], names: Names, *, name: str
) -> tuple[Chart, Table]:
    """Draw the share of units without an event over time."""
    drawn = [
        Curve(names.variant(each.variant), each.variant == readout.plan.control, _lasted(each), stepped=True)
        for each in curves
    ]
    longest = max(each.times[-1] for each in curves)
    times = [round(longest * part / 4) for part in range(5)]
    words = _words(format_age=numbers.span)
    figure = draw_curves(drawn, ages=times[::2], words=words, from_zero=False)
    label = gettext("Share of units without the event, by time since exposure")
    return chart_of(name, figure, label), lasting_table(list(curves), names, times)


def _bars(readout: Readout, names: Names, step: Step, before: Step | None) -> list[FunnelBar]:
    return [
        FunnelBar(
            names.variant(name),
            step.share.get(name, 0.0),
            numbers.percent(step.share.get(name, 0.0), 1),
            _since(step, before, name),
            name == readout.plan.control,
        )
        for name in readout.plan.weights
    ]


def _since(step: Step, before: Step | None, name: str) -> str:
    reached = 0 if before is None else before.reached.get(name, 0)
    return numbers.percent(step.reached.get(name, 0) / reached, 1) if reached else "–"


def _returned(days: Sequence[Return], name: str) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(each.day, share, when=day_word(each.day), told=numbers.percent(share, 1))
        for each in days
        if (share := each.share.get(name)) is not None
    )


def _lasted(curve: Lasting) -> tuple[CurvePoint, ...]:
    chosen = some(len(curve.times), at_most=MOST_POINTS)
    start = CurvePoint(0, 1.0, 1.0, 1.0, numbers.span(0), numbers.percent(1.0, 1))
    return (
        start,
        *(
            CurvePoint(
                curve.times[place],
                curve.share[place],
                curve.low[place],
                curve.high[place],
                numbers.span(curve.times[place]),
                numbers.percent(curve.share[place], 1),
            )
            for place in chosen
        ),
    )


def _marked(days: Sequence[float]) -> list[float]:
    """Where the axis is labelled: the days that people ask for, or a few of those there are."""
    told: list[float] = [day for day in days if day in TOLD_DAYS]
    return told if len(told) > 1 else [days[place] for place in some(len(days), at_most=5)]


def _words(*, format_age: Formatter, format_change: Formatter | None = None) -> CurveWords:
    return CurveWords(
        format_share=numbers.tick_share,
        format_change=format_change or _points,
        format_age=format_age,
        age=gettext("Time since exposure"),
        variant=gettext("Variant"),
        share=gettext("Share"),
        change=gettext("Difference"),
    )


def _points(value: float) -> str:
    return numbers.tick_signed(value * 100)


def _brief(name: str) -> str:
    text = legible(name)
    return text if len(text) <= LONGEST_STEP else text[: LONGEST_STEP - 1] + "…"
