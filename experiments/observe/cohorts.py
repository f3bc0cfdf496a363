"""Cohorts: who came back on which day of life, by the week of the exposure.

They are asked in a statement of their own, and only where a plan measures retention: a picture that explains
should cost nothing where nobody looks for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlglot import exp

from analysis import Observation
from analysis.observation import Cohort
from experiments.observe.answers import FIXED, row
from experiments.observe.engines import Engine
from experiments.observe.gathering import age_in_days, taken
from experiments.observe.question import DAY_MS, Question
from experiments.observe.scanning import Statement
from experiments.observe.sql import bound, day_of, whole
from experiments.observe.statement import units_statement_of

DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90)
"""Days after the exposure on which a cohort is looked at."""

MONDAY = date(1969, 12, 29)
"""The Monday of the week in which 1970 began: weeks are counted from it."""


def with_cohorts(engine: Engine, question: Question, observation: Observation) -> Observation:
    """Add the cohorts to an observation, where retention is measured and anybody was exposed."""
    if not any(observation.units.values()) or all(each.kind != "retention" for each in question.metrics):
        return observation
    (rows,) = engine.fetch_all([statement_of(question)])
    return replace(observation, cohorts=tuple(read_cohorts(question, rows)))


def statement_of(question: Question) -> Statement:
    """What an engine is asked: who has lived how long, and who did anything on a day of life."""
    return units_statement_of(question, [_lives(question), _visits(question)])


def read_cohorts(question: Question, rows: Iterable[tuple[Any, ...]]) -> Iterator[Cohort]:
    """Count who is old enough for a day of life, and who of them came back then."""
    lives: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    came: dict[tuple[int, int, int], int] = {}
    for part, _, week, arm, day, n in (each[: len(FIXED)] for each in rows):
        if part == "cohort_life":
            lives[int(week), arm][day] = n
        else:
            came[int(week), arm, day] = n
    for (week, arm), by_age in sorted(lives.items()):
        for day in DAYS:
            old_enough = sum(n for lived, n in by_age.items() if lived > day)
            if old_enough:
                active = came.get((week, arm, day), 0)
                monday = MONDAY + timedelta(weeks=week)
                yield Cohort(monday, question.variants[arm], day, old_enough, active)


def _lives(question: Question) -> exp.Select:
    """Units by variant, week of exposure and whole days that they have lived."""
    lived = _whole_days(bound(":horizon - first_at", horizon=question.horizon))
    week = _week()
    piece = exp.select().from_("units").group_by("arm", week.copy(), lived.copy())
    return row(piece, "cohort_life", label=week, arm=exp.column("arm"), day=lived)


def _visits(question: Question) -> exp.Select:
    """Units by variant, week of exposure and day of life on which anything happened to them."""
    events = taken(question, every_event=True, before=False).subquery("taken")
    age = age_in_days()
    told = exp.In(this=age.copy(), expressions=[exp.convert(day) for day in DAYS])
    lived = bound("(:age + 1) * :day <= :horizon - first_at", age=age, day=DAY_MS, horizon=question.horizon)
    days = exp.select("unit", "arm", "first_at", age.as_("day")).from_(events).where(lived, told)
    days = days.group_by("unit", "arm", "first_at", age.copy())
    week = _week()
    piece = exp.select().from_(days.subquery("visits")).group_by("arm", week.copy(), "day")
    return row(piece, "cohort", label=week, arm=exp.column("arm"), day=exp.column("day"))


def _week() -> exp.Expr:
    """The week of the exposure, counted from `MONDAY`: 1970 began on a Thursday."""
    days = exp.paren(exp.Add(this=day_of("first_at"), expression=exp.Literal.number("3.0")))
    return whole(exp.Floor(this=exp.Div(this=days, expression=exp.Literal.number("7.0"))))


def _whole_days(span: exp.Expr) -> exp.Expr:
    return whole(exp.Floor(this=exp.Div(this=exp.paren(span), expression=exp.Literal.number(f"{DAY_MS}.0"))))
