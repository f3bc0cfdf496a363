"""Gathering: from events to what each unit has of each metric, in one scan.

An event's age is the time since its unit's first exposure: negative before it. Each metric takes the events
that hit it, by name, by filter and by age, and adds up what they are worth; with covariates the same is done
over the time before the exposure. Three metrics need more than a sum of single events, and have pieces of
their own: sessions, the last value, and funnels.
"""

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp

from assignment import condition_from_json
from experiments.metrics import MetricDraft
from experiments.observe.conditions import holds, number_of, numeric_paths, text_at
from experiments.observe.question import Question, reach
from experiments.observe.sql import (
    DAY_MS_REAL,
    both,
    bound,
    filled,
    real,
    selected,
    total,
    when,
    zero,
)
from experiments.storable import LARGEST_NUMBER

_AGE = exp.column("age")
_VALUE = exp.column("value")


def has_own_piece(metric: MetricDraft) -> bool:
    """Whether a metric needs more than sums over single events."""
    return metric.kind == "funnel" or (metric.kind == "mean" and metric.aggregation in ("last", "sessions"))


def per_event(metric: MetricDraft) -> bool:
    """Whether a metric speaks of events, and gives its units no number at all."""
    return metric.kind == "quantile" and metric.per == "event"


def taken(
    question: Question, *, every_event: bool, before: bool, of: Sequence[MetricDraft] | None = None
) -> exp.Select:
    """The events of units that count, with their ages.

    Parameters
    ----------
    every_event
        Whether those that no metric names matter.
    before
        Whether those before the exposure matter.
    of
        The metrics whose events are wanted; all when it is None.
    """
    piece = filled(
        """
        SELECT units.unit, units.arm, units.first_at, event.occurred_at,
               event.occurred_at - units.first_at AS age, event.event, event.value, event.properties
        FROM units JOIN event ON :unit = units.unit
        WHERE event.occurred_at <= :horizon
        """,
        unit=exp.column(question.unit_type, "event"),
        horizon=question.horizon,
    )
    if not before:
        piece = piece.where("event.occurred_at >= units.first_at", copy=False)
    elif not question.historic:
        piece = piece.where(
            bound("event.occurred_at >= units.first_at - :back", back=question.back), copy=False
        )
    if not every_event:
        names = sorted({name for metric in of or question.counted for name in metric.events})
        piece = piece.where(bound_in("event.event", names), copy=False)
    return piece


def bound_in(column: str, names: list[str]) -> exp.Expr:
    """A column among texts."""
    return exp.In(
        this=exp.maybe_parse(column), expressions=[exp.convert(each) for each in names] or [exp.null()]
    )


def needs_every_event(question: Question) -> bool:
    """Whether events that no metric names matter, too."""
    return bool(question.back) or question.historic or any(each.counts_any_event for each in question.counted)


def gathered(question: Question) -> exp.Select:
    """What each unit's events come to, for the units that have any."""
    events = taken(question, every_event=needs_every_event(question), before=True)
    piece = filled(
        "SELECT unit, COUNT(*) AS events, MAX(occurred_at) AS last_at FROM taken GROUP BY unit"
    ).from_(events.subquery("taken"), copy=False)
    for place, metric in enumerate(question.counted):
        piece = selected(piece, _gains(question, place, metric))
    if question.back:
        seen = bound("MAX(CASE WHEN age < 0 AND age >= :back THEN 1 ELSE 0 END)", back=-question.back)
        piece = piece.select(seen.as_("seen"), copy=False)
    if question.historic:
        piece = selected(piece, _past())
    return piece


def _gains(question: Question, place: int, metric: MetricDraft) -> Iterator[tuple[exp.Expr, str]]:
    if may_be_unreadable(metric):
        yield _unreadable(metric), f"u{place}"
    if has_own_piece(metric) or per_event(metric):
        return
    yield gain(metric, hit(metric)), f"g{place}"
    if metric.kind == "time_to_event" or question.by_first(metric):
        yield exp.Min(this=when(hit(metric), _AGE)), f"t{place}"
    if metric.key in question.before_keys:
        yield gain(metric, hit_before(metric, question.back)), f"b{place}"


def gain(metric: MetricDraft, hits: exp.Expr) -> exp.Expr:
    """What the events that hit a metric come to."""
    if metric.kind not in ("mean", "quantile"):
        return total(when(hits, real(1), zero()))
    match metric.aggregation:
        case "sum":
            return total(when(hits, exp.func("COALESCE", amount(metric), zero()), zero()))
        case "count":
            return total(when(hits, real(1), zero()))
        case "max":
            return exp.Max(this=when(hits, amount(metric)))
        case "count_distinct":
            return _distinct(when(hits, _identity(metric)))
        case "days":
            return _distinct(when(hits, age_in_days()))
    raise ValueError(f"{metric.key}: {metric.aggregation} is no sum over single events")


