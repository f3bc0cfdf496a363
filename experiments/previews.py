"""Previews: links that show one variant to whoever opens them, before the start and afterwards.

A link carries the experiment, the variant, a last moment and a signature over the three, so nothing is stored
and nobody else can write one. Whoever opens it sees the variant and is no part of the experiment.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from sqlmodel import Session

from assignment import Decision, Detail
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput, NotFound
from experiments.lifecycle import Status
from experiments.publishing import published_value

PARAMETER = "_variant"
"""What a link carries in its query, and what clients pass on in their context under the same name."""

LIFETIMES = (1, 7, 30)
"""Days that a link may hold."""

_TOKEN = re.compile(r"([A-Za-z0-9._-]{1,128}):([A-Za-z0-9._-]{1,128}):(\d{1,12}):([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Preview:
    """One variant of one experiment, to be shown until a moment."""

    experiment: str
    variant: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Signer:
    """Writes the tokens of links, and reads them back."""

    key: bytes

    @classmethod
    def from_secret(cls, secret: str) -> "Signer":
        """A signer with a key of its own, so that its signatures are good for nothing else."""
        return cls(hmac.digest(secret.encode(), b"evenhand preview", hashlib.sha256))

    def write(self, preview: Preview) -> str:
        """Write a token.

        Examples
        --------
        >>> signer = Signer.from_secret("s")
        >>> preview = Preview("checkout", "new", datetime(2026, 3, 22, tzinfo=UTC))
        >>> token = signer.write(preview)
        >>> token.rpartition(":")[0], signer.read(token) == preview
        ('checkout:new:1774137600', True)
        """
        said = f"{preview.experiment}:{preview.variant}:{int(preview.expires_at.timestamp())}"
        return f"{said}:{self._signature(said)}"

    def read(self, token: str) -> Preview | None:
        """Read a token, whether or not its time is over; None for one that was not written here."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        said, _, signature = token.rpartition(":")
        if not hmac.compare_digest(self._signature(said), signature):
            return None
        return Preview(found[1], found[2], datetime.fromtimestamp(int(found[3]), UTC))

    def _signature(self, said: str) -> str:
        signature = hmac.digest(self.key, said.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def experiment_of(token: object) -> str:
    """The experiment that a token speaks of, true or not; empty for what is no token."""
    return token.partition(":")[0] if isinstance(token, str) else ""


def previews_of(*, session: Session, key: str, days: int, now: datetime) -> tuple[Preview, ...]:
    """One preview for each variant of an experiment.

    Raises
    ------
    InvalidInput
        If the length of their life is not offered, or there is nothing to be shown.
    """
    if days not in LIFETIMES:
        raise InvalidInput.at("days", f"expected one of {', '.join(map(str, LIFETIMES))}")
    experiment = find_experiment(session=session, key=key)
    if not is_shown(experiment.status, experiment.definition.assignment):
        raise InvalidInput.at("key", f"{key} is archived, or another system assigns it: nothing is shown")
    expires_at = now.replace(microsecond=0) + timedelta(days=days)
    return tuple(Preview(key, each.key, expires_at) for each in experiment.definition.variants)


def show(*, session: Session, preview: Preview, ruleset: int = 0) -> Decision | None:
    """What a preview shows, from the definition as it stands; None where nothing is to be shown any more."""
    try:
        experiment = find_experiment(session=session, key=preview.experiment)
    except NotFound:
        return None
    if not is_shown(experiment.status, experiment.definition.assignment):
        return None
    for variant in experiment.definition.variants:
        if variant.key == preview.variant:
            value = published_value(variant)
            key, phase = preview.experiment, experiment.phase
            return Decision(key, variant.key, value, Detail.PREVIEW, phase, ruleset)
    return None


def is_shown(status: Status, assignment: str) -> bool:
    """Whether an experiment's variants can be looked at."""
    return status is not Status.ARCHIVED and assignment == "internal"


def address_on(site: str, page: str, token: str) -> str:
    """The link to a page of the product; empty where no site is known.

    Raises
    ------
    InvalidInput
        If the page is not on the site: a link that shows what is not out yet leads nowhere else.

    Examples
    --------
    >>> address_on("https://shop.example/", "/checkout?step=2", "a:b")
    'https://shop.example/checkout?step=2&_variant=a%3Ab'
    """
    if not site:
        return ""
    try:
        parts, home = urlsplit(urljoin(site, page.strip())), urlsplit(site)
    except ValueError as problem:
        raise InvalidInput.at("page", "not an address") from problem
    if (parts.scheme, parts.netloc) != (home.scheme, home.netloc):
        raise InvalidInput.at("page", f"expected a page of {home.scheme}://{home.netloc}")
    query = "&".join(filter(None, (parts.query, urlencode({PARAMETER: token}))))
    return parts._replace(query=query).geturl()
