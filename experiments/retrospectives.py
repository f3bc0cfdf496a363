"""Retrospectives: whether what was shipped kept its gain, and what was to be done after a conclusion."""

from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from experiments.choices import Choice, RetrospectiveDraft
from experiments.concluded import Conclusion, FollowUp, Held, Retrospective
from experiments.conclusions import ending_of, follow_up, restore
from experiments.errors import Conflict, NotAllowed, NotFound
from experiments.store.outcomes import ConclusionRow, FollowUpRow, RetrospectiveRow

RETROSPECTIVE_AFTER = timedelta(days=30)
"""How long after a variant was shipped people are asked whether the gain held."""


def look_back(
    *, session: Session, key: str, draft: RetrospectiveDraft, actor: str, now: datetime
) -> Retrospective:
    """Write down whether the gain of a shipped variant held.

    Raises
    ------
    NotAllowed
        If nothing was shipped, so that there is no gain to look back on.
    Conflict
        If somebody has looked back already.
    """
    ending = ending_of(session=session, key=key)
    if ending is None or ending.choice != Choice.SHIP:
        raise NotAllowed(f"{key} shipped nothing; there is no gain to look back on")
    if ending.retrospective is not None:
        raise Conflict(f"{ending.retrospective.actor} has looked back on {key} already")
    row = RetrospectiveRow(conclusion=ending.id, held=draft.held, note=draft.note, actor=actor, at=now)
    session.add(row)
    session.flush()
    return Retrospective(Held(row.held), row.note, row.actor, row.at)


def retrospectives_due(*, session: Session, now: datetime) -> list[Conclusion]:
    """Conclusions that shipped something a month ago and were not looked back on, the oldest first."""
    answered = select(RetrospectiveRow.conclusion)
    query = (
        select(ConclusionRow)
        .where(
            ConclusionRow.choice == Choice.SHIP,
            ConclusionRow.at <= now - RETROSPECTIVE_AFTER,
            col(ConclusionRow.id).not_in(answered),
        )
        .order_by(col(ConclusionRow.at))
    )
    return restore(session, list(session.exec(query)))


def finish_follow_up(*, session: Session, id: int, now: datetime) -> None:  # noqa: A002 - the word for it
    """Tick a follow-up off.

    Raises
    ------
    NotFound
        If there is none.
    """
    row = session.get(FollowUpRow, id)
    if row is None:
        raise NotFound(f"there is no follow-up {id}")
    row.done_at = row.done_at or now
    session.add(row)


def follow_ups_due(*, session: Session, by: date) -> list[tuple[FollowUp, str]]:
    """Follow-ups that should be done by a day and are not, with their experiments, the oldest first."""
    query = (
        select(FollowUpRow, ConclusionRow.experiment)
        .join(ConclusionRow, col(ConclusionRow.id) == col(FollowUpRow.conclusion))
        .where(col(FollowUpRow.done_at).is_(None), col(FollowUpRow.due).is_not(None))
        .order_by(col(FollowUpRow.due))
    )
    found = [(follow_up(row), key) for row, key in session.exec(query)]
    return [
        (each, experiment) for each, experiment in found if each.due is not None and each.due.date() <= by
    ]
