"""Stored answers: the same request under the same key is carried out once, and answered alike for a day.

A request first claims its key. The change and the answer are then stored in one transaction, so that an
answer which is there means a change that was made. A claim that ends in a refusal is given back, because
nothing was changed; one whose process died is free again after a minute.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from experiments.errors import Conflict, InvalidInput
from experiments.store.administration import StoredAnswerRow

LIFETIME = timedelta(hours=24)
PATIENCE = timedelta(minutes=1)
"""After this a request that has no answer is taken for dead: no request lasts that long."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request with an idempotency key."""

    caller: str
    key: str
    path: str
    body: bytes

    @property
    def digest(self) -> str:
        """What tells it from another request under the same key."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered; a body of bytes is a file, and is never kept."""

    status: int
    headers: Mapping[str, str]
    body: str | bytes


def claim_key(*, session: Session, claim: Claim, now: datetime) -> Answer | None:
    """Claim a key for a request, or find what it was answered before.

    Raises
    ------
    InvalidInput
        If the key was used for another body.
    Conflict
        If the first request is still under way.
    """
    session.exec(delete(StoredAnswerRow).where(col(StoredAnswerRow.begun_at) < now - LIFETIME))
    row = _row(session, claim)
    if row is None:
        row = StoredAnswerRow(
            caller=claim.caller, key=claim.key, path=claim.path, digest=claim.digest, begun_at=now
        )
    elif row.digest != claim.digest:
        raise InvalidInput.at("Idempotency-Key", "was used before, for another body; choose a new one")
    elif row.status is not None:
        return Answer(row.status, json.loads(row.headers or "{}"), row.body or "")
    elif now - row.begun_at < PATIENCE:
        raise Conflict("the first request under this Idempotency-Key is still under way")
    row.begun_at = now
    session.add(row)
    session.flush()
    return None


def keep_answer(*, session: Session, claim: Claim, answer: Answer) -> None:
    """Store an answer, in the transaction that made the change."""
    row = _row(session, claim)
    if row is not None:
        row.status = answer.status
        row.body = answer.body if isinstance(answer.body, str) else None
        row.headers = json.dumps(dict(answer.headers))
        session.add(row)


def give_back(*, session: Session, claim: Claim) -> None:
    """Let the key be used again: nothing was changed under it."""
    row = _row(session, claim)
    if row is not None and row.status is None:
        session.delete(row)


def _row(session: Session, claim: Claim) -> StoredAnswerRow | None:
    query = select(StoredAnswerRow).where(
        StoredAnswerRow.caller == claim.caller,
        StoredAnswerRow.key == claim.key,
        StoredAnswerRow.path == claim.path,
    )
    return session.exec(query).first()
