"""Values: one row per unit with each metric's number, capped, beside what was known before the exposure."""

from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.gathering import has_own_piece, per_event
from experiments.observe.question import DAY_MS, Question
from experiments.observe.sql import bound, filled, minus, product, real, selected, when, zero
from experiments.observe.units import attribute_segments

ACTIVE, DORMANT = 7 * DAY_MS, 30 * DAY_MS
"""A unit last seen within a week is active, within a month dormant, and lapsed after that."""

RECENT = 14 * DAY_MS
OFTEN = 4


def totals(question: Question) -> exp.Select:
    """Each unit's values before capping; nought for a unit to which nothing happened."""
    piece = filled(
        """
        SELECT units.unit, units.arm, units.first_at, COALESCE(gathered.events, 0) AS events
        FROM units LEFT JOIN gathered ON gathered.unit = units.unit
        """
    )
    for place, metric in enumerate(question.counted):
        if per_event(metric):
            continue
        if has_own_piece(metric):
            own = exp.to_table(f"piece{place}")
            piece = piece.join(own, on=f"piece{place}.unit = units.unit", join_type="left", copy=False)
        piece = selected(piece, _values(question, place, metric))
    if question.back:
        piece = selected(
            piece, [(exp.func("COALESCE", exp.column("seen", "gathered"), exp.convert(0)), "seen")]
        )
    return _with_segments(question, piece)


def _values(question: Question, place: int, metric: MetricDraft) -> Iterator[tuple[exp.Expr, str]]:
    source = f"piece{place}" if has_own_piece(metric) else "gathered"
    if metric.kind == "funnel":
        for step, _ in enumerate(metric.steps):
            yield _or_nought(exp.column(f"g{step}", source)), f"x{place}_{step}"
        return
    name = "g" if has_own_piece(metric) else f"g{place}"
    yield level(metric, _or_nought(exp.column(name, source))), f"x{place}"
    if metric.kind == "time_to_event" or question.by_first(metric):
        yield exp.column(f"t{place}", "gathered"), f"t{place}"
    if metric.key in question.before_keys:
        name = "b" if has_own_piece(metric) else f"b{place}"
        # Unknown, not nought, for a unit that was never seen before.
        known = _or_nought(exp.column(name, source))
        yield when(exp.column("seen", "gathered").eq(1), level(metric, known, lost=False)), f"b{place}"


def _or_nought(value: exp.Expr) -> exp.Expr:
    return exp.func("COALESCE", value, zero())


def level(metric: MetricDraft, reached: exp.Expr, *, lost: bool | None = None) -> exp.Expr:
    """A unit's number from what its events came to."""
    match metric.kind:
        case "mean":
            return reached if metric.scale == 1 else product(reached, real(metric.scale))
        case "retention" if metric.lost if lost is None else lost:
            return when(exp.GT(this=reached, expression=zero()), zero(), real(1))
        case "proportion" | "retention" | "time_to_event":
            enough = exp.GTE(this=reached, expression=real(metric.at_least))
            return when(enough, real(1), zero())
    return reached


def labels(question: Question) -> exp.Select:
    """The value of each segment for every unit."""
    piece = filled("SELECT units.unit FROM units")
    if question.historic:
        piece = piece.join("gathered", on="gathered.unit = units.unit", join_type="left", copy=False)
    return _with_segments(question, piece)


def _with_segments(question: Question, piece: exp.Select) -> exp.Select:
    if attribute_segments(question):
        piece = piece.join(
            exp.to_table("told_apart"), on="told_apart.unit = units.unit", join_type="left", copy=False
        )
    for place, name in enumerate(question.segments):
        match name:
            case "lifecycle":
                value = _lifecycle()
            case "rfm":
                value = _rfm()
            case _ if name in question.beside:
                own = f"beside{place}"
                piece = piece.join(
                    exp.to_table(own), on=f"{own}.unit = units.unit", join_type="left", copy=False
                )
                value = exp.column("variant", own)
            case _:
                value = exp.column(f"s{place}", "told_apart")
        piece = piece.select(value.as_(f"s{place}"), copy=False)
    return piece


def _lifecycle() -> exp.Expr:
    return bound(
        """
        CASE WHEN gathered.last_seen IS NULL THEN 'new' WHEN gathered.last_seen >= :active THEN 'active'
             WHEN gathered.last_seen >= :dormant THEN 'dormant' ELSE 'lapsed' END
        """,
        active=-ACTIVE,
        dormant=-DORMANT,
    )


def _rfm() -> exp.Expr:
    """A letter each for recent, frequent and money; ``none`` without any of them."""
    held = {
        "R": bound("gathered.last_seen >= :recent", recent=-RECENT),
        "F": bound("gathered.often >= :often", often=OFTEN),
        "M": sqlglot.condition("gathered.spent > 0"),
    }
    case = exp.Case().when("gathered.last_seen IS NULL", exp.Literal.string("new"))
    for letters in ("RFM", "RF", "RM", "FM", "R", "F", "M"):
        case = case.when(exp.and_(*(held[each].copy() for each in letters)), exp.Literal.string(letters))
    return case.else_(exp.Literal.string("none"))


