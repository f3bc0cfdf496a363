"""Reconciliation: another system's daily totals beside ours, to see where events are lost or doubled.

Ours are the ledger's own counters by the day (UTC) on which the events happened.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from sqlmodel import Session, col, select

from experiments.definition import invalid
from experiments.errors import InvalidInput
from experiments.fields import Draft, Name, spoken
from experiments.quality import day_of, number_of
from experiments.store.tables import OutsideTotalRow, QualityRow

TOLERANCE = 0.05
"""Days that differ by more than this share of the other system's total are pointed out."""

MOST_TOTALS = 20_000


class TotalDraft(Draft):
    """How many events another system counted on a day, in UTC."""

    day: date
    event: Annotated[Name, AfterValidator(spoken)]
    count: int = Field(ge=0, le=2**53)


class TotalsDraft(Draft):
    """The totals that somebody reports."""

    totals: tuple[TotalDraft, ...] = Field(min_length=1, max_length=MOST_TOTALS)


@dataclass(frozen=True, slots=True)
class Difference:
    """One event on one day, as both systems counted it."""

    day: date
    event: str
    theirs: int
    ours: int

    @property
    def share(self) -> float | None:
        """How far we are from them, relative to their total; None where they counted nothing."""
        return None if self.theirs == 0 else (self.ours - self.theirs) / self.theirs

    @property
    def agrees(self) -> bool:
        """Whether the two are as close as two systems can be expected to be."""
        return self.ours == 0 if self.share is None else abs(self.share) <= TOLERANCE

    def to_json(self) -> dict[str, Any]:
        """What the API says."""
        return {
            "day": self.day.isoformat(),
            "event": self.event,
            "theirs": self.theirs,
            "ours": self.ours,
            "share": self.share,
            "agrees": self.agrees,
        }


def report_totals(*, session: Session, draft: TotalsDraft, now: datetime) -> int:
    """Keep another system's totals; a day that is reported again replaces what was there."""
    for each in draft.totals:
        row = OutsideTotalRow(day=number_of(each.day), event=each.event, count=each.count, reported_at=now)
        session.merge(row)
    session.flush()
    return len(draft.totals)


def compare_totals(*, session: Session) -> list[Difference]:
    """All reported days beside our own, the newest first."""
    query = select(OutsideTotalRow)
    theirs = {(row.day, row.event): row.count for row in session.exec(query)}
    return _compared(session, theirs, select(OutsideTotalRow.day).distinct())


def compare_with(*, session: Session, draft: TotalsDraft) -> list[Difference]:
    """Totals that are not kept beside our own, the newest first."""
    theirs = {(number_of(each.day), each.event): each.count for each in draft.totals}
    return _compared(session, theirs, {day for day, _ in theirs})


def _compared(session: Session, theirs: Mapping[tuple[int, str], int], days: Any) -> list[Difference]:
    query = select(QualityRow).where(QualityRow.outcome == "happened", col(QualityRow.day).in_(days))
    ours = {(row.day, row.event): row.count for row in session.exec(query)}
    return [
        Difference(day_of(day), event, count, ours.get((day, event), 0))
        for (day, event), count in sorted(theirs.items(), key=lambda each: (-each[0][0], each[0][1]))
    ]


def parse_totals(body: bytes) -> TotalsDraft:
    """Read totals: JSON ``{"totals": [{"day", "event", "count"}]}`` or that list alone, or CSV.

    Raises
    ------
    InvalidInput
        Naming everything that is wrong.
    """
    try:
        start = body.lstrip()[:1]
        if start == b"[":
            return TotalsDraft.model_validate_json(b'{"totals":' + body + b"}")
        if start == b"{":
            return TotalsDraft.model_validate_json(body)
        return TotalsDraft.model_validate({"totals": _csv_rows(body)})
    except ValidationError as problem:
        raise invalid(problem) from problem


def _csv_rows(body: bytes) -> Sequence[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidInput.at("", f"not UTF-8 text (byte {problem.start})") from problem
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if sorted(reader.fieldnames or ()) != ["count", "day", "event"]:
        raise InvalidInput.at("", "expected a first line with the columns day, event and count")
    try:
        rows = [row for _, row in zip(range(MOST_TOTALS + 1), reader, strict=False)]
    except csv.Error as problem:
        raise InvalidInput.at(f"line {reader.line_num}", str(problem)) from problem
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InvalidInput.at(f"line {number}", "expected three cells")
    return rows
