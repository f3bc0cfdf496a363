"""Curves: how metrics grow day by day, and what units do on each day of their lives after the exposure.

A cell is what the events of one unit on one day come to. The level of a metric after a cell is that of all
cells so far; a day's steps are the differences that its cells make to the sums over all units.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.answers import joined, row
from experiments.observe.gathering import age_in_days, gain, hit, taken
from experiments.observe.question import ADDING, DAY_MS, Question
from experiments.observe.sql import bound, day_of, minus, product, real, selected, when, zero
from experiments.observe.values import level, variables

LONGEST_LIFE = 92
"""Days since the exposure beyond which no curve is drawn."""


def running(question: Question) -> list[MetricDraft]:
    """The metrics whose level is followed cell by cell."""
    return [metric for metric in question.metrics if question.runs(metric) and not question.by_first(metric)]


def aged(question: Question) -> list[MetricDraft]:
    """The metrics that are followed over the days of units' lives."""
    return [
        metric
        for metric in question.metrics
        if metric.key in question.aged
        and all(
            part.kind == "proportion" or (part.kind == "mean" and part.aggregation in ADDING)
            for part in question.parts(metric)
        )
    ]


def followed(question: Question, metrics: list[MetricDraft]) -> list[int]:
    """Places of the counted metrics that some metrics are made of."""
    keys = {part.key for metric in metrics for part in question.parts(metric)}
    return [place for place, metric in enumerate(question.counted) if metric.key in keys]


def cells(question: Question) -> exp.Select:
    """What the events of each unit on each calendar day come to."""
    metrics = [question.counted[place] for place in followed(question, running(question))]
    events = taken(question, every_event=False, before=False, of=metrics).subquery("taken")
    day = day_of("occurred_at")
    piece = exp.select("unit", "arm", day.as_("day")).from_(events).group_by("unit", "arm", day.copy())
    for place in followed(question, running(question)):
        metric = question.counted[place]
        piece = piece.select(gain(metric, hit(metric)).as_(f"g{place}"), copy=False)
    return piece


def so_far(question: Question) -> exp.Select:
    """What a unit's cells come to up to each of them, and before it, and the cell's place among them."""
    piece = exp.select("unit", "arm", "day").from_("cells")
    number = exp.Window(this=exp.RowNumber(), partition_by=[exp.column("unit")], order=_by_day())
    piece = piece.select(number.as_("place"), copy=False)
    for place in followed(question, running(question)):
        for name, reached in _around(question.counted[place], place):
            piece = piece.select(reached.as_(f"{name}{place}"), copy=False)
    return piece


def levels(question: Question) -> exp.Select:
    """Each metric's level after a cell and before it, counted once and capped, and the cell's place."""
    piece = exp.select("so_far.unit", "so_far.arm", "so_far.day", "so_far.place").from_("so_far")
    for place in followed(question, running(question)):
        metric = question.counted[place]
        if metric.cap is not None:
            piece = piece.join(exp.to_table(f"limit{place}"), join_type="cross", copy=False)
        for name in ("after", "before"):
            reached = exp.column(f"{name}{place}", "so_far")
            value = level(metric, exp.func("COALESCE", reached, zero()))
            if metric.cap is not None:
                value = exp.func("LEAST", value, exp.column("cap", f"limit{place}"))
            piece = piece.select(value.as_(f"{name}{place}"), copy=False)
    return piece


def _around(metric: MetricDraft, place: int) -> Iterator[tuple[str, exp.Expr]]:
    """What the cells up to one come to, and those before it."""
    gained = exp.column(f"g{place}")
    if metric.kind == "mean" and metric.aggregation == "max":
        yield "after", _over(exp.Max(this=gained.copy()))
        yield "before", _over(exp.Max(this=gained.copy()), exp.Literal.number(1))
        return
    # One window for both: sorting is what they cost.
    so_far = _over(exp.Sum(this=gained.copy()))
    yield "after", so_far
    yield "before", minus(so_far, gained)


def _over(so_far: exp.Expr, ahead: exp.Expr | None = None) -> exp.Expr:
    spec = exp.WindowSpec(
        kind="ROWS",
        start="UNBOUNDED",
        start_side="PRECEDING",
        end=ahead or "CURRENT ROW",
        end_side="PRECEDING" if ahead else None,
    )
    return exp.Window(this=so_far, partition_by=[exp.column("unit")], order=_by_day(), spec=spec)


def _by_day() -> exp.Order:
    return exp.Order(expressions=[exp.Ordered(this=exp.column("day"), nulls_first=True)])


def step_rows(question: Question, bundle: Sequence[MetricDraft]) -> exp.Select:
    """What each day's cells add to some metrics: units with a level at all (n), and each one's numbers."""
    piece = exp.select().from_("levels").join("centres", join_type="cross")
    if any(question.predecessors(metric) for metric in bundle):
        piece = piece.join(exp.to_table("valued"), on="valued.unit = levels.unit", copy=False)
    first = exp.column("place", "levels").eq(1)
    return row(
        piece.group_by("levels.arm", "levels.day"),
        "step",
        name=joined(bundle),
        arm=exp.column("arm", "levels"),
        day=exp.column("day", "levels"),
        n=exp.Sum(this=when(first, exp.convert(1), exp.convert(0))),
        numbers=[number for metric in bundle for number in _steps(question, metric, first)],
    )


