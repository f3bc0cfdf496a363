"""The statement: one SQL query that turns exposures and events into moments.

It is put together from small named pieces, each a fixed text whose placeholders are filled with typed values,
so nothing that a person typed ever becomes SQL. It is run in DuckDB's dialect; sqlglot writes others.

The pieces, in the order in which the data flow through them; those in brackets when they are needed:

============ ==========================================================================================
shown        exposures of the experiment
met          one row per unit: its variants, its first exposure, whether it was placed by hand
(busy)       units with more events on one day than people have
sorted_out   what becomes of each unit, and why
units        the units that count
(beside…)    each unit's variant in another experiment
(traits)     what the attributes at the first exposure say of a unit, for segments
gathered     one row per unit with events: what each metric's events come to, after and before the exposure
reached      how far the log reached before each hour in which events came, to tell the late ones
(piece…)     the same for a metric that needs more than sums: sessions, the last value, funnels
totals       one row per unit: each metric's value, nought for a unit to which nothing happened
(limit…)     each metric's cap, from the pooled units
valued       the values after capping
centres      the middle of each value over all units, around which sums of squares are taken
(cells)      one row per unit and day with events, for metrics that grow without an end
(so_far)     what a unit's cells come to up to each of them
(levels)     each metric's level after and before a cell
(gained)     one row per unit and day since its exposure with events
(lived)      each metric's level on such a day
(sample…)    the values that a quantile is taken of, and (levels…) the quantile with its neighbours
(touches)    events with a channel, and (credited) how conversions are shared among them
============ ==========================================================================================

The answer is long: one row per part, metric, variant and day, read by `experiments.observe.counting`.
"""

from collections.abc import Container, Iterator

from sqlglot import exp

from experiments.observe import (
    answers,
    attribution,
    curves,
    gathering,
    lateness,
    overlapping,
    samples,
    units,
    values,
)
from experiments.observe.attribution import LOOK_BACK, credit_metric
from experiments.observe.question import Question, in_bundles
from experiments.observe.scanning import UNKNOWN, Scan, Statement
from experiments.observe.sql import DIALECT


def compose(question: Question, ready: Container[str] = ()) -> exp.Expr:
    """Put the statement together.

    Parameters
    ----------
    ready
        Names of pieces that are there as tables already.
    """
    answer = exp.union(*answers.padded(list(_answers(question))), distinct=False, copy=False)
    for name, piece in _pieces(question):
        if name not in ready:
            answer = answer.with_(name, as_=piece, copy=False)
    return answer


def statement_of(question: Question) -> Statement:
    """The statement of a question, with what it has to read."""
    return _asked(question, compose(question))


def text_of(question: Question) -> str:
    """The statement as text, as it is run and as it is shown to readers."""
    return compose(question).sql(dialect=DIALECT, pretty=True)


SORTING = ("met", "busy", "sorted_out")
"""The pieces that lead to what becomes of each unit, and nowhere else."""


def sorting(question: Question) -> exp.Expr:
    """The statement as far as ``sorted_out``, which is its answer."""
    pieces = dict(_unit_pieces(question))
    answer = pieces["sorted_out"]
    for name in ("shown", *SORTING[:-1]):
        if name in pieces:
            answer = answer.with_(name, as_=pieces[name], copy=False)
    return answer


def labelling(question: Question) -> exp.Expr:
    """The statement as far as the segments of units; ``sorted_out`` is ready, and ``gathered``, too."""
    answer = values.labels(question)
    for name, piece in _unit_pieces(question):
        if name not in SORTING:
            answer = answer.with_(name, as_=piece, copy=False)
    return answer


def about_units(question: Question) -> exp.Expr:
    """The statement as far as it asks of units and records alone; ``sorted_out`` is ready."""
    rows = [*answers.arrivals(), *answers.records(question), *lateness.late_rows(question)]
    rows += answers.beyond_adding(question)
    if curves.aged(question):
        rows.append(curves.lives(question))
    answer = exp.union(*answers.padded(rows), distinct=False, copy=False)
    answer = answer.with_("units", as_=units.kept(), copy=False)
    return answer.with_("reached", as_=lateness.reached(question), copy=False)


def _pieces(question: Question) -> Iterator[tuple[str, exp.Expr]]:
    yield from _unit_pieces(question)
    yield "gathered", gathering.gathered(question)
    yield "reached", lateness.reached(question)
    for place, metric in enumerate(question.counted):
        if gathering.has_own_piece(metric):
            yield f"piece{place}", gathering.own_piece(question, metric)
    if values.capped(question):
        yield "totals", values.totals(question)
        for place in values.capped(question):
            yield f"limit{place}", values.limit(question, place)
        yield "valued", values.valued(question)
    else:
        yield "valued", values.totals(question)
    yield "centres", values.centres(question)
    if curves.running(question):
        yield "cells", curves.cells(question)
        yield "so_far", curves.so_far(question)
        yield "levels", curves.levels(question)
    if curves.aged(question):
        yield "gained", curves.gained(question)
        yield "lived", curves.lived(question)
        yield "lived_middles", curves.lived_middles(question)
    for place, metric in samples.quantile_metrics(question):
        yield f"sample{place}", samples.sample(question, place, metric)
        yield f"levels{place}", samples.levels_of(f"sample{place}", metric)
        for segment, _ in enumerate(question.segments):
            yield f"sample{place}_{segment}", samples.cut_sample(place, segment)
            yield f"levels{place}_{segment}", samples.levels_of(f"sample{place}_{segment}", metric, cut=True)
    yield from attribution.pieces(question)


