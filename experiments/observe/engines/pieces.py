"""Pieces: the one statement, taken apart for engines that do better step by step.

A warehouse writes a named piece out wherever it is read, or plans all of them at once; of a statement whose
pieces are read in fifty places that makes more than it can hold. So a piece that is read more than once is
kept for the length of an analysis, and everything else stands before what reads it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Pieces:
    """A statement in the order in which it is run.

    Attributes
    ----------
    kept
        What is kept, and under which name.
    answers
        What is read at the end; their rows together are those of the statement.
    """

    kept: Sequence[tuple[str, exp.Expr]]
    answers: Sequence[exp.Expr]


def taken_apart(
    statement: exp.Expr, *, prefix: str, place: Callable[[str], str] = str, at_once: int = 1
) -> Pieces:
    """Take a statement apart, and keep what is read more than once.

    Parameters
    ----------
    prefix
        Begins the names of what is kept; it has to be one that nobody else uses.
    place
        Where something of a name is kept.
    at_once
        How many members of the answer are read together: each costs a trip, and all of them a planner's
        patience.
    """
    named, members = _named(statement, prefix)
    read = Counter(name for each in (*named.values(), *members) for name in _read(each, named))
    places = {name: place(name) for name in named if read[name] > 1}
    return Pieces(
        [(places[name], _with_own(named[name], named, places)) for name in places],
        [_with_own(each, named, places) for each in _together(members, at_once)],
    )


def whole(statement: exp.Expr, *, prefix: str) -> Pieces:
    """Take only the answer apart, and keep nothing."""
    named, members = _named(statement, prefix)
    return Pieces([], [_with_own(each, named, {}) for each in members])


def _named(statement: exp.Expr, prefix: str) -> tuple[dict[str, exp.Expr], list[exp.Expr]]:
    """The pieces in their order, under names that no table has, and the members of the answer."""
    answer = statement.copy()
    before = answer.args.get("with_")
    answer.set("with_", None)
    names: dict[str, str] = {}
    named = {}
    for piece in before.expressions if before else []:
        # A piece reads those before it: of its own name there may be a table that it is made of.
        text = _reading(piece.this, names)
        names[piece.alias] = f"{prefix}_{piece.alias}"
        named[names[piece.alias]] = text
    return named, _members(_reading(answer, names))


def _reading(expression: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    """Read pieces under their new names, known by the old ones."""
    expression = expression.copy()
    for table in list(expression.find_all(exp.Table)):
        if not table.db and table.name in names:
            renamed = exp.to_table(names[table.name])
            table.replace(exp.alias_(renamed, table.alias_or_name, table=True))
    return expression


def _members(answer: exp.Expr) -> list[exp.Expr]:
    if isinstance(answer, exp.Union) and not answer.args.get("distinct"):
        return [*_members(answer.left), *_members(answer.right)]
    return [answer]


def _together(members: Sequence[exp.Expr], at_once: int) -> list[exp.Expr]:
    groups = [members[start : start + at_once] for start in range(0, len(members), at_once)]
    return [group[0] if len(group) == 1 else exp.union(*group, distinct=False) for group in groups]


def _read(expression: exp.Expr, named: Mapping[str, exp.Expr]) -> list[str]:
    """The names of the pieces that an expression reads, once for each place."""
    return [table.name for table in expression.find_all(exp.Table) if table.name in named]


def _with_own(expression: exp.Expr, named: Mapping[str, exp.Expr], places: Mapping[str, str]) -> exp.Expr:
    """Put before an expression the pieces that it needs and nobody keeps; read the others where they are."""
    needed: set[str] = set()
    waiting = [expression]
    while waiting:
        new = {name for name in _read(waiting.pop(), named) if name not in places} - needed
        needed |= new
        waiting += [named[name] for name in new]
    found = _reading(expression, places)
    before = [
        exp.CTE(this=_reading(named[name], places), alias=exp.TableAlias(this=exp.to_identifier(name)))
        for name in named
        if name in needed
    ]
    if before:
        found.set("with_", exp.With(expressions=before))
    return found
