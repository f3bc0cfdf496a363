"""The catalogue: experiments as they stand, and every way to write one down."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from experiments import audit
from experiments.definition import ExperimentDraft, restore_experiment, store_form
from experiments.errors import Conflict, InvalidInput, NotAllowed, NotFound, Outdated, Problem
from experiments.legibility import legible, require_legible, rewritten
from experiments.lifecycle import Status, may_edit
from experiments.metrics import ONE_NUMBER
from experiments.registry import Metric, list_metrics
from experiments.store.tables import ExperimentRow, PhaseRow

EDITABLE_WHILE_RUNNING = frozenset(
    {
        "name",
        "description",
        "owner",
        "tags",
        "hypothesis",
        "ends",
        "stops_at_end",
        "status",
        "source",
        "overrides",
    }
)
"""What may change without moving a unit or a goalpost. Traffic may rise, secondaries may join and variants be
called something else, too. An override moves the unit that it names, on purpose and out of the analysis."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as it stands."""

    definition: ExperimentDraft
    status: Status
    phase: int
    salt: str
    revision: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    shipped: str | None
    analysis_asked_at: datetime | None = None

    @property
    def key(self) -> str:
        """Its permanent key."""
        return self.definition.key

    @property
    def title(self) -> str:
        """Its name, or its key where it has none."""
        return self.definition.title


def find_experiment(*, session: Session, key: str) -> Experiment:
    """Look an experiment up.

    Raises
    ------
    NotFound
        If there is none of that key.
    NotAllowed
        If its stored definition cannot be read.
    """
    row = require_row(session=session, key=key)
    return require_legible("experiment", key, lambda: _restore(row))


def list_experiments(
    *, session: Session, status: Status | None = None, text: str = "", owner: str = "", tag: str = ""
) -> list[Experiment]:
    """All experiments, the most recently changed first, narrowed by what is given.

    One whose stored definition cannot be read is left out; `list_illegible` names it.
    """
    query = select(ExperimentRow).order_by(col(ExperimentRow.updated_at).desc(), col(ExperimentRow.id).desc())
    if status is not None:
        query = query.where(ExperimentRow.status == status)
    found = legible(session.exec(query), _restore)
    words = text.casefold().split()
    return [
        each
        for each in found
        if (not owner or each.definition.owner == owner)
        and (not tag or tag in each.definition.tags)
        and all(word in _searchable(each) for word in words)
    ]


def known_keys(*, session: Session) -> frozenset[str]:
    """The keys of all experiments there ever were."""
    return frozenset(session.exec(select(ExperimentRow.key)))


