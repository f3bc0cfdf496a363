"""Mappings: where a warehouse has exposures and events, and what it calls their columns.

The statement reads two tables, ``exposure`` and ``event``. A mapping puts two pieces of the same names before
it, which rename the columns of others, so the statement itself never changes.
"""

import re
import tomllib
from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import sqlglot
from sqlglot import exp

from experiments.errors import InvalidInput, Problem
from experiments.observe.layout import COLUMNS, UNIT

Clock = Literal["milliseconds", "seconds", "timestamp"]
"""How a table writes moments: since 1970 in UTC, or in the type that the warehouse has for them."""

_NEEDED: Names[str, tuple[str, ...]] = {
    "exposure": ("experiment", "variant", "occurred_at"),
    "event": ("event", "occurred_at"),
}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,2}")

_MOMENTS: Names[str, str] = {
    "duckdb": "EPOCH_MS({0})",
    "postgres": "CAST(FLOOR(EXTRACT(EPOCH FROM {0}) * 1000) AS BIGINT)",
    "spark": "UNIX_MILLIS({0})",
    "clickhouse": "toUnixTimestamp64Milli(toDateTime64({0}, 3))",
    "bigquery": "UNIX_MILLIS({0})",
    "snowflake": "DATE_PART(EPOCH_MILLISECOND, {0})",
    "trino": "CAST(FLOOR(TO_UNIXTIME({0}) * 1000) AS BIGINT)",
}
"""How each dialect turns a moment into milliseconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the warehouse.

    Attributes
    ----------
    columns
        Our names of columns, and the table's. Of those that are not named nothing is known.
    """

    table: str
    columns: Names[str, str]
    clock: Clock = "milliseconds"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where ``exposure`` and ``event`` are; those without a source are there under our own names."""

    sources: Names[str, Source] = field(default_factory=dict)


OURS = Mapping()
"""Nothing is renamed: the ledger, or tables made from its export."""


def mapped(statement: exp.Expr, mapping: Mapping, dialect: str) -> exp.Expr:
    """Put the pieces that rename before a statement's own."""
    if not mapping.sources:
        return statement
    statement = statement.copy()
    ours = [
        exp.CTE(this=_renamed(name, source, dialect), alias=exp.TableAlias(this=exp.to_identifier(name)))
        for name, source in mapping.sources.items()
    ]
    before = statement.args.get("with_")
    statement.set("with_", exp.With(expressions=[*ours, *(before.expressions if before else [])]))
    return statement


def _renamed(name: str, source: Source, dialect: str) -> exp.Select:
    piece = exp.select().from_(exp.to_table(source.table))
    for column, kind in COLUMNS[name].items():
        theirs = source.columns.get(column)
        shown: exp.Expr = exp.column(theirs) if theirs else _unknown(kind)
        if theirs and column.endswith("_at"):
            shown = _millis(theirs, source.clock, dialect)
        piece = piece.select(shown.as_(column), copy=False)
    return piece


def _unknown(kind: str) -> exp.Expr:
    return exp.cast(exp.null(), "VARCHAR" if kind == UNIT else kind)


def _millis(column: str, clock: Clock, dialect: str) -> exp.Expr:
    if clock == "milliseconds":
        return exp.column(column)
    if clock == "seconds":
        return exp.cast(sqlglot.parse_one(f"FLOOR({column} * 1000)"), "BIGINT")
    return sqlglot.parse_one(_MOMENTS[dialect].format(column), read=dialect)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping from a TOML file.

    Raises
    ------
    InvalidInput
        Naming every place that cannot be used.

    Examples
    --------
    .. code-block:: toml

        [warehouse.exposure]
        table = "analytics.shown"
        experiment = "test"
        user_id = "visitor"
        variant = "arm"
        occurred_at = "shown_at"
        clock = "timestamp"
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidInput.at(str(path), f"cannot be read: {problem.strerror}") from problem
    except ValueError as problem:  # of TOML, or of the encoding
        raise InvalidInput.at(str(path), f"is no TOML: {problem}") from problem
    tables = document.get("warehouse")
    if not isinstance(tables, dict) or not tables:
        raise InvalidInput.at(str(path), "expected [warehouse.exposure] and [warehouse.event]")
    problems = [
        problem for name, table in tables.items() for problem in _problems(f"warehouse.{name}", name, table)
    ]
    if problems:
        raise InvalidInput(problems)
    return Mapping({name: _source(tables[name]) for name in COLUMNS if name in tables})


def _problems(place: str, name: str, table: object) -> list[Problem]:
    if name not in COLUMNS:
        return [Problem(place, "expected exposure or event")]
    if not isinstance(table, dict):
        return [Problem(place, "expected a table")]
    known = {"table": _TABLE, **dict.fromkeys(COLUMNS[name], _IDENTIFIER)}
    wrong = [
        Problem(f"{place}.{key}", f"expected one of {', '.join([*known, 'clock'])}")
        for key in table.keys() - known.keys() - {"clock"}
    ]
    wrong += [
        Problem(f"{place}.{key}", "expected a plain name, such as analytics.events or user_id")
        for key, form in known.items()
        if key in table and not (isinstance(table[key], str) and form.fullmatch(table[key]))
    ]
    missing = [key for key in ("table", *_NEEDED[name]) if key not in table]
    if not {"user_id", "anonymous_id"} & table.keys():
        missing.append("user_id")
    wrong += [Problem(f"{place}.{key}", "is missing") for key in missing]
    if table.get("clock", "milliseconds") not in get_args(Clock):
        wrong.append(Problem(f"{place}.clock", f"expected {', '.join(get_args(Clock))}"))
    return wrong


def _source(table: dict[str, str]) -> Source:
    columns = {key: value for key, value in table.items() if key not in {"table", "clock"}}
    clock: Clock = table.get("clock", "milliseconds")  # type: ignore[assignment]  # checked above
    return Source(table["table"], columns, clock)
