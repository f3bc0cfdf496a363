"""Mappings: where a warehouse has exposures and events, and what it calls their columns.

The statement reads two tables, ``exposure`` and ``event``. A mapping puts two pieces of the same names before
it, which rename the columns of others, so the statement itself never changes.
"""

import re
import tomllib
from collections.abc import Callable, Container, Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import sqlglot
from sqlglot import exp

from experiments.errors import InvalidInput, Problem
from experiments.observe.layout import COLUMNS, UNIT
from experiments.observe.scanning import Scan, Statement

Clock = Literal["milliseconds", "seconds", "timestamp"]
"""How a table writes moments: since 1970 in UTC, or in the type that the warehouse has for them."""

DayForm = Literal["date", "text"]
"""What a column of days holds: dates, or texts such as 2026-03-15."""

_NEEDED: Names[str, tuple[str, ...]] = {
    "exposure": ("experiment", "variant", "occurred_at"),
    "event": ("event", "occurred_at"),
}
_CHOICES: Names[str, tuple[str, ...]] = {"clock": get_args(Clock), "day_form": get_args(DayForm)}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)?")
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

_WRITTEN: Names[str, str] = {"clickhouse": "toDateTime('{0}', 'UTC')"}
"""How a dialect writes a moment, where it is not the way of the others."""

_AMONG: Names[str, str] = {"exposure": "experiment", "event": "event"}
_SLACK = 86_400_000
"""Milliseconds that more is read of than can matter: zones and clocks differ."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the warehouse.

    Attributes
    ----------
    columns
        Our names of columns, and the table's. Of those that are not named nothing is known.
    day
        The column with the day by which the table is divided, if it has one besides the moment.
    """

    table: str
    columns: Names[str, str]
    clock: Clock = "milliseconds"
    day: str | None = None
    day_form: DayForm = "date"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where ``exposure`` and ``event`` are; those without a source are there under our own names.

    Attributes
    ----------
    scratch
        Where tables may be made for the length of an analysis, for warehouses that have no temporary ones.
    """

    sources: Names[str, Source] = field(default_factory=dict)
    scratch: str = ""


OURS = Mapping()
"""Nothing is renamed: the ledger, or tables made from its export."""

OWN_NAMES: Names[str, Source] = {
    name: Source(name, {column: column for column in columns}) for name, columns in COLUMNS.items()
}
"""Tables under our own names, with everything that the ledger has."""


def mapped(statement: Statement, mapping: Mapping, dialect: str) -> exp.Expr:
    """Put the pieces that rename before a statement's own; they leave aside what cannot matter."""
    if not mapping.sources:
        return statement.expression
    expression = statement.expression.copy()
    used = {column.name for column in expression.find_all(exp.Column)}
    read = {table.name for table in expression.find_all(exp.Table)}
    ours = [
        exp.CTE(
            this=_renamed(name, source, statement.scans.get(name, Scan()), used, dialect),
            alias=exp.TableAlias(this=exp.to_identifier(name)),
        )
        for name, source in mapping.sources.items()
        if name in read
    ]
    before = expression.args.get("with_")
    expression.set("with_", exp.With(expressions=[*ours, *(before.expressions if before else [])]))
    return expression


def missing(mapping: Mapping, probe: Callable[[exp.Expr], str | None]) -> list[str]:
    """What of a mapping's tables and columns cannot be read, each by its place in the file.

    Parameters
    ----------
    probe
        Runs a statement that reads no row, and gives what is said against it; None for nothing.
    """
    found = []
    for name, source in mapping.sources.items():
        nothing = exp.select("1 AS one").from_(exp.to_table(source.table)).where("1 = 0")
        if said := probe(nothing):
            found.append(f"warehouse.{name}.table ({source.table}) cannot be read: {said}")
            continue
        named = dict(source.columns) if source.day is None else {**source.columns, "day": source.day}
        for ours, theirs in named.items():
            if said := probe(nothing.select(exp.column(theirs).as_("found"), append=False)):
                found.append(f"warehouse.{name}.{ours} ({theirs} of {source.table}) cannot be read: {said}")
    return found


