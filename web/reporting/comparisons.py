"""Comparisons: the numbers of a readout as CSV, one line for each comparison, rounded nowhere."""

import csv
import io
from collections.abc import Mapping
from typing import Any

_ARMS = ("treatment_n", "control_n", "treatment_value", "control_value")
_INTERVALS = tuple(f"{scale}{end}" for scale in ("difference", "lift") for end in ("", "_low", "_high"))
_TESTS = ("standard_error", "p_value", "p_value_adjusted", "confidence", "reading")
_COLUMNS = ("metric", "role", "variant", "control", *_ARMS, *_INTERVALS, *_TESTS, "segment", "not_estimable")
_RISKY = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What spreadsheets read as the beginning of a formula, in its wide form too."""


def comparisons_csv(document: Mapping[str, Any]) -> str:
    """The comparisons of a readout. Texts that a spreadsheet would run as a formula are quoted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for row in document["comparisons"]:
        flat = dict(row)
        for scale in ("difference", "lift"):
            interval = row[scale] or {}
            flat |= {scale: interval.get("estimate")}
            flat |= {f"{scale}_{end}": interval.get(end) for end in ("low", "high")}
        writer.writerow({name: plain(value) for name, value in flat.items()})
    return text.getvalue()


def plain(value: Any) -> Any:
    r"""A cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> plain('=HYPERLINK("x")'), plain(" +1"), plain(-0.5), plain("email")
    ('\'=HYPERLINK("x")', "' +1", -0.5, 'email')
    """
    if not isinstance(value, str):
        return value
    risky = value[:1] in "\t\r\n" if value else False
    return f"'{value}" if risky or value.lstrip().startswith(_RISKY) else value
