"""Explored: funnels, retention, segments, channels. They give ideas and explain; they never decide."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis import Readout
from analysis.readout import AgeSeries
from web.charts import Chart
from web.curves import ages_chart, funnel_chart, lasting_chart, returns_charts
from web.wording import Names
from web.wording.ages import ages_sentence, ages_table
from web.wording.changes import is_share
from web.wording.channels import credit_tables
from web.wording.cohorts import Heat, heats_of
from web.wording.funnels import LAST_DAY, funnel_table, returns_note, returns_table
from web.wording.health import mix_sentence, mix_table
from web.wording.language import gettext
from web.wording.segments import SegmentLine, interaction_sentences, segment_lines
from web.wording.tables import Table


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure with its heading, what it says, and its numbers."""

    heading: str
    chart: Chart
    table: Table
    note: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """A metric by segment, and whether the groups differ."""

    heading: str
    lines: tuple[SegmentLine, ...]
    sentences: tuple[str, ...]
    several: bool


@dataclass(frozen=True, slots=True)
class MixTable:
    """The mix of a segment by variant."""

    table: Table
    sentence: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Retained:
    """Who was active on the days after the exposure."""

    curves: Chart
    gaps: tuple[tuple[str, Chart], ...]
    table: Table
    note: str


@dataclass(frozen=True, slots=True)
class Explored:
    """All that is for looking closer; what was not counted is empty."""

    funnels: tuple[Shown, ...]
    retention: Retained | None
    heats: tuple[Heat, ...]
    ages: tuple[Shown, ...]
    lasting: tuple[Shown, ...]
    segments: tuple[SegmentTable, ...]
    mixes: tuple[MixTable, ...]
    credits: tuple[Table, ...]


def explored_of(readout: Readout, names: Names) -> Explored:
    """Lay out everything that explains."""
    return Explored(
        funnels=funnels_of(readout, names),
        retention=retention_of(readout, names),
        heats=heats_of(readout, names),
        ages=ages_of(readout, names),
        lasting=lasting_of(readout, names),
        segments=segments_of(readout, names),
        mixes=mixes_of(readout, names),
        credits=credit_tables(readout, names),
    )


def funnels_of(readout: Readout, names: Names, *, most: int | None = None) -> tuple[Shown, ...]:
    """Every funnel by variant, or the first few of them."""
    return tuple(
        Shown(
            names.metric(funnel.metric),
            funnel_chart(readout, funnel, names, name=f"funnel-{place}"),
            funnel_table(readout, funnel, names),
        )
        for place, funnel in enumerate(readout.funnels[:most])
    )


def retention_of(readout: Readout, names: Names) -> Retained | None:
    """Who came back, as soon as somebody is old enough."""
    days = [each for each in readout.returns if any(each.old_enough.values()) and each.day <= LAST_DAY]
    if not days:
        return None
    curves, gaps = returns_charts(readout, days, names)
    return Retained(curves, gaps, returns_table(readout, days, names), returns_note(readout, days))


def ages_of(readout: Readout, names: Names, *, metric: str = "") -> tuple[Shown, ...]:
    """Every effect by days since exposure, or those on one metric."""
    return tuple(
        _aged(readout, names, series, name=f"ages-{place}")
        for place, series in enumerate(readout.ages)
        if metric in ("", series.metric) and any(point.estimate is not None for point in series.points)
    )


def lasting_of(readout: Readout, names: Names) -> tuple[Shown, ...]:
    """Every metric of time until an event."""
    return tuple(_lasting(readout, names))


def segments_of(readout: Readout, names: Names, *, metric: str = "") -> tuple[SegmentTable, ...]:
    """Every metric by segment, or one of them."""
    asked = [each.key for each in readout.plan.metrics if metric in ("", each.key)]
    found = [(key, segment_lines(readout, names, metric=key)) for key in asked]
    return tuple(
        SegmentTable(
            names.metric(key),
            lines,
            tuple(interaction_sentences(readout, names, metric=key)),
            len(readout.plan.treatments) > 1,
        )
        for key, lines in found
        if lines
    )


def mixes_of(readout: Readout, names: Names) -> tuple[MixTable, ...]:
    """How every planned segment is spread over the variants."""
    return tuple(
        MixTable(mix_table(mix, readout, names), mix_sentence(mix), mix.passed) for mix in readout.mixes
    )


def _aged(readout: Readout, names: Names, series: AgeSeries, *, name: str) -> Shown:
    chart, sentence = ages_chart(readout, series, names, name=name), ages_sentence(readout, series, names)
    share = is_share(readout, series.metric)
    unit = gettext("Difference (points)") if share else gettext("Difference")
    return Shown(names.metric(series.metric), chart, ages_table(readout, series), sentence, unit)


def _lasting(readout: Readout, names: Names) -> Iterator[Shown]:
    for place, metric in enumerate(dict.fromkeys(each.metric for each in readout.lasting)):
        curves = [each for each in readout.lasting if each.metric == metric and each.times]
        if curves:
            chart, table = lasting_chart(readout, curves, names, name=f"lasting-{place}")
            yield Shown(names.metric(metric), chart, table)
