"""The rows of a condition: attribute, operator and value as they were typed, and the condition they mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from experiments.errors import InvalidInput
from web.pages.typed import listed, scalar

LISTS = frozenset({"in", "not_in"})
"""Operators that take several values, typed with commas between them."""

MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class TypedRow:
    """One test as it was typed."""

    attribute: str = ""
    operator: str = "eq"
    value: str = ""


@dataclass(frozen=True, slots=True)
class RowsForm:
    """A condition as it was typed: rows that all or any must hold, or anything else as JSON."""

    joined: str = "all"
    rows: tuple[TypedRow, ...] = (TypedRow(), TypedRow())
    text: str = ""

    def with_another_row(self) -> "RowsForm":
        """The same with one more empty line."""
        return replace(self, rows=(*self.rows, TypedRow())[:MOST_ROWS])


def rows_of(condition: Mapping[str, Any]) -> RowsForm:
    """Fill the form with a condition: rows where they can say it, otherwise its JSON."""
    joined = next((name for name in ("all", "any") if name in condition), "")
    parts = condition[joined] if joined else [condition]
    if len(parts) <= MOST_ROWS and all(_fits(each) for each in parts):
        typed = tuple(
            TypedRow(each["attribute"], each["operator"], _typed(each.get("value"))) for each in parts
        )
        return RowsForm(joined or "all", (*typed, TypedRow()))
    return RowsForm(text=json.dumps(condition, ensure_ascii=False, indent=1))


def _fits(part: Mapping[str, Any]) -> bool:
    """Whether a line can say it: one test, and no value of a list that would be taken for two."""
    values = part.get("value")
    several = values if isinstance(values, list) else []
    return "attribute" in part and all(listed(_typed(each)) == [_typed(each)] for each in several)


def read_rows(sent: MultiDict[str, str]) -> RowsForm:
    """Take the fields as they were sent."""
    columns = [sent.getlist(f"row_{name}") for name in ("attribute", "operator", "value")]
    rows = tuple(TypedRow(*line) for line in zip(*columns, strict=False))[:MOST_ROWS]
    joined = "any" if sent.get("joined") == "any" else "all"
    return RowsForm(joined, rows or RowsForm().rows, sent.get("condition", ""))


def condition_of(form: RowsForm) -> Any:
    """Turn what was typed into a condition.

    Raises
    ------
    InvalidInput
        If the text is not JSON, or nothing was typed at all.
    """
    if form.text.strip():
        try:
            return json.loads(form.text)
        except (ValueError, RecursionError) as problem:
            raise InvalidInput.at("condition", "not JSON") from problem
    rows = [row for row in form.rows if row.attribute.strip()]
    if not rows:
        raise InvalidInput.at("condition", "expected a text")
    return {form.joined: [test_of(row) for row in rows]}


def test_of(row: TypedRow) -> dict[str, Any]:
    """One test as it is meant: parts of texts and versions are texts, whatever they look like."""
    test: dict[str, Any] = {"attribute": row.attribute.strip(), "operator": row.operator}
    if row.operator in LISTS:
        test["value"] = [scalar(each) for each in listed(row.value)]
    elif row.operator not in ("exists", "not_exists"):
        versions = row.operator.startswith(("version_", "starts_", "ends_", "contains"))
        test["value"] = row.value.strip() if versions else scalar(row.value.strip())
    return test


def _typed(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_typed(each) for each in value)
    if isinstance(value, str):
        return value if scalar(value) == value and "," not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
