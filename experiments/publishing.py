"""Publishing: started experiments become an immutable, numbered ruleset that workers hold in memory."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue
from sqlmodel import Session, col, select

from assignment import Holdout, Layer, Range, Rule, Ruleset, State, Variant, condition_from_json
from assignment.layers import slot_conflicts
from experiments import eligibility
from experiments.catalog import Experiment, list_experiments
from experiments.definition import VariantDraft
from experiments.errors import Conflict
from experiments.legibility import list_illegible
from experiments.lifecycle import Status
from experiments.store.tables import ExperimentRow, PhaseRow, RulesetRow

_log = logging.getLogger(__name__)

_Part = TypeVar("_Part")

_LATER = "published later"


@contextmanager
def published_together(*, session: Session, now: datetime) -> Iterator[None]:
    """Publish all that changes within the block as one version at its end.

    A version holds every experiment, so a version for each of a thousand changes would be a million rules.
    """
    session.info[_LATER] = True
    try:
        yield
    finally:
        del session.info[_LATER]
    publish(session=session, now=now)


def publish_change(*, session: Session, now: datetime) -> None:
    """Publish, unless the change is part of a block that is `published_together`."""
    if _LATER not in session.info:
        publish(session=session, now=now)


def publish(*, session: Session, now: datetime) -> Ruleset:
    """Publish the experiments as they stand, as a new version if anything has changed.

    Raises
    ------
    Conflict
        If two running experiments hold the same buckets of a layer.
    """
    current = latest_ruleset(session=session)
    compiled = compile_ruleset(session=session)
    for conflict in slot_conflicts(compiled.rules.values()):
        raise Conflict(f"layer {conflict.layer}: {conflict.one} and {conflict.other} hold the same buckets")
    if current.version and current.digest == compiled.digest:
        return current
    row = RulesetRow(digest=compiled.digest, document="", published_at=now)
    session.add(row)
    session.flush()
    published = replace(compiled, version=row.version or 0)
    row.document = json.dumps(published.to_json(), ensure_ascii=False, separators=(",", ":"))
    session.add(row)
    session.flush()
    return published


def compile_ruleset(*, session: Session) -> Ruleset:
    """Turn started experiments into rules, in the order of their keys.

    Drafts are not published: their keys do not exist for clients. One that starts later is, as not running
    yet, so that its clients get the control's value and a reason. Experiments that another system assigns
    are not ours to decide. What cannot be read any more goes on as it was last published.
    """
    started = [each for each in list_experiments(session=session) if each.status in _STATES]
    ours = [each for each in started if each.definition.assignment == "internal"]
    honoured = _honoured(session)
    layers = eligibility.list_layers(session=session)
    holdouts = eligibility.list_holdouts(session=session)
    rules = {each.key: _rule(each, honoured.get((each.key, each.phase), ())) for each in ours}
    read = Ruleset(
        rules={},
        layers={each.definition.key: Layer(each.definition.key, each.salt) for each in layers},
        holdouts={
            each.definition.key: Holdout(each.definition.key, each.salt, each.definition.share)
            for each in holdouts
        },
        segments=eligibility.conditions_of(eligibility.list_segments(session=session)),
    )
    return _with_last_good(session, read, rules)


def _with_last_good(session: Session, read: Ruleset, rules: dict[str, Rule]) -> Ruleset:
    """Fill in what cannot be read from the ruleset in force."""
    lost: dict[str, set[str]] = defaultdict(set)
    for each in list_illegible(session=session):
        _log.error("%s", each)
        lost[each.kind].add(each.key)
    held = latest_ruleset(session=session) if lost else Ruleset()
    kept = dict(_as_they_stand(session, [held.rules[key] for key in lost["experiment"] & held.rules.keys()]))
    return Ruleset(
        rules=dict(sorted({**kept, **rules}.items())),
        layers=_filled(read.layers, held.layers, lost["layer"]),
        holdouts=_filled(read.holdouts, held.holdouts, lost["holdout"]),
        segments=_filled(read.segments, held.segments, lost["segment"]),
    )


def _filled(read: Mapping[str, _Part], held: Mapping[str, _Part], lost: Set[str]) -> dict[str, _Part]:
    return {**{key: held[key] for key in sorted(lost & held.keys())}, **read}


def _as_they_stand(session: Session, rules: Sequence[Rule]) -> Iterator[tuple[str, Rule]]:
    """Rules under the status that their experiments have now."""
    for rule in rules:
        row = session.exec(select(ExperimentRow).where(ExperimentRow.key == rule.key)).one()
        status = Status(row.status)
        if status in _STATES:
            state = State.SHIPPED if row.shipped else _STATES[status]
            yield rule.key, replace(rule, state=state, shipped=row.shipped)


def latest_version(*, session: Session) -> int:
    """The number of the ruleset in force; 0 before the first."""
    return session.exec(select(RulesetRow.version).order_by(col(RulesetRow.version).desc())).first() or 0


def latest_ruleset(*, session: Session) -> Ruleset:
    """The ruleset in force; an empty one before the first."""
    return latest_publication(session=session)[0]


def latest_publication(*, session: Session) -> tuple[Ruleset, str]:
    """The ruleset in force and when it was published, as ISO 8601; an empty one before the first."""
    row = session.exec(select(RulesetRow).order_by(col(RulesetRow.version).desc())).first()
    if row is None:
        return Ruleset(), ""
    return Ruleset.from_json(json.loads(row.document)), row.published_at.isoformat()


_STATES = {
    Status.SCHEDULED: State.STOPPED,
    Status.RUNNING: State.RUNNING,
    Status.STOPPED: State.STOPPED,
    Status.CONCLUDED: State.STOPPED,
}


def _honoured(session: Session) -> dict[tuple[str, int], tuple[str, ...]]:
    rows = session.exec(select(PhaseRow.experiment, PhaseRow.number, PhaseRow.holdouts))
    return {(experiment, number): tuple(json.loads(keys)) for experiment, number, keys in rows}


def _rule(experiment: Experiment, holdouts: tuple[str, ...]) -> Rule:
    draft = experiment.definition
    return Rule(
        key=draft.key,
        salt=experiment.salt,
        control=draft.control,
        variants=tuple(Variant(each.key, each.weight, published_value(each)) for each in draft.variants),
        phase=experiment.phase,
        unit_type=draft.unit,
        state=State.SHIPPED if experiment.shipped else _STATES[experiment.status],
        shipped=experiment.shipped,
        traffic=draft.traffic,
        targeting=None if draft.targeting is None else condition_from_json(draft.targeting),
        overrides=dict(draft.overrides),
        layer=draft.layer,
        slots=tuple(Range(start, end) for start, end in draft.slots),
        holdouts=holdouts,
    )


def published_value(variant: VariantDraft) -> JsonValue:
    """What clients receive: OpenFeature's would answer a null with the default in the code."""
    return variant.key if variant.value is None else variant.value
