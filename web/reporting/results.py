"""Results: everything that is shown of a readout, worded and drawn in the reader's language."""

from dataclasses import dataclass

from analysis import Finding, Readout, Role
from analysis.readout import Series
from web.charts import Chart, intervals_chart, lift_chart, split_charts
from web.scorecard import Line, lines_of
from web.wording import Conclusion, FourChecks, Names, conclude, four_checks
from web.wording.changes import sentence_of
from web.wording.facts import Fact, facts_of
from web.wording.language import joined
from web.wording.methods import Term, detail, interval_note, methods_of
from web.wording.readings import findings_in, heading, withholds
from web.wording.rules import Rule, rules_of
from web.wording.segments import segment_choices, segment_sentences
from web.wording.tables import Table, lift_table, split_table
from web.wording.verdict import goal_of


@dataclass(frozen=True, slots=True)
class Detail:
    """One comparison with everything that is known about it."""

    heading: str
    sentence: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class OverTime:
    """One comparison day by day, and the others that could be shown instead."""

    heading: str
    chart: Chart
    table: Table
    choices: tuple[tuple[str, str], ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Split:
    """Arrivals and shares."""

    arrivals: Chart
    shares: Chart
    table: Table
    over_time: bool


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """The values of planned segments, and the one that the scorecard is narrowed to, if any."""

    choices: tuple[tuple[str, str], ...]
    shown: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """All that is shown."""

    readout: Readout
    names: Names
    conclusion: Conclusion
    checks: tuple[FourChecks, ...]
    rules: tuple[Rule, ...]
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    intervals: Chart
    interval_note: str
    details: tuple[Detail, ...]
    over_time: OverTime | None
    split: Split | None
    methods: tuple[Term, ...]
    withheld: bool
    segments: SegmentChoice


def results_of(readout: Readout, names: Names, *, wanted: str = "", segment: str = "") -> Results:
    """Lay a readout out.

    Parameters
    ----------
    wanted
        The comparison to show over time, as ``metric:variant``; otherwise the one the verdict speaks of.
    segment
        The value of a planned segment, as ``channel=email``, whose comparisons stand in the scorecard;
        otherwise those over all units do. What is not known changes nothing.
    """
    segments = segment_choice(readout, names, segment)
    lines = lines_of(readout, names, segment=segments.shown or None)
    return Results(
        readout=readout,
        names=names,
        conclusion=conclude(readout, names),
        checks=four_checks(readout, names),
        rules=rules_of(readout),
        facts=facts_of(readout, names),
        lines=lines,
        intervals=intervals_chart(lines),
        interval_note=interval_note(readout),
        details=tuple(
            detail_of(readout, names, each) for each in findings_in(readout, segments.shown or None)
        ),
        over_time=_over_time(readout, names, wanted),
        split=split_of(readout, names),
        methods=methods_of(readout, names),
        withheld=withholds(readout),
        segments=segments,
    )


def segment_choice(readout: Readout, names: Names, segment: str) -> SegmentChoice:
    """Find the segment asked for among those that something was counted in."""
    choices = segment_choices(readout, names)
    if segment not in dict(choices):
        return SegmentChoice(choices)
    return SegmentChoice(choices, segment, joined(*segment_sentences(readout, names, segment)))


def detail_of(readout: Readout, names: Names, finding: Finding) -> Detail:
    """Tell everything about one comparison."""
    terms = detail(readout, names, finding)
    return Detail(heading(names, finding), sentence_of(readout, names, finding), terms)


def over_time_of(readout: Readout, names: Names, series: Series, *, name: str = "lift") -> OverTime | None:
    """Draw one comparison day by day."""
    finding = readout.finding(series.metric, series.variant)
    if finding is None:
        return None
    label = heading(names, finding) + ". " + sentence_of(readout, names, finding)
    choices = tuple((_id(each), _choice(readout, names, each)) for each in readout.series)
    chart = lift_chart(readout, series, label=label, name=name)
    several = len(readout.plan.treatments) > 1
    title = names.metric(series.metric)
    title += f" · {names.variant(series.variant)}" if several else ""
    return OverTime(title, chart, lift_table(series), choices, _id(series))


def split_of(readout: Readout, names: Names) -> Split | None:
    """Draw arrivals and shares; nothing before anybody arrived."""
    if not readout.split or not any(readout.units.values()):
        return None
    arrivals, shares = split_charts(readout, names)
    over_time = len(readout.plan.treatments) == 1 and len(readout.split) > 1
    return Split(arrivals, shares, split_table(readout, names), over_time)


def _over_time(readout: Readout, names: Names, wanted: str) -> OverTime | None:
    series = _chosen(readout, wanted)
    return None if series is None else over_time_of(readout, names, series)


def _chosen(readout: Readout, wanted: str) -> Series | None:
    """The comparison asked for, or the one that the verdict speaks of first."""
    known = {(each.metric, each.variant): each for each in readout.series if each.points}
    by_id = {_id(each): each for each in known.values()}
    goal = goal_of(readout, readout.verdict.variant)
    first = None if goal is None else known.get((goal.metric, goal.variant))
    return by_id.get(wanted) or first or next(iter(known.values()), None)


def _id(series: Series) -> str:
    return f"{series.metric}:{series.variant}"


def _choice(readout: Readout, names: Names, series: Series) -> str:
    metric, variant = names.metric(series.metric), names.variant(series.variant)
    several = len({each.key for each in readout.plan.metrics if each.role is not Role.SECONDARY}) > 1
    if len(readout.plan.treatments) == 1:
        return metric
    return f"{metric} · {variant}" if several or len(readout.plan.metrics) > 1 else variant
