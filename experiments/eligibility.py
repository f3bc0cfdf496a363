"""Eligibility: layers, holdouts and segments, the things that decide who may be in an experiment at all.

Whatever a running experiment stands on cannot change under it: that would move its units.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from assignment import Condition, condition_from_json
from assignment.segments import measure
from assignment.targeting import Segments, segments_in
from experiments import audit
from experiments.catalog import Experiment, list_experiments
from experiments.definition import HoldoutDraft, LayerDraft, SegmentDraft, store_form
from experiments.errors import Conflict, InvalidInput, NotAllowed, Problem
from experiments.legibility import legible
from experiments.lifecycle import Status
from experiments.metrics import countable
from experiments.registry import Change
from experiments.store.tables import HoldoutRow, LayerRow, PhaseRow, SegmentRow


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with its salt."""

    definition: LayerDraft
    salt: str


@dataclass(frozen=True, slots=True)
class Holdout:
    """A holdout with its salt."""

    definition: HoldoutDraft
    salt: str


def list_layers(*, session: Session) -> list[Layer]:
    """All layers, by key."""
    rows = session.exec(select(LayerRow).order_by(LayerRow.key))
    return legible(rows, lambda row: Layer(LayerDraft.model_validate_json(row.definition), row.salt))


def list_holdouts(*, session: Session) -> list[Holdout]:
    """All holdouts, by key."""
    rows = session.exec(select(HoldoutRow).order_by(HoldoutRow.key))
    return legible(rows, lambda row: Holdout(HoldoutDraft.model_validate_json(row.definition), row.salt))


def list_segments(*, session: Session) -> list[SegmentDraft]:
    """All saved segments, by key."""
    rows = session.exec(select(SegmentRow).order_by(SegmentRow.key))
    return legible(rows, lambda row: SegmentDraft.model_validate_json(row.definition))


def create(
    *, session: Session, draft: LayerDraft | HoldoutDraft | SegmentDraft, actor: str, now: datetime
) -> Change:
    """Write a layer, holdout or segment down that does not exist yet.

    Raises
    ------
    Conflict
        If its key is in use.
    """
    match draft:
        case LayerDraft():
            known = {each.definition.key for each in list_layers(session=session)}
        case HoldoutDraft():
            known = {each.definition.key for each in list_holdouts(session=session)}
        case SegmentDraft():
            known = {each.key for each in list_segments(session=session)}
    if draft.key in known:
        raise Conflict(f"{draft.key!r} exists already; choose another key")
    match draft:
        case LayerDraft():
            return save_layer(session=session, draft=draft, actor=actor, now=now)
        case HoldoutDraft():
            return save_holdout(session=session, draft=draft, actor=actor, now=now)
        case SegmentDraft():
            return save_segment(session=session, draft=draft, actor=actor, now=now)


def save_layer(*, session: Session, draft: LayerDraft, actor: str, now: datetime) -> Change:
    """Write a layer down; its salt is made once."""
    return _save(session, LayerRow, "layer", draft, actor, now)


def save_holdout(*, session: Session, draft: HoldoutDraft, actor: str, now: datetime) -> Change:
    """Write a holdout down; its salt is made once.

    Raises
    ------
    NotAllowed
        If its share changes while an experiment that has started honours it.
    """
    before = next((h for h in list_holdouts(session=session) if h.definition.key == draft.key), None)
    if before is not None and before.definition.share != draft.share:
        for user in _standing_on_holdout(session, draft.key):
            raise NotAllowed(f"holdout {draft.key}: {user} honours it and has started; make another")
    return _save(session, HoldoutRow, "holdout", draft, actor, now)


def save_segment(*, session: Session, draft: SegmentDraft, actor: str, now: datetime) -> Change:
    """Write a segment down.

    Raises
    ------
    InvalidInput
        If it refers to a segment that does not exist, or in a circle.
    NotAllowed
        If its condition changes while an experiment that has started stands on it.
    """
    known = {each.key: each for each in list_segments(session=session)}
    before = known.get(draft.key)
    conditions = conditions_of([*known.values(), draft])
    if reason := measure(conditions)[1].get(draft.key):
        raise InvalidInput.at(f"segment {draft.key}", reason, "condition")
    if before is not None and before.condition != draft.condition:
        for user in _standing_on_segment(session, draft.key, conditions):
            raise NotAllowed(f"segment {draft.key}: {user} stands on it and has started; make another")
    return _save(session, SegmentRow, "segment", draft, actor, now)


def conditions_of(segments: Sequence[SegmentDraft]) -> dict[str, Condition]:
    """The segments as the evaluator reads them."""
    return {each.key: condition_from_json(each.condition) for each in segments}


