"""Tracking plans as they are stored: the newest version is in force, the older ones stay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from experiments import audit
from experiments.definition import invalid, store_form
from experiments.errors import Outdated
from experiments.registry import Change
from experiments.store.tables import TrackingPlanRow
from experiments.tracking import EventDraft, Mode, TrackingDraft, TrackingPlan


def latest_plan_version(*, session: Session) -> int:
    """The number of the plan in force; 0 before the first."""
    query = select(TrackingPlanRow.version).order_by(col(TrackingPlanRow.version).desc())
    return session.exec(query).first() or 0


def find_plan(*, session: Session) -> TrackingPlan:
    """The plan in force; an empty one before the first."""
    row = session.exec(select(TrackingPlanRow).order_by(col(TrackingPlanRow.version).desc())).first()
    if row is None:
        return TrackingPlan()
    return TrackingPlan(row.version or 0, TrackingDraft.model_validate_json(row.definition))


def save_plan(
    *, session: Session, draft: TrackingDraft, actor: str, now: datetime, version: int | None = None
) -> TrackingPlan:
    """Put a plan in force; what came in before stays as it was stored.

    Parameters
    ----------
    version
        The version that the editor saw; None to overwrite whatever is there.

    Raises
    ------
    Outdated
        If somebody else has changed it since.
    """
    held = find_plan(session=session)
    if version is not None and version != held.version:
        raise Outdated("the tracking plan was changed by somebody else in the meantime; reload to see it")
    before, after = store_form(held.draft), store_form(draft)
    if before == after:
        return held
    row = TrackingPlanRow(definition=after, created_at=now)
    session.add(row)
    audit.record(
        session=session, actor=actor, action="edit", object="tracking", before=before, after=after, now=now
    )
    session.flush()
    return TrackingPlan(row.version or 0, draft)


def save_event(
    *, session: Session, draft: EventDraft, actor: str, now: datetime, version: int | None = None
) -> Change:
    """List an event, or change how it is listed."""
    held = find_plan(session=session)
    known = held.events.get(draft.event)
    if known == draft:
        return Change("event", draft.event, "unchanged")
    events = tuple(draft if each.event == draft.event else each for each in held.draft.events)
    listed = held.draft.model_copy(update={"events": events if known else (*events, draft)})
    save_plan(session=session, draft=listed, actor=actor, now=now, version=version)
    return Change("event", draft.event, "updated" if known else "created")


def remove_event(*, session: Session, event: str, actor: str, now: datetime) -> TrackingPlan:
    """Take an event off the list."""
    held = find_plan(session=session)
    events = tuple(each for each in held.draft.events if each.event != event)
    draft = held.draft.model_copy(update={"events": events})
    return save_plan(session=session, draft=draft, actor=actor, now=now)


def set_mode(*, session: Session, mode: Mode, actor: str, now: datetime) -> Change:
    """Say how strictly the plan is meant."""
    held = find_plan(session=session)
    if held.draft.mode is mode:
        return Change("tracking", "mode", "unchanged")
    draft = held.draft.model_copy(update={"mode": mode})
    save_plan(session=session, draft=draft, actor=actor, now=now)
    return Change("tracking", "mode", "updated")


def apply_events(
    *, session: Session, events: Sequence[EventDraft], mode: Mode | None, actor: str, now: datetime
) -> list[Change]:
    """Bring the plan to what a file says; events that it does not name stay as they are."""
    changes = [save_event(session=session, draft=each, actor=actor, now=now) for each in events]
    if mode is not None:
        changes.append(set_mode(session=session, mode=mode, actor=actor, now=now))
    return changes


def parse_plan(body: bytes) -> TrackingDraft:
    """Read a plan in JSON, or name everything that is wrong with it."""
    try:
        return TrackingDraft.model_validate_json(body)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_event(document: dict[str, Any]) -> EventDraft:
    """Read one event of a plan, or name everything that is wrong with it."""
    try:
        return EventDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem
