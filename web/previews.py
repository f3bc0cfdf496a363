"""Previews at the door: what the link asks for by which a client's user came."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from assignment import Decision, Detail, Ruleset
from experiments.catalog import find_experiment
from experiments.errors import Unavailable
from experiments.openings import Opening, note_openings, opened_variants, opening_of
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

MOST_WAITING = 1_000
"""Openings that are held until they are written down."""


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
    """A preview as somebody opens it.

    ``address`` is empty where the product's own is not known; ``opened`` says whether anybody has looked at
    the variant as it is now.
    """

    preview: Preview
    token: str
    address: str
    opened: bool

    def to_json(self) -> dict[str, str | bool | None]:
        """Write it for programs."""
        return {
            "variant": self.preview.variant,
            "token": self.token,
            "address": self.address or None,
            "expires_at": self.preview.expires_at.isoformat(),
            "opened": self.opened,
        }


@dataclass(frozen=True, slots=True)
class PreviewDesk:
    """Writes links, and reads those that clients pass on.

    A decision waits for no writing: what was shown is noted afterwards (`note`), once for each process.
    """

    signer: Signer
    store: Store
    now: Callable[[], datetime]
    _shown: deque[Opening] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    _noted: set[Opening] = field(default_factory=set)

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
        if decision is None:
            return Asked(key, None, "gone")
        self._shown.append(opening_of(key, preview.variant, decision.value))
        return Asked(key, decision, "shown")

    def note(self) -> None:
        """Write down which variants were looked at since the last time."""
        waiting = {self._shown.popleft() for _ in range(len(self._shown))} - self._noted
        if not waiting:
            return
        try:
            with self.store.write() as session:
                note_openings(session=session, openings=waiting, now=self.now())
        except Unavailable:
            self._shown.extend(waiting)
        else:
            self._noted.update(waiting)

    def links(self, *, session: Session, key: str, page: str = "", days: int = LIFETIMES[1]) -> list[Link]:
        """One link for each variant, to a page of the product.

        Raises
        ------
        InvalidInput
            If the page is not the product's, the length of life is not offered, or there is nothing to show.
        """
        shown_on, links = find_project(session=session).definition.site, []
        draft = find_experiment(session=session, key=key).definition
        opened = opened_variants(session=session, draft=draft)
        for each in previews_of(session=session, key=key, days=days, now=self.now()):
            token = self.signer.write(each)
            links.append(Link(each, token, address_on(shown_on, page, token), each.variant in opened))
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