def capped(question: Question) -> list[int]:
    """Places of the metrics that have a cap."""
    return [place for place, metric in enumerate(question.counted) if metric.cap is not None]


def limit(question: Question, place: int) -> exp.Select:
    """A metric's cap: the quantile of all units' values, between the two that it lies between."""
    cap = question.counted[place].cap
    # A cap cuts off what is large; below zero it would move units to which nothing happened.
    return filled(
        """
        SELECT GREATEST(COALESCE(SUM(CASE
            WHEN place = FLOOR(wanted) THEN value * (1 - (wanted - FLOOR(wanted)))
            WHEN place = FLOOR(wanted) + 1 THEN value * (wanted - FLOOR(wanted)) END), 0), 0) AS cap
        FROM (
            SELECT :value AS value, ROW_NUMBER() OVER (ORDER BY :value) - 1 AS place,
                   (COUNT(*) OVER () - 1) * :quantile AS wanted
            FROM totals
        ) AS ranked
        """,
        value=exp.column(f"x{place}"),
        quantile=real(cap.quantile if cap else 1),
    )


def valued(question: Question) -> exp.Select:
    """The values after capping."""
    with_cap = capped(question)
    piece = exp.select("totals.unit", "totals.arm", "totals.first_at", "totals.events").from_("totals")
    for place in with_cap:
        piece = piece.join(exp.to_table(f"limit{place}"), join_type="cross", copy=False)
    for name in names(question):
        value: exp.Expr = exp.column(name, "totals")
        if name in {f"x{place}" for place in with_cap}:
            value = exp.func("LEAST", value, exp.column("cap", f"limit{name[1:]}"))
        piece = piece.select(value.as_(name), copy=False)
    return piece


def names(question: Question) -> Iterator[str]:
    """The columns of the values beside those of the unit."""
    for place, metric in enumerate(question.counted):
        if per_event(metric):
            continue
        if metric.kind == "funnel":
            yield from (f"x{place}_{step}" for step, _ in enumerate(metric.steps))
            continue
        yield f"x{place}"
        if metric.kind == "time_to_event" or question.by_first(metric):
            yield f"t{place}"
        if metric.key in question.before_keys:
            yield f"b{place}"
    if question.back:
        yield "seen"
    yield from (f"s{place}" for place, _ in enumerate(question.segments))


def centres(question: Question) -> exp.Select:
    """The middle of each value, around which sums of squares are taken, and its spread.

    Over the units whose window has passed: one that has not may hold a value far from all that count.
    """
    piece = filled("SELECT COUNT(*) AS pooled FROM valued")
    for name in names(question):
        if name.startswith("b") or name == "seen":
            piece = selected(piece, [(_or_nought(exp.Avg(this=exp.column(name))), f"{name}_middle")])
        if name.startswith("x"):
            metric = question.counted[int(name[1:].partition("_")[0])]
            counts = bound("first_at <= :latest", latest=question.horizon - question.span(metric))
            value = when(counts, exp.column(name)) if question.span(metric) else exp.column(name)
            piece = selected(
                piece,
                [
                    (_or_nought(exp.Avg(this=value.copy())), f"{name}_middle"),
                    (_or_nought(exp.StddevPop(this=value.copy())), f"{name}_spread"),
                ],
            )
    return piece


def columns_of(question: Question, metric: MetricDraft) -> tuple[list[str], list[str]]:
    """The columns of a metric's own variables, and of what was known before."""
    place_of = {each.key: place for place, each in enumerate(question.counted)}
    known = [f"b{place_of[key]}" for key in question.predecessors(metric)]
    if metric.kind == "funnel":
        own = [f"x{place_of[metric.key]}_{step}" for step, _ in enumerate(metric.steps)]
    else:
        own = [f"x{place_of[part.key]}" for part in question.parts(metric)]
    return own, [*known, "seen"] if known else []


def variables(question: Question, metric: MetricDraft) -> list[tuple[exp.Expr, exp.Expr]]:
    """A metric's variables, each as it is and as its distance from its middle."""
    own, known = columns_of(question, metric)
    found: list[tuple[exp.Expr, exp.Expr]] = [(exp.column(name, "valued"), _distance(name)) for name in own]
    for name in known[:-1]:
        value, middle = exp.column(name, "valued"), exp.column(f"{name}_middle", "centres")
        found.append((exp.func("COALESCE", value, middle), exp.func("COALESCE", _distance(name), zero())))
    if known:
        found.append((real(exp.column("seen", "valued")), _distance("seen")))
    return found


def _distance(name: str) -> exp.Expr:
    return minus(exp.column(name, "valued"), exp.column(f"{name}_middle", "centres"))
