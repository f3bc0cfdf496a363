"""Audience: how many of the units that were seen lately a condition would let in.

What is known of a unit before an experiment is what clients said about it when it met earlier ones; so the
estimate is made on attributes of recent exposures, a sample of bounded size, and says how large it was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from assignment import condition_from_json
from assignment.targeting import matches
from experiments.eligibility import conditions_of, list_segments
from experiments.store.tables import ExposureRow

SAMPLE = 5_000
"""Recent exposures that are looked at."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Units of a sample, and those among them that are meant."""

    sampled: int
    matching: int

    @property
    def share(self) -> float | None:
        """Of the sample that is meant; None without a sample."""
        return self.matching / self.sampled if self.sampled else None


def estimate_audience(*, session: Session, targeting: Mapping[str, Any] | None, unit_type: str) -> Audience:
    """Try a condition on the units that were seen last.

    Raises
    ------
    ValueError
        If the condition cannot be read.
    """
    unit = ExposureRow.user_id if unit_type == "user_id" else ExposureRow.anonymous_id
    query = (
        select(unit, ExposureRow.attributes)
        .where(col(unit).is_not(None), col(ExposureRow.attributes).is_not(None))
        .order_by(col(ExposureRow.id).desc())
        .limit(SAMPLE)
    )
    known = {str(name): attributes for name, attributes in reversed(session.exec(query).all())}
    if targeting is None:
        return Audience(len(known), len(known))
    condition = condition_from_json(dict(targeting))
    segments = conditions_of(list_segments(session=session))
    meant = sum(matches(condition, _read(text), segments) for text in known.values())
    return Audience(len(known), meant)


def _read(text: str | None) -> dict[str, Any]:
    attributes = json.loads(text or "{}")
    return attributes if isinstance(attributes, dict) else {}
