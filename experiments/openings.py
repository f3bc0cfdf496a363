"""Openings: which variants somebody has looked at by their links, as they are now.

What is remembered is that it happened, and of which value: a variant that was changed since has to be opened
again. Nothing is kept of whoever opened it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from experiments.definition import ExperimentDraft
from experiments.publishing import published_value
from experiments.store.outcomes import OpeningRow


@dataclass(frozen=True, slots=True)
class Opening:
    """A variant that was looked at, with a digest of what was shown."""

    experiment: str
    variant: str
    digest: str


def opening_of(experiment: str, variant: str, value: object) -> Opening:
    """What is noted when a value was shown."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Opening(experiment, variant, hashlib.sha256(text.encode()).hexdigest())


def note_openings(*, session: Session, openings: Iterable[Opening], now: datetime) -> None:
    """Remember what was looked at, and forget what the same variants showed before."""
    for each in openings:
        row = _row(session, each.experiment, each.variant) or OpeningRow(
            experiment=each.experiment, variant=each.variant, digest=each.digest, opened_at=now
        )
        row.digest, row.opened_at = each.digest, now
        session.add(row)


def opened_variants(*, session: Session, draft: ExperimentDraft) -> frozenset[str]:
    """The keys of the variants that were looked at as they are now."""
    query = select(OpeningRow).where(OpeningRow.experiment == draft.key)
    seen = {Opening(row.experiment, row.variant, row.digest) for row in session.exec(query)}
    return frozenset(
        each.key for each in draft.variants if opening_of(draft.key, each.key, published_value(each)) in seen
    )


def _row(session: Session, experiment: str, variant: str) -> OpeningRow | None:
    query = select(OpeningRow).where(OpeningRow.experiment == experiment, OpeningRow.variant == variant)
    return session.exec(query).first()
