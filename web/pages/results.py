"""Results: the conclusion first, then health, metrics, time, split, and how it was computed."""

from dataclasses import dataclass

from flask import render_template, request

from analysis import Finding, Readout, Role
from analysis.readout import Series
from experiments import catalog, readouts
from experiments.catalog import Experiment
from experiments.readouts import Snapshot
from web import deployment
from web.charts import Chart, intervals_chart, lift_chart, split_charts
from web.pages.site import site
from web.scorecard import Line, lines_of
from web.wording import Conclusion, FourChecks, Names, conclude, four_checks
from web.wording.changes import sentence_of
from web.wording.facts import Fact, facts_of
from web.wording.hypothesis import hypothesis_sentence
from web.wording.methods import Term, detail, interval_note, methods_of
from web.wording.names import names_of
from web.wording.readings import heading, withholds
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
class ResultsPage:
    """All that the page shows."""

    conclusion: Conclusion
    checks: tuple[FourChecks, ...]
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    intervals: Chart
    interval_note: str
    details: tuple[Detail, ...]
    over_time: OverTime | None
    split: Split | None
    methods: tuple[Term, ...]
    withheld: bool


@site.get("/experiments/<key>/results", endpoint="results")
def show_results(key: str) -> str:
    """The latest readout of an experiment, or a calm word that there is none yet."""
    experiment, names, snapshot = _find(key)
    hypothesis = hypothesis_sentence(experiment.definition.hypothesis)
    if snapshot is None:
        return render_template("no_results.html", experiment=experiment, hypothesis=hypothesis)
    page = _page(snapshot.readout, names, request.args.get("show", ""))
    return render_template(
        "results.html",
        experiment=experiment,
        hypothesis=hypothesis,
        page=page,
        readout=snapshot.readout,
        names=names,
    )


def _find(key: str) -> tuple[Experiment, Names, Snapshot | None]:
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = catalog.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        return experiment, names_of(experiment, metrics), readouts.latest(session=session, key=key)


def _page(readout: Readout, names: Names, wanted: str) -> ResultsPage:
    lines = lines_of(readout, names)
    return ResultsPage(
        conclusion=conclude(readout, names),
        checks=four_checks(readout, names),
        facts=facts_of(readout, names),
        lines=lines,
        intervals=intervals_chart(lines),
        interval_note=interval_note(readout),
        details=tuple(_detail(readout, names, finding) for finding in readout.comparisons),
        over_time=_over_time(readout, names, wanted),
        split=_split(readout, names),
        methods=methods_of(readout, names),
        withheld=withholds(readout),
    )


def _detail(readout: Readout, names: Names, finding: Finding) -> Detail:
    return Detail(heading(names, finding), sentence_of(readout, names, finding), detail(readout, finding))


def _over_time(readout: Readout, names: Names, wanted: str) -> OverTime | None:
    series = _chosen(readout, wanted)
    if series is None:
        return None
    finding = readout.finding(series.metric, series.variant)
    if finding is None:
        return None
    label = heading(names, finding) + ". " + sentence_of(readout, names, finding)
    choices = tuple((_id(each), _choice(readout, names, each)) for each in readout.series)
    return OverTime(
        names.metric(series.metric),
        lift_chart(readout, series, label=label),
        lift_table(series),
        choices,
        _id(series),
    )


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


def _split(readout: Readout, names: Names) -> Split | None:
    if not readout.split or not any(readout.units.values()):
        return None
    arrivals, shares = split_charts(readout, names)
    over_time = len(readout.plan.treatments) == 1 and len(readout.split) > 1
    return Split(arrivals, shares, split_table(readout, names), over_time)
