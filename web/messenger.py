"""The messenger: one signed message to the address that the operator has set, and what became of it."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from experiments import webhooks
from experiments.store import Store
from web import webhook
from web.settings import Settings, secret_key_of
from web.webhook import Gone, NotDelivered

Deliver = Callable[..., None]

LONGEST_PAUSE = timedelta(days=1)
"""A receiver that asks for more is asked again after this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went.

    Attributes
    ----------
    failure
        Why it failed.
    last
        Whether there is no use in another one.
    not_before
        When the receiver wants the next one at the earliest.
    """

    failure: str | None = None
    last: bool = False
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Messenger:
    """Sends, signs and writes down."""

    store: Store
    settings: Settings
    deliver: Deliver = webhook.deliver

    def send(self, *, message: str, kind: str, document: Mapping[str, Any], now: datetime) -> Attempt:
        """Try once.

        Parameters
        ----------
        message
            Its id: the same at every attempt, so that a receiver takes it once.
        kind
            What it tells of, such as ``guardrail.breached``.
        """
        attempt = self._tried({"type": kind, "timestamp": now.isoformat(), **document}, message, now)
        if attempt.failure is not None:
            _log.warning("%s was not delivered: %s", message, attempt.failure)
        with self.store.write() as session:
            webhooks.note_delivery(
                session=session, message=message, kind=kind, now=now, failure=attempt.failure
            )
        return attempt

    def test(self, *, now: datetime) -> Attempt:
        """Send a message that says nothing, to see whether it arrives and is believed."""
        document = {"text": "Evenhand can reach you.", "link": self.settings.public_url or None}
        message = f"test-{secrets.token_hex(8)}"
        return self.send(message=message, kind="webhook.test", document=document, now=now)

    def _tried(self, document: Mapping[str, Any], message: str, now: datetime) -> Attempt:
        hosts = frozenset(self.settings.alert_webhook_hosts.replace(",", " ").split())
        seal = partial(self._sealed, message, now)
        try:
            self.deliver(self.settings.webhook, document, allowed=hosts, seal=seal)
        except Gone as refusal:
            return Attempt(str(refusal), last=True)
        except NotDelivered as problem:
            return Attempt(str(problem), not_before=read_later(problem.later, now=now))
        return Attempt()

    def _sealed(self, message: str, now: datetime, body: bytes) -> dict[str, str]:
        root = secret_key_of(self.settings)
        with self.store.read() as session:
            held = webhooks.secrets_in_force(session=session, now=now)
        return webhooks.sign([each.key(root) for each in held], message=message, at=now, body=body)


def read_later(text: str, *, now: datetime) -> datetime | None:
    """Read a ``Retry-After``, in seconds or as a date; None for anything else.

    Examples
    --------
    >>> now = datetime(2026, 3, 15, tzinfo=UTC)
    >>> read_later("90", now=now) - now
    datetime.timedelta(seconds=90)
    >>> read_later("Sun, 15 Mar 2026 06:00:00 GMT", now=now) - now
    datetime.timedelta(seconds=21600)
    """
    if text.isascii() and text.isdigit() and len(text) < 10:
        moment = now + timedelta(seconds=int(text))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment, now + LONGEST_PAUSE)
