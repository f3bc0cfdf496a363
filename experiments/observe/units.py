"""Units: who met which variant when, who is left out and why, and which segments a unit belongs to.

Variants are written as numbers, their places in the question: ids and names are only ever compared.
"""

from sqlglot import exp

from experiments.observe.conditions import holds, text_at
from experiments.observe.question import HISTORIC, Question
from experiments.observe.sql import bound, day_of, filled, when

LANES = 64
"""More than there can be variants: a moment times it plus a variant's place orders by moment first."""

KEPT, UNEXPOSED, OVERRIDE, BOT, CROSSOVER = range(5)
"""What becomes of a unit, in the order in which reasons to leave it out are looked at."""

MOST_VALUES = 20
"""Values of a segment that are told apart; rarer ones are one remainder."""
REMAINDER = "…"


def shown(question: Question) -> exp.Select:
    """Every exposure of the experiment that can be analysed, of whatever phase."""
    arm = exp.Case()
    for place, variant in enumerate(question.variants):
        arm = arm.when(exp.column("variant").eq(variant), exp.convert(place))
    in_phase = filled(
        "SELECT CASE WHEN occurred_at >= :since AND occurred_at < :until THEN 1 ELSE 0 END",
        since=question.since,
        until=question.until,
    ).expressions[0]
    piece = filled(
        """
        SELECT :unit AS unit, :arm AS arm, occurred_at, :in_phase AS in_phase,
               CASE WHEN mark = 'override' THEN 1 ELSE 0 END AS by_hand,
               CASE WHEN mark = 'mismatch' THEN 1 ELSE 0 END AS unlike
        FROM exposure
        WHERE experiment = :experiment AND NOT :unit IS NULL AND variant IN (:variants)
          AND occurred_at <= :horizon
        """,
        unit=exp.column(question.unit_type),
        arm=arm,
        in_phase=in_phase,
        experiment=question.experiment,
        variants=list(question.variants),
        horizon=question.horizon,
    )
    if question.earliest is not None:
        piece = piece.where(bound("occurred_at >= :earliest", earliest=question.earliest), copy=False)
    if question.bots is not None and question.bots.where is not None:
        marked = holds(question.bots.where, _attribute, question.saved)
        piece = piece.select(when(marked, exp.convert(1), exp.convert(0)).as_("robot"), copy=False)
    if attribute_segments(question):
        piece = piece.select("attributes", copy=False)
    return piece


def met(question: Question) -> exp.Select:
    """One row per unit: when and where it was exposed first, and what speaks against counting it."""
    piece = filled(
        """
        SELECT unit, MIN(CASE WHEN in_phase = 1 THEN occurred_at END) AS first_at,
               MAX(CASE WHEN in_phase = 1 THEN occurred_at END) AS last_at,
               MIN(CASE WHEN in_phase = 1 THEN arm END) AS least,
               MAX(CASE WHEN in_phase = 1 THEN arm END) AS most,
               MIN(CASE WHEN in_phase = 1 THEN occurred_at * :lanes + arm END) AS entry,
               MIN(occurred_at * :lanes + arm) - MIN(occurred_at) * :lanes AS recorded_arm,
               MAX(in_phase * by_hand) AS by_hand, COUNT(*) AS exposures,
               SUM(in_phase * unlike) AS unlike
        FROM shown GROUP BY unit
        """,
        lanes=LANES,
    )
    if question.bots is not None and question.bots.where is not None:
        piece = piece.select("MAX(robot) AS robot", copy=False)
    return piece


def busy(question: Question) -> exp.Select:
    """Units with more events on one day than people have."""
    limit = question.bots.events_per_day if question.bots else None
    days = filled(
        """
        SELECT :unit AS unit, :day AS day FROM event
        WHERE NOT :unit IS NULL AND occurred_at <= :horizon
        GROUP BY :unit, :day HAVING COUNT(*) > :limit
        """,
        unit=exp.column(question.unit_type),
        day=day_of("occurred_at"),
        horizon=question.horizon,
        limit=limit or 0,
    )
    return filled("SELECT unit FROM days GROUP BY unit").from_(days.subquery("days"), copy=False)


