"""Samples: what quantiles, curves of what lasts and credits need beyond one number per unit."""

from collections.abc import Iterator

from sqlglot import exp

from analysis.quantiles import Z
from experiments.metrics import MetricDraft
from experiments.observe.answers import matured, row
from experiments.observe.gathering import amount, hit, per_event, taken
from experiments.observe.question import Question, reach
from experiments.observe.sql import both, bound, filled, product, real, when

GRID = 1_000
"""Distinct times of a curve of what lasts: more than can be drawn."""


def quantile_metrics(question: Question) -> list[tuple[int, MetricDraft]]:
    """The metrics of that kind, with their places."""
    return [(place, each) for place, each in enumerate(question.counted) if each.kind == "quantile"]


def sample(question: Question, place: int, metric: MetricDraft) -> exp.Select:
    """The values that a quantile is taken of, those of one variant in a row."""
    if per_event(metric):
        events = taken(question, every_event=False, before=False)
        old = bound("first_at <= :latest", latest=question.horizon - question.span(metric))
        inner = exp.select("unit", "arm", amount(metric).as_("value")).from_(events.subquery("taken"))
        inner = inner.where(hit(metric), old)
    else:
        inner = exp.select("unit", "arm", exp.column(f"x{place}").as_("value")).from_("valued")
        inner = inner.where(matured(question, metric))
    return filled(
        """
        SELECT unit, arm, value, ROW_NUMBER() OVER (PARTITION BY arm ORDER BY value) - 1 AS place,
               COUNT(*) OVER (PARTITION BY arm) AS whole
        FROM drawn
        """
    ).from_(inner.subquery("drawn"), copy=False)


def cut_sample(place: int, segment: int) -> exp.Select:
    """The same values, those of one variant and one value of a segment in a row.

    ``cell`` numbers the segment's values: a missing one cannot be joined by.
    """
    return filled(
        """
        SELECT unit, arm, value, label, cell,
               ROW_NUMBER() OVER (PARTITION BY arm, cell ORDER BY value) - 1 AS place,
               COUNT(*) OVER (PARTITION BY arm, cell) AS whole
        FROM (
            SELECT drawn.unit, drawn.arm, drawn.value, :label AS label,
                   DENSE_RANK() OVER (ORDER BY :label) AS cell
            FROM :sample AS drawn JOIN valued ON valued.unit = drawn.unit
        ) AS told
        """,
        label=exp.column(f"s{segment}", "valued"),
        sample=exp.to_table(f"sample{place}"),
    )


def levels_of(source: str, metric: MetricDraft, *, cut: bool = False) -> exp.Select:
    """The quantile and its neighbours at Woodruff's levels, between the two values that each lies between.

    Parameters
    ----------
    source
        The piece with the values.
    cut
        Whether they are told apart by a segment, too.
    """
    quantile = metric.quantile or 0.5
    step = bound(":z * SQRT(:q * (1 - :q) / whole)", z=real(Z), q=real(quantile))
    wanted = {
        "middle": real(quantile),
        "low": exp.func("GREATEST", exp.Sub(this=real(quantile), expression=step.copy()), real(0)),
        "high": exp.func("LEAST", exp.Add(this=real(quantile), expression=step.copy()), real(1)),
    }
    piece = exp.select("arm", "MAX(whole) AS whole").from_(source).group_by("arm")
    if cut:
        piece = piece.select("cell", "MAX(label) AS label").group_by("cell")
    for name, at in wanted.items():
        piece = piece.select(_between(product(bound("whole - 1"), at)).as_(name), copy=False)
    return piece


def _between(wanted: exp.Expr) -> exp.Expr:
    """The value at a place that lies between two whole ones."""
    low = exp.Floor(this=wanted.copy())
    share = exp.paren(exp.Sub(this=wanted.copy(), expression=low.copy()))
    place = exp.column("place")
    rest = exp.paren(exp.Sub(this=exp.Literal.number(1), expression=share.copy()))
    case = exp.Case().when(
        exp.EQ(this=place.copy(), expression=low.copy()), product(exp.column("value"), rest)
    )
    above = exp.EQ(this=place.copy(), expression=exp.Add(this=low.copy(), expression=exp.Literal.number(1)))
    return exp.Sum(this=case.when(above, product(exp.column("value"), share)))


