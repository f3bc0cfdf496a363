"""Conclusions: what people chose, why, and what they learnt, kept beside the snapshot that they saw."""

import json
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from analysis import Verdict
from experiments import audit, launch, readouts
from experiments.catalog import Experiment, find_experiment
from experiments.choices import ENDINGS, Choice, ConclusionDraft, follows
from experiments.concluded import Conclusion, FollowUp, Held, Retrospective
from experiments.errors import InvalidInput, NotFound, Problem
from experiments.lifecycle import Status, require_move
from experiments.readouts import Snapshot
from experiments.store.outcomes import ConclusionRow, FollowUpRow, RetrospectiveRow


def conclude(
    *,
    session: Session,
    key: str,
    draft: ConclusionDraft,
    actor: str,
    now: datetime,
    revision: int | None = None,
) -> Conclusion:
    """Write a decision down and carry it out.

    Shipping, rolling back and stopping end the experiment for good, stopping it first where it still runs;
    going on sets its new end, and starts it again where it was stopped.

    Raises
    ------
    InvalidInput
        Naming every field that is missing or wrong.
    NotAllowed
        If the experiment has not started or is over.
    Conflict
        If somebody else has changed it since.
    """
    experiment = find_experiment(session=session, key=key)
    if experiment.status is not Status.RUNNING:
        require_move(key, experiment.status, Status.CONCLUDED)
    snapshot = _seen(session, key, draft.snapshot)
    verdict = None if snapshot is None else snapshot.readout.verdict
    if problems := _problems(experiment, verdict, draft, now):
        raise InvalidInput(problems)
    row = _row(experiment, draft, snapshot, verdict, actor=actor, now=now)
    session.add(row)
    session.flush()
    for each in draft.follow_ups:
        session.add(FollowUpRow(conclusion=row.id or 0, task=each.task, owner=each.owner, due=each.due))
    told = json.dumps({"choice": draft.choice, "variant": row.variant, "learning": draft.learning})
    audit.record(session=session, actor=actor, action="decide", object=key, after=told, now=now)
    _carry_out(session, experiment, draft, actor, now, revision)
    return find_conclusion(session=session, id=row.id or 0)


def find_conclusion(*, session: Session, id: int) -> Conclusion:  # noqa: A002 - the word for it
    """Look a conclusion up by its number.

    Raises
    ------
    NotFound
        If there is none.
    """
    row = session.get(ConclusionRow, id)
    if row is None:
        raise NotFound(f"there is no conclusion {id}")
    return restore(session, [row])[0]


def history_of(*, session: Session, key: str) -> list[Conclusion]:
    """All decisions about an experiment, the newest first."""
    query = (
        select(ConclusionRow).where(ConclusionRow.experiment == key).order_by(col(ConclusionRow.id).desc())
    )
    return restore(session, list(session.exec(query)))


def ending_of(*, session: Session, key: str) -> Conclusion | None:
    """The decision that ended an experiment; None while it is not over."""
    return next((each for each in history_of(session=session, key=key) if each.choice in ENDINGS), None)


def going_on(*, session: Session, now: datetime) -> frozenset[str]:
    """The experiments that were decided to go on until a day that has not come yet."""
    query = select(ConclusionRow.experiment).where(
        ConclusionRow.choice == Choice.CONTINUE, col(ConclusionRow.until) > now
    )
    return frozenset(session.exec(query))


def restore(session: Session, rows: list[ConclusionRow]) -> list[Conclusion]:
    """Bring rows together with their follow-ups and retrospectives."""
    ids = [row.id for row in rows]
    tasks: dict[int, list[FollowUp]] = {}
    for row in session.exec(select(FollowUpRow).where(col(FollowUpRow.conclusion).in_(ids))):
        tasks.setdefault(row.conclusion, []).append(follow_up(row))
    backward = {
        row.conclusion: Retrospective(Held(row.held), row.note, row.actor, row.at)
        for row in session.exec(select(RetrospectiveRow).where(col(RetrospectiveRow.conclusion).in_(ids)))
    }
    return [
        Conclusion(
            **{name: getattr(row, name) for name in _COPIED},
            id=row.id or 0,
            choice=Choice(row.choice),
            follow_ups=tuple(tasks.get(row.id or 0, ())),
            retrospective=backward.get(row.id or 0),
        )
        for row in rows
    ]


_COPIED = (
    *("experiment", "phase", "variant", "until", "reason", "rollout", "holdout", "learning"),
    *("recommendation", "snapshot", "metric", "actor", "at"),
)


def follow_up(row: FollowUpRow) -> FollowUp:
    """Read a follow-up back."""
    return FollowUp(row.id or 0, row.task, row.owner, row.due, row.done_at)


def _seen(session: Session, key: str, wanted: int | None) -> Snapshot | None:
    if wanted is None:
        return readouts.latest(session=session, key=key)
    try:
        return readouts.find_snapshot(session=session, key=key, id=wanted)
    except NotFound as missing:
        raise InvalidInput.at("snapshot", str(missing)) from missing


def _problems(
    experiment: Experiment, verdict: Verdict | None, draft: ConclusionDraft, now: datetime
) -> list[Problem]:
    problems = []
    variants = {each.key for each in experiment.definition.variants}
    if draft.choice == Choice.SHIP and draft.variant not in variants:
        problems.append(Problem("variant", "choose the variant that everybody gets"))
    if draft.choice == Choice.CONTINUE and (draft.until is None or draft.until <= now):
        problems.append(Problem("until", "expected a day that has not come yet"))
    if draft.choice in ENDINGS and not draft.learning:
        problems.append(Problem("learning", "write down what was learnt, in one sentence"))
    if not draft.reason and not follows(verdict, draft):
        problems.append(Problem("reason", "the decision departs from the verdict; say why"))
    return problems


def _row(
    experiment: Experiment,
    draft: ConclusionDraft,
    snapshot: Snapshot | None,
    verdict: Verdict | None,
    *,
    actor: str,
    now: datetime,
) -> ConclusionRow:
    definition = experiment.definition
    texts = (definition.key, definition.name, *definition.hypothesis.model_dump().values(), *definition.tags)
    shipped = draft.choice == Choice.SHIP
    return ConclusionRow(
        experiment=experiment.key,
        phase=experiment.phase,
        choice=draft.choice,
        variant=draft.variant if shipped else None,
        until=draft.until if draft.choice == Choice.CONTINUE else None,
        reason=draft.reason,
        rollout=draft.rollout if shipped else 0,
        holdout=draft.holdout if shipped else 0,
        learning=draft.learning,
        recommendation=None if verdict is None else verdict.recommendation,
        snapshot=None if snapshot is None else snapshot.id,
        metric=definition.metrics.primary[0],
        searchable=" ".join([*texts, draft.learning, draft.reason]).casefold(),
        actor=actor,
        at=now,
    )


def _carry_out(
    session: Session,
    experiment: Experiment,
    draft: ConclusionDraft,
    actor: str,
    now: datetime,
    revision: int | None,
) -> None:
    common: dict[str, Any] = {"session": session, "actor": actor, "now": now}
    running = experiment.status is Status.RUNNING
    if draft.choice == Choice.CONTINUE:
        longer = experiment.definition.model_copy(update={"ends": draft.until})
        launch.edit(draft=longer, revision=revision, **common)
        if not running:
            launch.start(key=experiment.key, **common)
        return
    if running:
        revision = launch.stop(key=experiment.key, revision=revision, **common).revision
    ship = draft.variant if draft.choice == Choice.SHIP else None
    launch.conclude(key=experiment.key, ship=ship, revision=revision, **common)