def units_statement_of(question: Question, rows: list[exp.Select]) -> Statement:
    """What an engine is asked for other rows than the usual, about units that count and all their events."""
    return _asked(question, compose_units(question, rows), every_event=True)


def compose_units(question: Question, rows: list[exp.Select]) -> exp.Expr:
    """Instead of the usual rows others, about the units that count and their events alone."""
    answer = exp.union(*answers.padded(rows), distinct=False, copy=False)
    for name, piece in _unit_pieces(question):
        answer = answer.with_(name, as_=piece, copy=False)
    return answer


def values_statement_of(question: Question) -> Statement:
    """What an engine is asked for each unit's number of the one metric."""
    return _asked(question, compose_values(question))


def compose_values(question: Question) -> exp.Expr:
    """Instead of sums each unit's number of the one metric, with the moment from which the unit counts."""
    (metric,) = question.metrics
    answer = exp.select("valued.first_at", "valued.x0 AS value").from_("valued")
    answer = answer.where(answers.matured(question, metric), copy=False)
    for name, piece in _pieces(question):
        answer = answer.with_(name, as_=piece, copy=False)
        if name == "valued":
            break
    return answer


def _unit_pieces(question: Question) -> Iterator[tuple[str, exp.Select]]:
    if question.past:
        yield "sorted_out", units.passed_by(question)
        yield "units", units.kept()
        return
    yield "shown", units.shown(question)
    yield "met", units.met(question)
    if question.bots is not None and question.bots.events_per_day is not None:
        yield "busy", units.busy(question)
    yield "sorted_out", units.sorted_out(question)
    yield "units", units.kept()
    if units.attribute_segments(question):
        yield "traits", units.traits(question)
        for place, name in enumerate(question.segments):
            if name in units.attribute_segments(question):
                yield f"common{place}", units.common(place)
        yield "told_apart", units.told_apart(question)
    for place, name in enumerate(question.segments):
        if name in question.beside:
            yield f"beside{place}", overlapping.beside(question.beside[name])


def _answers(question: Question) -> Iterator[exp.Select]:
    yield from answers.arrivals()
    yield answers.gathered_events()
    yield from answers.records(question)
    yield from lateness.late_rows(question)
    yield from answers.unreadable(question)
    yield from answers.beyond_adding(question)
    for metric in question.metrics:
        if metric.kind == "quantile":
            yield answers.young(question, metric)
            continue
        yield answers.middles(question, metric)
        if metric.cap is not None:
            yield answers.uncapped(question, metric)
    for bundle in question.bundles():
        yield answers.metric_rows(question, bundle)
    yield from _curves(question)
    for place, _ in enumerate(question.segments):
        yield from answers.cut_rows(question, place)
    for place, metric in samples.quantile_metrics(question):
        for segment in (None, *range(len(question.segments))):
            yield from samples.quantile_rows(place, metric, segment)
    for place, metric in enumerate(question.counted):
        if metric.kind == "time_to_event":
            for segment in (None, *range(len(question.segments))):
                yield samples.lifetable_rows(question, place, metric, segment)
    yield from attribution.rows(question)


def _curves(question: Question) -> Iterator[exp.Select]:
    for metric in question.metrics:
        if question.by_first(metric):
            yield curves.first_rows(question, metric)
    for bundle in in_bundles(curves.running(question)):
        yield curves.step_rows(question, bundle)
    if curves.aged(question):
        yield curves.lives(question)
    for metric in curves.aged(question):
        yield from curves.age_rows(question, metric)


def _asked(question: Question, expression: exp.Expr, *, every_event: bool = False) -> Statement:
    reach = _reach(question)
    known = reach is not None and question.since > UNKNOWN
    since = question.since - reach if reach is not None and known else None
    scans = {
        "exposure": _exposures(question),
        "event": Scan(since, None if every_event else _names(question)),
    }
    return Statement(expression, scans, None if known or reach is None else _opening(question, reach))


def _exposures(question: Question) -> Scan:
    both = (question, *question.beside.values())
    beginnings = [each.earliest for each in both if each.earliest is not None]
    return Scan(
        min(beginnings) if len(beginnings) == len(both) else None,
        tuple(sorted({each.experiment for each in both})),
    )


def _opening(question: Question, reach: int) -> exp.Expr:
    """The moment from which events matter: so long before the first exposure."""
    piece = exp.select(f"MIN(first_at) - {reach:d} AS since").from_("met")
    piece = piece.with_("shown", as_=units.shown(question), copy=False)
    return piece.with_("met", as_=units.met(question), copy=False)


def _reach(question: Question) -> int | None:
    """Milliseconds before the first exposure in which events matter; None for all the time before it."""
    busy = question.bots is not None and question.bots.events_per_day is not None
    if busy or question.historic:
        return None
    return max(question.back, LOOK_BACK if credit_metric(question) else 0)


def _names(question: Question) -> tuple[str, ...] | None:
    busy = question.bots is not None and question.bots.events_per_day is not None
    credited = credit_metric(question) is not None
    if question.past or busy or credited or question.aged or gathering.needs_every_event(question):
        return None
    return tuple(sorted({name for metric in question.counted for name in metric.events}))