def quantile_rows(place: int, metric: MetricDraft, segment: int | None = None) -> Iterator[exp.Select]:
    """The quantile with its neighbours; and how many values of each unit lie below it.

    Of the second the numbers are the sums of the values below and of all values, and the sums of the three
    products of these counts. In a segment the rows carry its place as their day, and end with the cell.
    """
    tag = f"{place}" if segment is None else f"{place}_{segment}"
    cell = [] if segment is None else [exp.column("cell")]
    told = {} if segment is None else {"day": exp.convert(segment)}
    label = {} if segment is None else {"label": exp.column("label")}
    part = "" if segment is None else "cut_"
    yield row(
        exp.select().from_(f"levels{tag}"),
        f"{part}quantile",
        name=metric.key,
        arm=exp.column("arm"),
        n=exp.column("whole"),
        numbers=[exp.column("middle"), exp.column("low"), exp.column("high"), *cell],
        **told,
        **label,
    )
    below, whole = real(exp.column("below")), real(exp.column("whole"))
    pairs = ((below, below), (below, whole), (whole, whole))
    numbers = [exp.Sum(this=below), exp.Sum(this=whole)]
    numbers += [exp.Sum(this=product(left, right)) for left, right in pairs]
    keys = ["arm", *(["cell"] if cell else [])]
    yield row(
        exp.select().from_(_below(tag, keys).subquery("clusters")).group_by(*keys),
        f"{part}cluster",
        name=metric.key,
        arm=exp.column("arm"),
        numbers=[*numbers, *cell],
        **told,
    )


def _below(tag: str, keys: list[str]) -> exp.Select:
    """How many values of each unit lie below the quantile, and how many it has."""
    under = exp.LTE(this=exp.column("value", "drawn"), expression=exp.column("middle", "levels"))
    below_it = exp.Sum(this=when(under, exp.convert(1), exp.convert(0)))
    joined = both(*(exp.column(key, "levels").eq(exp.column(key, "drawn")) for key in keys))
    return (
        exp.select(
            "drawn.unit", *(f"drawn.{key}" for key in keys), "COUNT(*) AS whole", below_it.as_("below")
        )
        .from_(exp.to_table(f"sample{tag}").as_("drawn"))
        .join(exp.to_table(f"levels{tag}").as_("levels"), on=joined)
        .group_by("drawn.unit", *(f"drawn.{key}" for key in keys))
    )


def lifetable_rows(
    question: Question, place: int, metric: MetricDraft, segment: int | None = None
) -> exp.Select:
    """Units by how long they went without the event: to how many it then happened, how many were lost.

    The day is the time, in milliseconds, on a grid of a thousandth of the window. In a segment the last
    number is the segment's place.
    """
    window = reach(metric)[1] or 1
    event = exp.column(f"t{place}")
    lasted = exp.func("LEAST", bound(":horizon - first_at", horizon=question.horizon), exp.convert(window))
    grid = max(1, window // GRID)
    time = exp.func("COALESCE", event, lasted)
    cell = exp.cast(
        exp.Floor(this=exp.Div(this=exp.paren(time), expression=exp.Literal.number(f"{grid}.0"))), "BIGINT"
    )
    day = exp.Mul(this=cell, expression=exp.convert(grid))
    happened = when(event.is_(exp.null()), exp.convert(0), exp.convert(1))
    lost = when(event.is_(exp.null()), exp.convert(1), exp.convert(0))
    label = None if segment is None else exp.column(f"s{segment}")
    groups = [exp.column("arm"), day.copy(), *([] if label is None else [label.copy()])]
    return row(
        exp.select().from_("valued").group_by(*groups),
        "lifetable" if segment is None else "cut_lifetable",
        name=metric.key,
        label=label,
        arm=exp.column("arm"),
        day=day,
        numbers=[
            exp.Sum(this=happened),
            exp.Sum(this=lost),
            *([] if segment is None else [exp.convert(segment)]),
        ],
    )