def _renamed(name: str, source: Source, scan: Scan, used: Container[str], dialect: str) -> exp.Select:
    piece = exp.select().from_(exp.to_table(source.table))
    for column, kind in COLUMNS[name].items():
        if column in used:
            piece = piece.select(_shown(column, kind, source, dialect).as_(column), copy=False)
    if "received_at" in used and "received_at" in source.columns:
        scan = replace(scan, among=None)  # how far a log had reached, all of its events say
    return piece.where(*_narrowing(name, source, scan, dialect), copy=False)


def _shown(column: str, kind: str, source: Source, dialect: str) -> exp.Expr:
    theirs = source.columns.get(column)
    if theirs is None:
        return _unknown(kind)
    return _millis(theirs, source.clock, dialect) if column.endswith("_at") else exp.column(theirs)


def _narrowing(name: str, source: Source, scan: Scan, dialect: str) -> Iterator[exp.Expr]:
    """What is said of the table's own columns, so that it finds out which parts it need not read."""
    if scan.among is not None:
        among = exp.column(source.columns[_AMONG[name]])
        yield among.isin(*(exp.Literal.string(each) for each in scan.among))
    if scan.since is None or scan.since < _SLACK:
        return
    since = datetime.fromtimestamp((scan.since - _SLACK) / 1_000, UTC)
    yield exp.GTE(
        this=exp.column(source.columns["occurred_at"]), expression=_moment(since, source.clock, dialect)
    )
    if source.day is not None:
        day = exp.Literal.string(since.date().isoformat())
        limit = day if source.day_form == "text" else exp.cast(day, "DATE")
        yield exp.GTE(this=exp.column(source.day), expression=limit)


def _moment(moment: datetime, clock: Clock, dialect: str) -> exp.Expr:
    """A moment as a table writes it. Some read it in a zone of their own; a day is left for that."""
    if clock == "milliseconds":
        return exp.convert(int(moment.timestamp()) * 1_000)
    if clock == "seconds":
        return exp.convert(int(moment.timestamp()))
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return sqlglot.parse_one(_WRITTEN.get(dialect, "TIMESTAMP '{0}'").format(text), read=dialect)


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
    scratch = tables.pop("scratch", "")
    problems = [
        problem for name, table in tables.items() for problem in _problems(f"warehouse.{name}", name, table)
    ]
    if not isinstance(scratch, str) or (scratch and not _SCHEMA.fullmatch(scratch)):
        problems.append(Problem("warehouse.scratch", "expected the name of a schema, such as hive.scratch"))
    if problems:
        raise InvalidInput(problems)
    return Mapping({name: _source(tables[name]) for name in COLUMNS if name in tables}, scratch)


def _problems(place: str, name: str, table: object) -> list[Problem]:
    if name not in COLUMNS:
        return [Problem(place, "expected exposure or event")]
    if not isinstance(table, dict):
        return [Problem(place, "expected a table")]
    known = {"table": _TABLE, **dict.fromkeys((*COLUMNS[name], "day"), _IDENTIFIER)}
    wrong = [
        Problem(f"{place}.{key}", f"expected one of {', '.join([*known, *_CHOICES])}")
        for key in table.keys() - known.keys() - _CHOICES.keys()
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
    wrong += [
        Problem(f"{place}.{key}", f"expected {', '.join(choices)}")
        for key, choices in _CHOICES.items()
        if key in table and table[key] not in choices
    ]
    return wrong


def _source(table: dict[str, str]) -> Source:
    said = {key: table[key] for key in ("table", "day", *_CHOICES) if key in table}
    columns = {key: value for key, value in table.items() if key not in said}
    return Source(columns=columns, **said)  # type: ignore[arg-type]  # checked above