def uncountable(planned: Sequence[str], saved: Segments) -> Iterator[str]:
    """Say why planned segments cannot be counted."""
    for name in planned:
        waiting, seen = [name] if name in saved else [], {name}
        while waiting:
            condition = saved[waiting.pop()]
            try:
                countable(condition, of_units=True)
            except ValueError as problem:
                yield f"segment {name}: {problem}"
            further = set(segments_in(condition)) - seen
            seen |= further
            waiting += sorted(further)


def require_known(*, session: Session, experiment: Experiment) -> None:
    """Refuse an experiment that stands on something that does not exist.

    Raises
    ------
    InvalidInput
        Naming everything that is missing.
    """
    draft = experiment.definition
    problems = list(_missing(session, draft.layer, draft.holdouts or ()))
    saved = conditions_of(list_segments(session=session))
    problems += [Problem("segments", reason) for reason in uncountable(draft.segments, saved)]
    if draft.targeting is not None:
        conditions = conditions_of(list_segments(session=session))
        reason = measure({**conditions, "": condition_from_json(draft.targeting)})[1].get("")
        if reason:
            problems.append(Problem("targeting", reason))
    if problems:
        raise InvalidInput(problems)


def slots_taken(*, session: Session, layer: str) -> list[tuple[int, int, str]]:
    """The ranges of a layer's buckets that are held, in their order, and who holds them."""
    return sorted(
        (start, end, each.key)
        for each in _holding(session)
        if each.definition.layer == layer
        for start, end in each.definition.slots
    )


def require_room(*, session: Session, experiment: Experiment) -> None:
    """Refuse slots that an experiment of the same layer holds, which runs or is to start.

    Raises
    ------
    Conflict
        Naming who holds them.
    """
    draft = experiment.definition
    if not draft.slots:
        return
    for other in _holding(session):
        theirs = other.definition
        if other.key == draft.key or theirs.layer is None or theirs.layer != draft.layer:
            continue
        for start, end in draft.slots:
            taken = next((slot for slot in theirs.slots if start < slot[1] and slot[0] < end), None)
            if taken is not None:
                raise Conflict(
                    f"layer {draft.layer}: {other.key} holds the buckets from {max(start, taken[0])} "
                    f"to {min(end, taken[1])}"
                )


def _missing(session: Session, layer: str | None, holdouts: Sequence[str]) -> Iterator[Problem]:
    if layer is not None and layer not in {each.definition.key for each in list_layers(session=session)}:
        yield Problem("layer", f"there is no layer {layer!r}")
    known = {each.definition.key for each in list_holdouts(session=session)}
    for key in holdouts:
        if key not in known:
            yield Problem("holdouts", f"there is no holdout {key!r}")


def _running(session: Session) -> list[Experiment]:
    return list_experiments(session=session, status=Status.RUNNING)


def _holding(session: Session) -> list[Experiment]:
    """Those that hold buckets: they run, or their start is scheduled."""
    return _running(session) + list_experiments(session=session, status=Status.SCHEDULED)


def _started(session: Session) -> list[Experiment]:
    """Those whose units must stay where they are: a stopped experiment may go on under its salt."""
    return _running(session) + list_experiments(session=session, status=Status.STOPPED)


def _standing_on_holdout(session: Session, key: str) -> Iterator[str]:
    phases = {
        (row.experiment, row.number): json.loads(row.holdouts) for row in session.exec(select(PhaseRow))
    }
    for each in _started(session):
        if key in phases.get((each.key, each.phase), ()):
            yield each.key


def _standing_on_segment(session: Session, key: str, conditions: Segments) -> Iterator[str]:
    for each in _started(session):
        if each.definition.targeting is not None:
            waiting = [condition_from_json(each.definition.targeting)]
            while waiting:
                found = set(segments_in(waiting.pop()))
                if key in found:
                    yield each.key
                    break
                waiting += [conditions[name] for name in found]


def _save(
    session: Session,
    table: Any,
    kind: str,
    draft: LayerDraft | HoldoutDraft | SegmentDraft,
    actor: str,
    now: datetime,
) -> Change:
    key = draft.key
    row = session.exec(select(table).where(col(table.key) == key)).first()
    written = store_form(draft)
    if row is not None and row.definition == written:
        return Change(kind, key, "unchanged")
    before = None if row is None else row.definition
    if row is None:
        salt = {} if kind == "segment" else {"salt": secrets.token_hex(8)}
        row = table(key=key, definition=written, created_at=now, **salt)
    row.definition = written
    session.add(row)
    action = "create" if before is None else "edit"
    audit.record(
        session=session,
        actor=actor,
        action=action,
        object=f"{kind}:{key}",
        before=before,
        after=written,
        now=now,
    )
    session.flush()
    return Change(kind, key, "created" if before is None else "updated")