def _steps(question: Question, metric: MetricDraft, first: exp.Expr) -> Iterator[exp.Expr]:
    """Of a metric's k own variables and c covariates.

    The sums of levels (k), the sums of products of levels around their middles (pairs of k), the sums of
    products with the covariates (k · c), and the covariates' sums over the units that got a level (c).
    """
    place_of = {each.key: place for place, each in enumerate(question.counted)}
    own = [place_of[part.key] for part in question.parts(metric)]
    known = [distance for _, distance in variables(question, metric)[len(own) :]]
    for place in own:
        yield exp.Sum(this=minus(_at("after", place), _at("before", place)))
    for left, right in combinations_with_replacement(own, 2):
        now, then = (product(_off(name, left), _off(name, right)) for name in ("after", "before"))
        yield exp.Sum(this=minus(now, when(first, zero(), then)))
    for place in own:
        for distance in known:
            now, then = (product(_off(name, place), distance) for name in ("after", "before"))
            yield exp.Sum(this=minus(now, when(first, zero(), then)))
    for distance in known:
        yield exp.Sum(this=when(first, distance, zero()))


def first_rows(question: Question, metric: MetricDraft) -> exp.Select:
    """The same for a metric that is nought until its event happens first, and one from then on."""
    place = {each.key: place for place, each in enumerate(question.counted)}[metric.key]
    happened = exp.column(f"t{place}", "valued")
    day = day_of(exp.Add(this=exp.column("first_at", "valued"), expression=happened.copy()))
    (_, off), *known = variables(question, metric)
    numbers: list[exp.Expr] = [exp.Sum(this=real(1)), exp.Sum(this=product(off, off))]
    numbers += [exp.Sum(this=product(off, distance)) for _, distance in known]
    numbers += [exp.Sum(this=distance.copy()) for _, distance in known]
    piece = exp.select().from_("valued").join("centres", join_type="cross")
    return row(
        piece.where(happened.is_(exp.null()).not_()).group_by("valued.arm", day.copy()),
        "step",
        name=metric.key,
        arm=exp.column("arm", "valued"),
        day=day,
        numbers=numbers,
    )


def _at(name: str, place: int) -> exp.Expr:
    return exp.column(f"{name}{place}", "levels")


def _off(name: str, place: int) -> exp.Expr:
    return minus(_at(name, place), exp.column(f"x{place}_middle", "centres"))


def gained(question: Question) -> exp.Select:
    """What the events of each unit on each whole day of its life come to."""
    events = taken(question, every_event=True, before=False).subquery("taken")
    age = age_in_days()
    whole = bound("(:age + 1) * :day <= :horizon - first_at", age=age, day=DAY_MS, horizon=question.horizon)
    young = bound("age < :longest", longest=LONGEST_LIFE * DAY_MS)
    piece = exp.select("unit", "arm", age.as_("day")).from_(events).where(whole, young)
    piece = piece.group_by("unit", "arm", age.copy())
    for place in followed(question, aged(question)):
        metric = question.counted[place]
        piece = piece.select(gain(metric, hit(metric)).as_(f"g{place}"), copy=False)
    return piece


def lived(question: Question) -> exp.Select:
    """Each metric's level of what a unit gained on each day of its life."""
    piece = exp.select("unit", "arm", "day").from_("gained")
    for place in followed(question, aged(question)):
        value = level(question.counted[place], exp.func("COALESCE", exp.column(f"g{place}"), zero()))
        piece = piece.select(value.as_(f"x{place}"), copy=False)
    return piece


def lived_middles(question: Question) -> exp.Select:
    """The middle of what units gain on the days on which anything happens to them."""
    piece = exp.select("COUNT(*) AS pooled").from_("lived")
    columns = (
        (exp.func("COALESCE", exp.Avg(this=exp.column(f"x{place}")), zero()), f"x{place}_middle")
        for place in followed(question, aged(question))
    )
    return selected(piece, columns)


def age_rows(question: Question, metric: MetricDraft) -> Iterator[exp.Select]:
    """Units with events on each day of life (n), sums of what they gained, and of products."""
    place_of = {each.key: place for place, each in enumerate(question.counted)}
    own = [place_of[part.key] for part in question.parts(metric)]
    values = [exp.column(f"x{place}", "lived") for place in own]
    middles = [exp.column(f"x{place}_middle", "lived_middles") for place in own]
    distances = [minus(value, middle) for value, middle in zip(values, middles, strict=True)]
    numbers = [exp.Sum(this=value.copy()) for value in values]
    numbers += [
        exp.Sum(this=product(left, right)) for left, right in combinations_with_replacement(distances, 2)
    ]
    piece = exp.select().from_("lived").join("lived_middles", join_type="cross")
    yield row(
        piece.group_by("lived.arm", "lived.day"),
        "age",
        name=metric.key,
        arm=exp.column("arm", "lived"),
        day=exp.column("day", "lived"),
        numbers=numbers,
    )
    yield row(
        exp.select().from_("lived_middles"), "age_middle", name=metric.key, n=exp.convert(1), numbers=middles
    )


def lives(question: Question) -> exp.Select:
    """Units by variant and how many whole days they have lived."""
    days = exp.cast(
        exp.Floor(
            this=exp.Div(
                this=exp.paren(bound(":horizon - first_at", horizon=question.horizon)),
                expression=exp.Literal.number(f"{DAY_MS}.0"),
            )
        ),
        "BIGINT",
    )
    piece = exp.select().from_("units").group_by("arm", days.copy())
    return row(piece, "life", arm=exp.column("arm"), day=days)
