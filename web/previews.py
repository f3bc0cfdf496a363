"""Previews at the door: what the link asks for by which a client's user came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assignment import Decision, Detail, Ruleset
from experiments.errors import Unavailable
from experiments.previews import (
    LIFETIMES,
    PARAMETER,
    Preview,
    Signer,
    address_on,
    experiment_of,
    previews_of,
    show,
)
from experiments.project import find_project
from experiments.store import Session, Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asked for: a decision, or why there is none.

    Whoever came by it is not recorded in the experiment, whether or not the link still holds: they looked.
    """

    key: str
    decision: Decision | None
    state: str


@dataclass(frozen=True, slots=True)
class Link:
    """A preview as somebody opens it; ``address`` is empty where the product's own is not known."""

    preview: Preview
    token: str
    address: str

    def to_json(self) -> dict[str, str | None]:
        """Write it for programs."""
        return {
            "variant": self.preview.variant,
            "token": self.token,
            "address": self.address or None,
            "expires_at": self.preview.expires_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class PreviewDesk:
    """Writes links, and reads those that clients pass on."""

    signer: Signer
    store: Store
    now: Callable[[], datetime]

    def look(self, context: Mapping[str, Any], ruleset: Ruleset) -> Asked | None:
        """What a context asks to be shown; None where it names no experiment."""
        token = context.get(PARAMETER)
        key = experiment_of(token)
        if not key:
            return None
        preview = self.signer.read(str(token))
        if preview is None:
            return Asked(key, None, "invalid")
        if preview.expires_at <= self.now():
            return Asked(key, None, "expired")
        try:
            decision = _published(preview, ruleset) or self._written(preview, ruleset)
        except Unavailable:
            return Asked(key, None, "unavailable")
        return Asked(key, decision, "shown" if decision is not None else "gone")

    def links(self, *, session: Session, key: str, page: str = "", days: int = LIFETIMES[1]) -> list[Link]:
        """One link for each variant, to a page of the product.

        Raises
        ------
        InvalidInput
            If the page is not the product's, the length of life is not offered, or there is nothing to show.
        """
        shown_on = find_project(session=session).definition.site
        links = []
        for each in previews_of(session=session, key=key, days=days, now=self.now()):
            token = self.signer.write(each)
            links.append(Link(each, token, address_on(shown_on, page, token)))
        return links

    def _written(self, preview: Preview, ruleset: Ruleset) -> Decision | None:
        """From the database, which only a link that was made here is worth asking."""
        with self.store.read() as session:
            return show(session=session, preview=preview, ruleset=ruleset.version)


def _published(preview: Preview, ruleset: Ruleset) -> Decision | None:
    rule = ruleset.rules.get(preview.experiment)
    variant = None if rule is None else rule.by_key.get(preview.variant)
    if rule is None or variant is None:
        return None
    return Decision(rule.key, variant.key, variant.value, Detail.PREVIEW, rule.phase, ruleset.version)
