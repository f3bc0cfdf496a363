"""Answers: the rows that the statement gives back.

Every row has the same columns: which ``part`` of the answer it belongs to, a ``name``, mostly a metric's key,
a ``label``, the place of a variant as ``arm``, a ``day``, a count ``n``, and as many numbers ``v0`` … as the
widest part needs. What the numbers are is said where each part is made.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.gathering import may_be_unreadable, reads_value, too_large
from experiments.observe.question import Question
from experiments.observe.sql import (
    alias,
    both,
    bound,
    day_of,
    filled,
    minus,
    product,
    total,
    typed,
    when,
    whole,
    zero,
)
from experiments.observe.values import variables

BETWEEN = ","
"""Stands between the keys of metrics; no key has one."""

FIXED = ("part", "name", "label", "arm", "day", "n")


def row(
    piece: exp.Select,
    part: str,
    *,
    name: str = "",
    label: exp.Expr | None = None,
    arm: exp.Expr | None = None,
    day: exp.Expr | None = None,
    n: exp.Expr | None = None,
    numbers: Sequence[exp.Expr] = (),
) -> exp.Select:
    """Give a piece the columns of an answer; the numbers are padded when all parts are known."""
    columns = (
        exp.convert(part),
        exp.convert(name),
        typed(label or exp.null(), exp.DType.VARCHAR),
        whole(arm or exp.convert(0)),
        whole(day or exp.null()),
        whole(n or exp.Count(this=exp.Star())),
    )
    chosen = [alias(value, column) for value, column in zip(columns, FIXED, strict=True)]
    chosen += [alias(typed(number, exp.DType.DOUBLE), f"v{place}") for place, number in enumerate(numbers)]
    piece.set("expressions", chosen)
    return piece


def padded(pieces: Sequence[exp.Select]) -> list[exp.Select]:
    """Give all pieces the same number of numbers."""
    width = max(len(piece.expressions) for piece in pieces)
    for piece in pieces:
        for place in range(len(piece.expressions), width):
            missing = typed(exp.null(), exp.DType.DOUBLE)
            piece.append("expressions", alias(missing, f"v{place - len(FIXED)}"))
    return list(pieces)


def arrivals() -> Iterator[exp.Select]:
    """Units by variant and day of their first exposure; and what became of every unit that was recorded."""
    day = day_of("first_at")
    yield row(
        exp.select().from_("units").group_by("arm", day.copy()), "arrival", arm=exp.column("arm"), day=day
    )
    yield row(
        exp.select().from_("sorted_out").group_by("recorded_arm", "first_arm", "fate"),
        "fate",
        arm=exp.column("recorded_arm"),
        day=exp.column("fate"),
        numbers=[exp.column("first_arm"), total(exp.column("exposures")), total(exp.column("unlike"))],
    )
    yield row(exp.select().from_("sorted_out"), "exposure_through", day=exp.Max(this=exp.column("last_at")))


def gathered_events() -> exp.Select:
    """The newest event that was taken, and how many there were."""
    return row(
        exp.select().from_("gathered"),
        "event_through",
        day=exp.Max(this=exp.column("last_at")),
        numbers=[total(exp.column("events"))],
    )


def records(question: Question) -> Iterator[exp.Select]:
    """What is known of the records: those after the horizon, and those without the right id."""
    late_exposures = (
        exp.select()
        .from_("exposure")
        .where(
            exp.column("experiment").eq(question.experiment),
            bound("occurred_at > :horizon", horizon=question.horizon),
        )
    )
    yield row(late_exposures, "future_exposures")
    names = sorted({name for metric in question.counted for name in metric.events})
    if names:
        after = bound("occurred_at > :horizon", horizon=question.horizon)
        named = exp.In(this=exp.column("event"), expressions=[exp.convert(each) for each in names])
        yield row(exp.select().from_("event").where(both(after, named)), "future_events")
    yield from _without_id(question)


def _without_id(question: Question) -> Iterator[exp.Select]:
    other = "anonymous_id" if question.unit_type == "user_id" else "user_id"
    piece = filled(
        """
        SELECT FROM exposure WHERE experiment = :experiment AND :unit IS NULL AND occurred_at <= :horizon
          AND variant IN (:variants) GROUP BY variant
        """,
        experiment=question.experiment,
        unit=exp.column(question.unit_type),
        horizon=question.horizon,
        variants=list(question.variants),
    )
    if question.earliest is not None:
        piece = piece.where(bound("occurred_at >= :earliest", earliest=question.earliest), copy=False)
    piece.set("expressions", [])
    number = exp.Count(this=exp.Distinct(expressions=[exp.column(other)]))
    yield row(
        piece, "without_id", label=exp.column("variant"), n=number, numbers=[exp.Count(this=exp.Star())]
    )


def unreadable(question: Question) -> Iterator[exp.Select]:
    """Events that a metric could not read."""
    for place, metric in enumerate(question.counted):
        if may_be_unreadable(metric):
            yield row(
                exp.select().from_("gathered"),
                "unreadable",
                name=metric.key,
                n=total(exp.column(f"u{place}")),
            )


def beyond_adding(question: Question) -> Iterator[exp.Select]:
    """Events whose value is too large to be added up."""
    names = sorted({metric.event for metric in question.counted if metric.event and reads_value(metric)})
    if names:
        named = exp.In(this=exp.column("event"), expressions=[exp.convert(each) for each in names])
        piece = exp.select().from_("event").where(both(named, exp.paren(too_large(exp.column("value")))))
        yield row(piece.group_by("event"), "too_large", label=exp.column("event"))


def middles(question: Question, metric: MetricDraft) -> exp.Select:
    """The middles around which a metric's products are taken, and the spread of its first variable."""
    if metric.kind == "funnel":
        return row(exp.select().from_("centres"), "middle", name=metric.key, n=exp.convert(1))
    found = [distance.expression for _, distance in _plain(variables(question, metric))]
    spread = exp.column(found[0].name.replace("_middle", "_spread"), "centres")
    return row(
        exp.select().from_("centres"), "middle", name=metric.key, n=exp.convert(1), numbers=[*found, spread]
    )