def sorted_out(question: Question) -> exp.Select:
    """What becomes of each unit."""
    piece = filled(
        """
        SELECT met.unit, met.least AS arm, met.first_at, met.last_at, met.exposures, met.unlike,
               met.entry - met.first_at * :lanes AS first_arm, met.recorded_arm
        FROM met
        """,
        lanes=LANES,
    )
    fate = exp.Case()
    fate = fate.when("met.first_at IS NULL", exp.convert(UNEXPOSED))
    fate = fate.when("met.by_hand = 1", exp.convert(OVERRIDE))
    if question.bots is not None and question.bots.where is not None:
        fate = fate.when("met.robot = 1", exp.convert(BOT))
    if question.bots is not None and question.bots.events_per_day is not None:
        piece = piece.join(exp.to_table("busy"), on="busy.unit = met.unit", join_type="left", copy=False)
        fate = fate.when("NOT busy.unit IS NULL", exp.convert(BOT))
    fate = fate.when("met.least < met.most", exp.convert(CROSSOVER))
    return piece.select(fate.else_(exp.convert(KEPT)).as_("fate"), copy=False)


def passed_by(question: Question) -> exp.Select:
    """Without an experiment: every unit with an event in the phase, as if exposed with its first one."""
    return filled(
        """
        SELECT unit, 0 AS arm, first_at, first_at AS last_at, 0 AS exposures, 0 AS unlike, 0 AS first_arm,
               0 AS recorded_arm, :kept AS fate
        FROM (
            SELECT :unit AS unit, MIN(occurred_at) AS first_at FROM event
            WHERE occurred_at >= :since AND occurred_at < :until AND NOT :unit IS NULL GROUP BY :unit
        ) AS begun
        """,
        kept=KEPT,
        unit=exp.column(question.unit_type),
        since=question.since,
        until=question.until,
    )


def kept() -> exp.Select:
    """The units that count."""
    return filled("SELECT unit, arm, first_at FROM sorted_out WHERE fate = :kept", kept=KEPT)


def attribute_segments(question: Question) -> list[str]:
    """The planned segments that attributes decide, in their order."""
    return [name for name in question.segments if name not in HISTORIC and name not in question.beside]


def traits(question: Question) -> exp.Select:
    """What the attributes of a unit's first exposure say of it; of several at one moment the least text."""
    piece = filled(
        """
        SELECT shown.unit
        FROM shown JOIN units ON units.unit = shown.unit AND units.first_at = shown.occurred_at
        WHERE shown.in_phase = 1 GROUP BY shown.unit
        """
    )
    for place, name in enumerate(question.segments):
        if name in attribute_segments(question):
            piece = piece.select(exp.Min(this=_segment(question, name)).as_(f"s{place}"), copy=False)
    return piece


def common(place: int) -> exp.Select:
    """The most frequent values of a segment."""
    return filled(
        """
        SELECT value FROM (
            SELECT :value AS value, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, :value) AS place
            FROM traits WHERE NOT :value IS NULL GROUP BY :value
        ) AS ranked WHERE place <= :most
        """,
        value=exp.column(f"s{place}"),
        most=MOST_VALUES,
    )


def told_apart(question: Question) -> exp.Select:
    """The traits, rare values of each segment taken together."""
    piece = filled("SELECT traits.unit FROM traits")
    for place, name in enumerate(question.segments):
        if name not in attribute_segments(question):
            continue
        value, kept = exp.column(f"s{place}", "traits"), exp.column("value", f"common{place}")
        told = (
            exp.Case()
            .when(value.is_(exp.null()), exp.null())
            .when(kept.is_(exp.null()), exp.Literal.string(REMAINDER))
        )
        piece = piece.select(told.else_(value.copy()).as_(f"s{place}"), copy=False)
        piece = piece.join(
            exp.to_table(f"common{place}"),
            on=exp.EQ(this=kept.copy(), expression=value.copy()),
            join_type="left",
            copy=False,
        )
    return piece


def _segment(question: Question, name: str) -> exp.Expr:
    if name not in question.saved:
        return text_at(exp.column("attributes", "shown"), name)
    condition = holds(question.saved[name], _shown_attribute, question.saved)
    return when(condition, exp.Literal.string("true"), exp.Literal.string("false"))


def _attribute(path: str) -> exp.Expr:
    return text_at(exp.column("attributes"), path)


def _shown_attribute(path: str) -> exp.Expr:
    return text_at(exp.column("attributes", "shown"), path)
