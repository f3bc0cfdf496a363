"""Publishing: running experiments become an immutable, numbered ruleset that workers hold in memory."""

import json
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from assignment import Rule, Ruleset, State, Variant, condition_from_json
from experiments.catalog import Experiment, list_experiments
from experiments.lifecycle import Status
from experiments.store.tables import RulesetRow


def publish(*, session: Session, now: datetime) -> Ruleset:
    """Publish the experiments as they stand, as a new version if anything has changed."""
    current = latest_ruleset(session=session)
    compiled = compile_ruleset(list_experiments(session=session))
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


def compile_ruleset(experiments: list[Experiment]) -> Ruleset:
    """Turn started experiments into rules, in the order of their keys.

    Drafts are not published: their keys do not exist for clients. Experiments that another system assigns
    are not ours to decide.
    """
    started = (each for each in experiments if each.status in _STATES)
    ours = (each for each in started if each.definition.assignment == "internal")
    return Ruleset(rules={each.key: _rule(each) for each in sorted(ours, key=lambda each: each.key)})


def latest_version(*, session: Session) -> int:
    """The number of the ruleset in force; 0 before the first."""
    return session.exec(select(RulesetRow.version).order_by(col(RulesetRow.version).desc())).first() or 0


def latest_ruleset(*, session: Session) -> Ruleset:
    """The ruleset in force; an empty one before the first."""
    row = session.exec(select(RulesetRow).order_by(col(RulesetRow.version).desc())).first()
    return Ruleset() if row is None else Ruleset.from_json(json.loads(row.document))


_STATES = {
    Status.RUNNING: State.RUNNING,
    Status.STOPPED: State.STOPPED,
    Status.CONCLUDED: State.STOPPED,
}


def _rule(experiment: Experiment) -> Rule:
    draft = experiment.definition
    return Rule(
        key=draft.key,
        salt=experiment.salt,
        control=draft.control,
        variants=tuple(Variant(each.key, each.weight, each.value) for each in draft.variants),
        phase=experiment.phase,
        unit_type=draft.unit,
        state=_STATES[experiment.status],
        traffic=draft.traffic,
        targeting=None if draft.targeting is None else condition_from_json(draft.targeting),
        overrides=dict(draft.overrides),
    )