def _distinct(value: exp.Expr) -> exp.Expr:
    return real(exp.Count(this=exp.Distinct(expressions=[value])))


def age_in_days() -> exp.Expr:
    """Whole days since the exposure."""
    return exp.cast(exp.Floor(this=exp.Div(this=_AGE.copy(), expression=DAY_MS_REAL.copy())), "BIGINT")


def named(metric: MetricDraft) -> exp.Expr:
    """Whether an event has a name that the metric counts."""
    if metric.counts_any_event:
        return exp.true()
    if len(metric.events) > 1:
        return bound_in("event", list(metric.events))
    return exp.column("event").eq(metric.events[0])


def hit(metric: MetricDraft) -> exp.Expr:
    """Whether an event counts for a metric after the exposure."""
    first, last = reach(metric)
    conditions = [*fits(metric), bound("age >= :first", first=first)]
    if last is not None:
        conditions.append(bound("age < :last", last=last))
    return both(*conditions)


def hit_before(metric: MetricDraft, back: int) -> exp.Expr:
    """Whether an event counts for a metric's covariate."""
    return both(*fits(metric), bound("age < 0 AND age >= :back", back=-back))


def fits(metric: MetricDraft) -> Iterator[exp.Expr]:
    """The conditions under which an event counts for a metric, whenever it happened."""
    yield named(metric)
    if metric.where is not None:
        yield holds(condition_from_json(metric.where), _property)
        for path in sorted(set(numeric_paths(condition_from_json(metric.where)))):
            yield exp.not_(exp.paren(_not_a_number(path)))
    if reads_number(metric) and metric.value != "value":
        yield exp.not_(exp.paren(_not_a_number(metric.value)))
    if not adds(metric) and reads_number(metric):
        yield amount(metric).is_(exp.null()).not_()


def adds(metric: MetricDraft) -> bool:
    """Whether an event without a value counts as one of nought."""
    return metric.kind == "mean" and metric.aggregation == "sum"


def reads_number(metric: MetricDraft) -> bool:
    """Whether the value of events matters, and is a number."""
    return metric.kind == "quantile" or (
        metric.kind == "mean" and metric.aggregation in ("sum", "max", "last")
    )


def reads_value(metric: MetricDraft) -> bool:
    """Whether the metric adds up the value that an event carries by itself, and not one of its properties."""
    return reads_number(metric) and metric.value == "value"


def may_be_unreadable(metric: MetricDraft) -> bool:
    """Whether an event may have something else where the metric needs a number."""
    by_value = reads_number(metric) and metric.value != "value"
    return by_value or (metric.where is not None and any(numeric_paths(condition_from_json(metric.where))))


def _unreadable(metric: MetricDraft) -> exp.Expr:
    """Events of the metric that have something else where it needs a number."""
    first, last = reach(metric)
    conditions = [unlike_number(metric), bound("age >= :first", first=first)]
    if last is not None:
        conditions.append(bound("age < :last", last=last))
    return total(when(both(*conditions), real(1), zero()))


def unlike_number(metric: MetricDraft) -> exp.Expr:
    """Whether an event of the metric has something else where it needs a number."""
    needed = set(numeric_paths(condition_from_json(metric.where))) if metric.where is not None else set()
    if reads_number(metric) and metric.value != "value":
        needed.add(metric.value)
    return both(named(metric), exp.paren(exp.or_(*(_not_a_number(path) for path in sorted(needed)))))


def _not_a_number(path: str) -> exp.Expr:
    text = _property(path)
    readable = exp.func("COALESCE", number_of(text).is_(exp.null()).not_(), exp.false())
    return exp.and_(text.is_(exp.null()).not_(), exp.not_(exp.paren(readable)))


def amount(metric: MetricDraft) -> exp.Expr:
    """The number that an event carries; null for one that is too large to be added up.

    Our own doors let none in, but a warehouse may hold it, and one of them would spoil every sum.
    """
    if metric.value != "value":
        return number_of(_property(metric.value))
    return exp.Case().when(exp.not_(exp.paren(too_large(_VALUE))), _VALUE.copy())


def too_large(value: exp.Expr) -> exp.Expr:
    """Whether a number is beyond what can be added up; so is one that is no number at all."""
    most, least = real(LARGEST_NUMBER), real(-LARGEST_NUMBER)
    return exp.or_(exp.GT(this=value.copy(), expression=most), exp.LT(this=value.copy(), expression=least))


