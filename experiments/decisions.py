"""Decisions, explained: what a unit gets under the ruleset in force."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from assignment import Decision, Detail, decide
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput
from experiments.publishing import latest_ruleset


def explain(*, session: Session, key: str, unit: str, attributes: Mapping[str, Any]) -> Decision:
    """Decide for a unit without recording anything.

    Raises
    ------
    NotFound
        If there is no such experiment.
    InvalidInput
        If it is not published: a draft, or assigned by another system.
    """
    experiment = find_experiment(session=session, key=key)
    decision = decide(latest_ruleset(session=session), key, unit=unit, attributes=attributes)
    if decision.detail is Detail.UNKNOWN_KEY:
        why = (
            "is assigned by another system"
            if experiment.definition.assignment == "external"
            else "is a draft"
        )
        raise InvalidInput.at(key, f"{why}; there is nothing to decide")
    return decision