def _plain(pairs: list[tuple[exp.Expr, exp.Expr]]) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    for value, distance in pairs:
        subtraction = distance.find(exp.Sub)
        if subtraction is not None:
            yield value, subtraction


def sums(question: Question, metric: MetricDraft) -> list[exp.Expr]:
    """Sums of the variables, and of the products of their distances from the middle, pair by pair.

    Steps of a funnel imply the ones before, so their sums say everything.
    """
    pairs = variables(question, metric)
    found: list[exp.Expr] = [exp.Sum(this=value.copy()) for value, _ in pairs]
    if metric.kind == "funnel":
        return found
    for (_, left), (_, right) in combinations_with_replacement(pairs, 2):
        found.append(exp.Sum(this=product(left, right)))
    return found


def matured(question: Question, metric: MetricDraft) -> exp.Expr:
    """Whether a unit counts for a metric: its window has passed."""
    return bound("valued.first_at <= :latest", latest=question.horizon - question.span(metric))


def young(question: Question, metric: MetricDraft) -> exp.Select:
    """Units that are too young for a metric which gives them no number."""
    immature = exp.not_(exp.paren(matured(question, metric)))
    return row(exp.select().from_("valued").where(immature), "young", name=metric.key)


def metric_rows(question: Question, bundle: Sequence[MetricDraft]) -> exp.Select:
    """The sums of some metrics by variant and the day from which units count, null for immature ones."""
    counts_from = bound("valued.first_at + :span", span=question.span(bundle[0]))
    day = exp.Case().when(matured(question, bundle[0]), day_of(counts_from))
    piece = exp.select().from_("valued").join("centres", join_type="cross")
    numbers: list[exp.Expr] = []
    for metric in bundle:
        numbers += sums(question, metric)
        numbers += _shape(question, metric) if metric.kind == "mean" else []
    return row(
        piece.group_by("valued.arm", day.copy()),
        "metric",
        name=joined(bundle),
        arm=exp.column("arm", "valued"),
        day=day,
        numbers=numbers,
    )


def uncapped(question: Question, metric: MetricDraft) -> exp.Select:
    """The sums of a metric's values before its cap, around the middle that they have after it."""
    place = [each.key for each in question.counted].index(metric.key)
    value = exp.column(f"x{place}", "totals")
    distance = minus(value, exp.column(f"x{place}_middle", "centres"))
    old = bound("totals.first_at <= :latest", latest=question.horizon - question.span(metric))
    piece = exp.select().from_("totals").join("centres", join_type="cross").where(old)
    return row(
        piece.group_by("totals.arm"),
        "uncapped",
        name=metric.key,
        arm=exp.column("arm", "totals"),
        numbers=[exp.Sum(this=value.copy()), exp.Sum(this=product(distance, distance))],
    )


def joined(bundle: Sequence[MetricDraft]) -> str:
    """The name of a row that holds the numbers of several metrics, one after the other."""
    return BETWEEN.join(metric.key for metric in bundle)


def _shape(question: Question, metric: MetricDraft) -> list[exp.Expr]:
    """The sum of standardised cubes, which cannot run over, the largest value, and the sum of all."""
    value, distance = variables(question, metric)[0]
    spread = exp.column(value.name + "_spread", "centres")
    standard = exp.Div(this=exp.paren(distance.copy()), expression=spread.copy())
    cube = product(product(standard, standard), standard)
    varies = exp.GT(this=spread.copy(), expression=exp.Literal.number(0))
    nothing = zero()
    return [
        exp.Sum(this=when(varies, cube, nothing)),
        exp.Max(this=exp.Abs(this=value.copy())),
        exp.Sum(this=exp.Abs(this=value.copy())),
    ]


def cut_rows(question: Question, place: int) -> Iterator[exp.Select]:
    """Units and sums for each value of a segment; the day is the segment's place."""
    value, segment = exp.column(f"s{place}", "valued"), exp.convert(place)
    arm = exp.column("arm", "valued")
    grouped = (
        exp.select().from_("valued").join("centres", join_type="cross").group_by(arm.copy(), value.copy())
    )
    yield row(grouped.copy(), "cut_units", label=value.copy(), arm=arm.copy(), day=segment.copy())
    for bundle in question.bundles():
        yield row(
            grouped.where(matured(question, bundle[0])),
            "cut",
            name=joined(bundle),
            label=value.copy(),
            arm=arm.copy(),
            day=segment.copy(),
            numbers=[number for metric in bundle for number in sums(question, metric)],
        )
