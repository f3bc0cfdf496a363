"""Webhooks: the secret that messages to the outside are signed with, and what became of each of them.

Signatures follow Standard Webhooks: HMAC-SHA256 over id, moment and body, under a secret that is shown once.
What is stored is a random text; the secret comes of it and of the deployment's own key, so the database alone
signs nothing. A new secret takes over at once, and the one before signs along for a day.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, or_, select

from experiments import audit
from experiments.store.outcomes import DeliveryRow, WebhookSecretRow

OVERLAP = timedelta(hours=24)
"""For so long a secret that was replaced signs along."""

KEPT = 200
"""Attempts that are remembered; older ones make room."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is stored."""

    nonce: str
    created_by: str
    created_at: datetime
    retires_at: datetime | None

    def key(self, root: str) -> bytes:
        """What signs, made with the deployment's own key."""
        return hmac.digest(root.encode(), f"evenhand webhook {self.nonce}".encode(), hashlib.sha256)

    def shown(self, root: str) -> str:
        """The same as receivers write it down."""
        return "whsec_" + base64.b64encode(self.key(root)).decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver a message; ``failure`` is None where it arrived."""

    id: int
    at: datetime
    message: str
    kind: str
    failure: str | None


def sign(keys: Sequence[bytes], *, message: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a receiver knows that a message is ours, and how old it is.

    Examples
    --------
    >>> from datetime import UTC
    >>> key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> at = datetime.fromtimestamp(1614265330, UTC)
    >>> sign([key], message="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=b'{"test": 2432232314}')[
    ...     "webhook-signature"
    ... ]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    moment = int(at.timestamp())
    said = f"{message}.{moment}.".encode() + body
    given = (base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode() for key in keys)
    headers = {"webhook-id": message, "webhook-timestamp": str(moment)}
    signature = " ".join(f"v1,{each}" for each in given)
    return {**headers, "webhook-signature": signature} if signature else headers


def make_secret(*, session: Session, actor: str, now: datetime) -> Secret:
    """Put a new secret in force; the one before signs along for a day."""
    for row in _in_force(session, now):
        row.retires_at = row.retires_at or now + OVERLAP
        session.add(row)
    fresh = WebhookSecretRow(nonce=secrets.token_hex(16), created_by=actor, created_at=now)
    session.add(fresh)
    audit.record(session=session, actor=actor, action="webhook_secret", object="webhook", now=now)
    session.flush()
    return _secret(fresh)


def secrets_in_force(*, session: Session, now: datetime) -> list[Secret]:
    """Secrets that sign at that moment, the newest first."""
    return [_secret(row) for row in _in_force(session, now)]


def note_delivery(*, session: Session, message: str, kind: str, now: datetime, failure: str | None) -> None:
    """Write down how an attempt went."""
    session.add(DeliveryRow(at=now, message=message, kind=kind, failure=failure))
    session.flush()
    newest = select(DeliveryRow.id).order_by(col(DeliveryRow.id).desc()).limit(KEPT)
    session.exec(delete(DeliveryRow).where(col(DeliveryRow.id).not_in(newest)))


def list_deliveries(*, session: Session, count: int = 20) -> list[Delivery]:
    """The latest attempts, the newest first."""
    query = select(DeliveryRow).order_by(col(DeliveryRow.id).desc()).limit(count)
    return [Delivery(row.id or 0, row.at, row.message, row.kind, row.failure) for row in session.exec(query)]


def _in_force(session: Session, now: datetime) -> Sequence[WebhookSecretRow]:
    retires = col(WebhookSecretRow.retires_at)
    query = select(WebhookSecretRow).where(or_(retires.is_(None), retires > now))
    return session.exec(query.order_by(col(WebhookSecretRow.id).desc())).all()


def _secret(row: WebhookSecretRow) -> Secret:
    return Secret(row.nonce, row.created_by, row.created_at, row.retires_at)