def _identity(metric: MetricDraft) -> exp.Expr:
    return _VALUE.copy() if metric.value == "value" else _property(metric.value)


def _property(path: str) -> exp.Expr:
    return text_at(exp.column("properties"), path)


def _past() -> Iterator[tuple[exp.Expr, str]]:
    """What lifecycle and RFM segments need of the time before the exposure."""
    yield sqlglot.parse_one("MAX(CASE WHEN age < 0 THEN age END)"), "last_seen"
    yield sqlglot.parse_one("SUM(CASE WHEN age < 0 THEN 1 ELSE 0 END)"), "often"
    yield sqlglot.parse_one("SUM(CASE WHEN age < 0 THEN value ELSE 0 END)"), "spent"


def own_piece(question: Question, metric: MetricDraft) -> exp.Select:
    """What a metric that needs more than sums comes to, for the units that have any."""
    if metric.kind == "funnel":
        return _funnel(question, metric)
    return _sessions(question, metric) if metric.aggregation == "sessions" else _last(question, metric)


def _hits(question: Question, metric: MetricDraft, *columns: exp.Expr) -> exp.Subquery:
    """The events that hit a metric, before the exposure too where they become a covariate."""
    back = question.back if metric.key in question.before_keys else 0
    events = taken(question, every_event=metric.counts_any_event, before=back > 0)
    counted = exp.or_(hit(metric), hit_before(metric, back)) if back else hit(metric)
    piece = exp.select("unit", "arm", "age", *columns).from_(events.subquery("taken")).where(counted)
    return piece.subquery("hits")


def _before_and_after(
    question: Question, metric: MetricDraft, value: exp.Expr
) -> Iterator[tuple[exp.Expr, str]]:
    first, _ = reach(metric)
    yield total(when(bound("age >= :first", first=first), value, zero())), "g"
    if metric.key in question.before_keys:
        yield total(when(bound("age < 0"), value, zero())), "b"


def _sessions(question: Question, metric: MetricDraft) -> exp.Select:
    """A session begins with an event after a pause, and at the exposure."""
    starts = bound(
        """
        CASE WHEN age - LAG(age) OVER (
            PARTITION BY unit, CASE WHEN age < 0 THEN 0 ELSE 1 END ORDER BY age
        ) <= :gap THEN 0.0 ELSE 1.0 END
        """,
        gap=question.gap,
    )
    inner = exp.select("unit", "age", starts.as_("starts")).from_(_hits(question, metric))
    piece = exp.select("unit").from_(inner.subquery("begun")).group_by("unit")
    return selected(piece, _before_and_after(question, metric, real(exp.column("starts"))))


def _last(question: Question, metric: MetricDraft) -> exp.Select:
    """The value of the latest event; of several at one moment the largest."""
    place = sqlglot.parse_one(
        """
        ROW_NUMBER() OVER (
            PARTITION BY unit, CASE WHEN age < 0 THEN 0 ELSE 1 END ORDER BY age DESC, amount DESC
        )
        """
    )
    inner = exp.select("unit", "age", "amount", place.as_("place")).from_(
        _hits(question, metric, amount(metric).as_("amount"))
    )
    piece = exp.select("unit").from_(inner.subquery("latest")).where("place = 1").group_by("unit")
    return selected(piece, _before_and_after(question, metric, exp.column("amount")))


def _funnel(question: Question, metric: MetricDraft) -> exp.Select:
    """When each step was first reached in its order; steps at one moment are in order."""
    source = _hits(question, metric, exp.column("event"))
    for place, name in enumerate(metric.steps):
        reached: list[exp.Expr] = [exp.column("event").eq(name)]
        if place:
            reached.append(exp.column(f"r{place - 1}").is_(exp.null()).not_())
        first = exp.Window(
            this=exp.Min(this=when(both(*reached), _AGE)),
            partition_by=[exp.column("unit")],
            order=exp.Order(expressions=[exp.Ordered(this=_AGE.copy(), nulls_first=True)]),
        )
        earlier = [f"r{each}" for each in range(place)]
        source = (
            exp.select("unit", "age", "event", *earlier, first.as_(f"r{place}"))
            .from_(source)
            .subquery(f"step{place}")
        )
    piece = exp.select("unit").from_(source).group_by("unit")
    for place, _ in enumerate(metric.steps):
        reached_at = exp.Max(this=when(exp.column(f"r{place}").is_(exp.null()).not_(), real(1), zero()))
        piece = piece.select(reached_at.as_(f"g{place}"), copy=False)
    return piece
