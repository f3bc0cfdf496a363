"""Credits: to which channels the conversions of a variant are owed, by five usual rules.

They explain and prove nothing: what a unit touches after its exposure depends on the variant itself.

A touch is an event with a channel, up to thirty days before the conversion; the latest twenty share its
credit. A conversion without any touch is credited to no channel, whatever the rule.
"""

from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.answers import row
from experiments.observe.conditions import text_at
from experiments.observe.gathering import amount, hit, reads_number
from experiments.observe.question import DAY_MS, Question
from experiments.observe.sql import filled, real

TOUCHES = 20
LOOK_BACK = 30 * DAY_MS
HALF_LIFE = 7 * DAY_MS

RULES = ("first", "last", "linear", "time_decay", "position")
"""In the order of the numbers of a row: for each rule the conversions, then for each what they were worth."""


def credit_metric(question: Question) -> MetricDraft | None:
    """The metric whose conversions are credited: the first that counts single events by name."""
    if question.channel is None:
        return None
    plain = (
        each
        for metric in question.metrics
        for each in question.parts(metric)
        if each.kind in ("proportion", "mean") and each.event is not None
    )
    return next(plain, None)


def pieces(question: Question) -> Iterator[tuple[str, exp.Expr]]:
    """The touches, the conversions, which touches each conversion follows, and each one's share."""
    metric = credit_metric(question)
    if metric is None or question.channel is None:
        return
    yield "stream", _stream(question, metric, question.channel)
    yield "ranked", _RANKED
    yield "followed", _FOLLOWED
    yield "shares", _SHARES


def rows(question: Question) -> Iterator[exp.Select]:
    """By channel: n touches that share credit, and the credits by `RULES`."""
    if credit_metric(question) is None:
        return
    shares = [exp.column(f"by_{rule}") for rule in RULES]
    worth = [exp.Mul(this=share.copy(), expression=exp.column("worth")) for share in shares]
    yield row(
        exp.select().from_("shares").group_by("arm", "channel"),
        "credit",
        label=exp.column("channel"),
        arm=exp.column("arm"),
        numbers=[exp.Sum(this=each) for each in (*shares, *worth)],
    )


def _stream(question: Question, metric: MetricDraft, channel: str) -> exp.Select:
    """Touches, and conversions after the exposure, as one stream of each unit's events."""
    events = filled(
        """
        SELECT units.unit, units.arm, event.occurred_at, event.occurred_at - units.first_at AS age,
               event.event, event.value, event.properties, :channel AS channel
        FROM units JOIN event ON :unit = units.unit
        WHERE event.occurred_at <= :horizon AND event.occurred_at >= units.first_at - :back
        """,
        unit=exp.column(question.unit_type, "event"),
        channel=text_at(exp.column("properties", "event"), channel),
        horizon=question.horizon,
        back=LOOK_BACK,
    )
    worth = exp.func("COALESCE", amount(metric), real(0)) if reads_number(metric) else exp.column("value")
    converts = exp.Case().when(hit(metric), exp.convert(1)).else_(exp.convert(0))
    piece = exp.select(
        "unit",
        "arm",
        "age",
        "channel",
        converts.as_("converts"),
        exp.func("COALESCE", worth, real(0)).as_("worth"),
    )
    return piece.from_(events.subquery("taken")).where(
        exp.or_(exp.column("channel").is_(exp.null()).not_(), hit(metric))
    )


# Touches are numbered; a conversion knows how many came before it or with it. Nothing is paired but by equal
# numbers, so that a unit with a million events costs a million rows, not their square.
_RANKED = filled(
    """
    SELECT unit, arm, age, channel, converts, worth,
           CASE WHEN NOT channel IS NULL THEN
               ROW_NUMBER() OVER (PARTITION BY unit, CASE WHEN channel IS NULL THEN 0 ELSE 1 END
                                  ORDER BY age, channel, converts) END AS touch,
           COUNT(channel) OVER (PARTITION BY unit ORDER BY age) AS touches,
           ROW_NUMBER() OVER (PARTITION BY unit ORDER BY age, channel, converts, worth) AS place
    FROM stream
    """
)


def _numbers() -> exp.Expr:
    piece: exp.Expr = exp.select("0 AS step")
    for number in range(1, TOUCHES):
        piece = exp.union(piece, exp.select(f"{number} AS step"), distinct=False)
    return piece


_FOLLOWED = sqlglot.parse_one(
    f"""
    SELECT sale.unit, sale.arm, sale.place, sale.worth, touch.channel, touch.touch AS number,
           sale.age - touch.age AS ago
    FROM ranked AS sale
    CROSS JOIN ({_numbers().sql()}) AS numbers
    JOIN ranked AS touch ON touch.unit = sale.unit AND touch.touch = sale.touches - numbers.step
    WHERE sale.converts = 1 AND sale.age - touch.age <= {LOOK_BACK}
    """  # noqa: S608 - our own numbers
)

_SHARES = sqlglot.parse_one(
    f"""
    SELECT arm, channel, worth, CASE WHEN place_of = 1 THEN 1.0 ELSE 0.0 END AS by_first,
           CASE WHEN place_of = whole THEN 1.0 ELSE 0.0 END AS by_last, 1.0 / whole AS by_linear,
           weight / weights AS by_time_decay,
           CASE WHEN whole = 1 THEN 1.0 WHEN whole = 2 THEN 0.5 WHEN place_of = 1 OR place_of = whole THEN 0.4
                ELSE 0.2 / (whole - 2) END AS by_position
    FROM (
        SELECT arm, channel, worth, weight,
               ROW_NUMBER() OVER (PARTITION BY unit, place ORDER BY number) AS place_of,
               COUNT(*) OVER (PARTITION BY unit, place) AS whole,
               SUM(weight) OVER (PARTITION BY unit, place) AS weights
        FROM (SELECT followed.*, POWER(0.5, ago / {HALF_LIFE}.0) AS weight FROM followed) AS weighed
    ) AS placed
    UNION ALL
    SELECT sale.arm, '' AS channel, sale.worth, 1.0, 1.0, 1.0, 1.0, 1.0
    FROM ranked AS sale
    LEFT JOIN (SELECT DISTINCT unit, place FROM followed) AS owed
      ON owed.unit = sale.unit AND owed.place = sale.place
    WHERE sale.converts = 1 AND owed.unit IS NULL
    """  # noqa: S608 - our own numbers
)
