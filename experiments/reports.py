"""Reports: what people write about an experiment's results, beside the numbers that the server fills in.

The text is kept as it was typed, with placeholders where numbers belong. Numbers are never part of it, so a
text cannot drift from the data that it speaks of.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from sqlmodel import Session, select

from experiments import audit
from experiments.catalog import find_experiment
from experiments.definition import invalid, store_form
from experiments.errors import Outdated
from experiments.fields import Draft, clean
from experiments.store.tables import ReportRow

Words = Annotated[str, Field(max_length=20_000), AfterValidator(clean)]


class ReportDraft(Draft):
    """The three texts of a report, in Markdown."""

    background: Words = ""
    insight: Words = ""
    actions: Words = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The texts as they stand; revision 0 before anybody wrote one."""

    texts: ReportDraft
    revision: int = 0
    updated_by: str = ""
    updated_at: datetime | None = None


def parse_report(document: dict[str, Any]) -> ReportDraft:
    """Read the texts of a report, or name everything that is wrong with them."""
    try:
        return ReportDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def find_report(*, session: Session, key: str) -> Report:
    """The texts about an experiment; empty ones where nobody has written yet."""
    row = _row(session, key)
    return Report(ReportDraft()) if row is None else _report(row)


def write_report(
    *, session: Session, key: str, draft: ReportDraft, revision: int, actor: str, now: datetime
) -> Report:
    """Write the texts down.

    Parameters
    ----------
    revision
        The one that was read before writing; 0 for the first text.

    Raises
    ------
    NotFound
        If there is no such experiment.
    Outdated
        If somebody else has written since that revision.
    """
    find_experiment(session=session, key=key)
    row = _row(session, key)
    if (0 if row is None else row.revision) != revision:
        raise Outdated(f"the report of {key} was changed by somebody else in the meantime; reload to see it")
    before, after = (None if row is None else row.texts), store_form(draft)
    if row is not None and before == after:
        return _report(row)
    if row is None:
        row = ReportRow(experiment=key, revision=0, texts="", updated_by=actor, updated_at=now)
    row.revision, row.texts, row.updated_by, row.updated_at = revision + 1, after, actor, now
    session.add(row)
    audit.record(
        session=session, actor=actor, action="report", object=key, before=before, after=after, now=now
    )
    session.flush()
    return _report(row)


def _row(session: Session, key: str) -> ReportRow | None:
    return session.exec(select(ReportRow).where(ReportRow.experiment == key)).first()


def _report(row: ReportRow) -> Report:
    texts = ReportDraft.model_validate_json(row.texts)
    return Report(texts, row.revision, row.updated_by, row.updated_at)