def create_experiment(*, session: Session, draft: ExperimentDraft, actor: str, now: datetime) -> Experiment:
    """Write a new experiment down, as a draft.

    Raises
    ------
    Conflict
        If the key was ever used: keys are permanent.
    InvalidInput
        If it names a metric that does not exist.
    """
    if _row(session, draft.key) is not None:
        raise Conflict(f"an experiment {draft.key!r} exists already; keys are never used twice")
    _require_metrics(session, draft)
    row = ExperimentRow(
        key=draft.key,
        status=Status.DRAFT,
        phase=1,
        salt=secrets.token_hex(8),
        revision=1,
        definition=store_form(draft.model_copy(update={"status": "draft"})),
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    audit.record(
        session=session, actor=actor, action="create", object=draft.key, after=row.definition, now=now
    )
    session.flush()
    return _restore(row)


def clone_experiment(
    *, session: Session, key: str, copy: str, actor: str, now: datetime, name: str = ""
) -> Experiment:
    """Write a new draft down that asks what another experiment asks: with its own key, and not yet any dates.

    Raises
    ------
    NotFound
        If there is nothing to copy.
    Conflict
        If the copy's key was ever used.
    """
    model = find_experiment(session=session, key=key).definition
    fresh: dict[str, Any] = {
        "key": copy,
        "name": name,
        "starts": None,
        "ends": None,
        "overrides": {},
        "source": "",
    }
    draft = model.model_copy(update=fresh)
    return create_experiment(session=session, draft=draft, actor=actor, now=now)


def rewrite(
    *,
    session: Session,
    draft: ExperimentDraft,
    actor: str,
    now: datetime,
    revision: int | None = None,
    moving: bool = False,
) -> Experiment:
    """Write a changed definition down; `launch.edit` is the use case around it.

    Raises
    ------
    Outdated
        If somebody else has changed it since that revision.
    NotAllowed
        If it has started, the change would move units or goalposts, and that is not meant.
    """
    row = require_row(session=session, key=draft.key, revision=revision)
    _require_metrics(session, draft)
    before = rewritten(row.definition, ExperimentDraft)
    after = store_form(draft.model_copy(update={"status": "draft"}))
    if before == after:
        return _restore(row)
    if Status(row.status) in (Status.CONCLUDED, Status.ARCHIVED):
        raise NotAllowed(f"{draft.key} is {row.status}; its definition is kept as it was")
    moved = moved_by(session=session, row=row, after=draft)
    if moved and not may_edit(Status(row.status)) and not moving:
        raise NotAllowed(
            f"{draft.key} has started; changing {', '.join(moved)} would move units or goalposts: "
            "it needs a new phase"
        )
    if Status(row.status) is Status.SCHEDULED:
        row.status = Status.DRAFT
        audit.record(session=session, actor=actor, action="draft", object=draft.key, after="draft", now=now)
    row.definition = after
    row.revision += 1
    row.updated_at = now
    session.add(row)
    audit.record(
        session=session, actor=actor, action="edit", object=draft.key, before=before, after=after, now=now
    )
    session.flush()
    return _restore(row)


def margins_of(draft: ExperimentDraft, metrics: Mapping[str, Metric]) -> dict[str, float]:
    """The guardrails' margins: their own, or the metric's where they have none."""
    found = {
        each.metric: metrics[each.metric].definition.margin if each.margin is None else each.margin
        for each in draft.metrics.guardrails
    }
    return {key: margin for key, margin in found.items() if margin is not None}


def moving_changes(before: ExperimentDraft, after: ExperimentDraft) -> list[str]:
    """Name the changed fields that would move units or goalposts of an experiment that has started."""
    old, new = _without_names(before), _without_names(after)
    changed = {name for name in new if new[name] != old[name]} - EDITABLE_WHILE_RUNNING
    if after.traffic > before.traffic:
        changed.discard("traffic")
    if _only_adds_secondaries(before, after):
        changed.discard("metrics")
    return sorted(changed)


def moved_by(*, session: Session, row: ExperimentRow, after: ExperimentDraft) -> list[str]:
    """The same for what is stored.

    A definition that cannot be read is compared as it stood when its phase began: what has changed since
    moved nobody. Where that cannot be read either, it may have been anything.
    """
    phase = select(PhaseRow.definition).where(PhaseRow.experiment == row.key, PhaseRow.number == row.phase)
    for written in (row.definition, *session.exec(phase)):
        try:
            return moving_changes(restore_experiment(written), after)
        except ValidationError:
            continue
    return ["what cannot be read"]


def require_row(*, session: Session, key: str, revision: int | None = None) -> ExperimentRow:
    """The stored row of an experiment.

    Raises
    ------
    NotFound
        If there is none of that key.
    Outdated
        If it has moved on from the revision that somebody saw.
    """
    row = _row(session, key)
    if row is None:
        raise NotFound(f"there is no experiment {key!r}")
    if revision is not None and row.revision != revision:
        raise Outdated(f"{key} was changed by somebody else in the meantime; reload to see it")
    return row


def _row(session: Session, key: str) -> ExperimentRow | None:
    return session.exec(select(ExperimentRow).where(ExperimentRow.key == key)).first()


def _restore(row: ExperimentRow) -> Experiment:
    return Experiment(
        definition=restore_experiment(row.definition),
        status=Status(row.status),
        phase=row.phase,
        salt=row.salt,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        shipped=row.shipped,
        analysis_asked_at=row.analysis_asked_at,
    )


def _searchable(experiment: Experiment) -> str:
    definition = experiment.definition
    parts = [definition.key, definition.name, definition.description, *definition.tags]
    return " ".join([*parts, *definition.hypothesis.model_dump().values()]).casefold()


def _require_metrics(session: Session, draft: ExperimentDraft) -> None:
    known = {metric.key: metric.definition for metric in list_metrics(session=session)}
    covariates = draft.plan.covariates
    named = [*draft.metrics.keys, *(covariates.metrics if covariates else ())]
    problems = [f"there is no metric {key!r}" for key in dict.fromkeys(named) if key not in known]
    problems += [
        f"{each.metric!r} needs a margin: neither the guardrail nor the metric has one"
        for each in draft.metrics.guardrails
        if each.margin is None and each.metric in known and known[each.metric].margin is None
    ]
    problems += [
        f"plan.cuped: {key!r} is a {known[key].kind} and has no value before the exposure"
        for key in (covariates.metrics if covariates else ())
        if key in known and known[key].kind not in ONE_NUMBER
    ]
    if problems:
        place = f"experiment {draft.key}, metrics"
        raise InvalidInput([Problem(place, each, ("metrics",)) for each in problems])


def _without_names(draft: ExperimentDraft) -> dict[str, Any]:
    """A definition as JSON, without what its variants are called: those are texts."""
    document = draft.model_dump(mode="json")
    for variant in document["variants"]:
        del variant["name"]
    return document


def _only_adds_secondaries(before: ExperimentDraft, after: ExperimentDraft) -> bool:
    old, new = before.metrics, after.metrics
    kept = new.secondary[: len(old.secondary)] == old.secondary
    return kept and (new.primary, new.guardrails) == (old.primary, old.guardrails)
