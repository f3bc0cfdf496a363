"""Words about people, tokens, keys, the project and the audit log."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from experiments.audit import Entry
from experiments.people import ApiKey, KeyKind
from experiments.roles import Role, Scope
from experiments.tokens import AdminToken
from web.wording.language import gettext
from web.wording.readings import Chip

SHORT = 80
"""Characters of a change that fit into the line that tells it."""


def roles() -> Mapping[Role, tuple[str, str]]:
    """The roles, each with what it lets one do."""
    return {
        Role.VIEWER: (gettext("Viewer"), gettext("sees everything but people and the audit log")),
        Role.EDITOR: (gettext("Editor"), gettext("writes, starts, stops and decides experiments")),
        Role.ADMIN: (gettext("Admin"), gettext("manages people, keys and the project, too")),
    }


def scopes() -> Mapping[Scope, str]:
    """What each scope lets a token do."""
    return {
        Scope.READ: gettext("see everything but secrets, people and the audit log"),
        Scope.TOKENS: gettext("make and revoke tokens that can do no more than itself"),
        Scope.WRITE: gettext("create and change experiments and what they stand on"),
        Scope.LAUNCH: gettext("start, stop, approve, conclude and archive experiments"),
        Scope.DATA: gettext("change the tracking plan and report another system's totals"),
        Scope.KEYS: gettext("make and revoke the keys of programs"),
        Scope.PEOPLE: gettext("manage people and the project, and see the audit log"),
        Scope.PRIVACY: gettext("take out what is stored about a person"),
    }


def key_kinds() -> Mapping[KeyKind, tuple[str, str]]:
    """The kinds of keys, each with who may see it."""
    return {
        KeyKind.SERVER: (gettext("Server key"), gettext("secret; for programs of your own")),
        KeyKind.CLIENT: (
            gettext("Client key"),
            gettext("public; for pages and apps, asks and tracks only"),
        ),
    }


def inferences() -> Mapping[str, str]:
    """When results may be looked at."""
    return {
        "": gettext("at any time (chosen for you)"),
        "sequential": gettext("at any time, up to a planned size"),
        "always_valid": gettext("at any time, with no planned size"),
        "fixed": gettext("once, at the planned end"),
        "group_sequential": gettext("a few times, at planned looks"),
        "bayesian": gettext("at any time, with a prior"),
    }


def corrections() -> Mapping[str, str]:
    """How several questions share one error rate."""
    return {
        "holm": gettext("Holm: no false alarm among all of them"),
        "benjamini_hochberg": gettext("Benjamini–Hochberg: few false alarms among those found"),
        "none": gettext("none: each question for itself"),
    }


def token_chip(token: AdminToken, now: datetime) -> Chip:
    """Say whether a token can be used."""
    if token.revoked_at is not None:
        return Chip("quiet", "–", gettext("Revoked"))
    if not token.is_open(now):
        return Chip("quiet", "–", gettext("Expired"))
    return Chip("safe", "✓", gettext("In force"))


def key_chip(key: ApiKey) -> Chip:
    """Say whether a key can be used."""
    if key.revoked_at is not None:
        return Chip("quiet", "–", gettext("Revoked"))
    return Chip("safe", "✓", gettext("In force"))


def action_word(action: str) -> str:
    """Say what was done; what has no word of its own stays as it is written down."""
    known = _ACTIONS.get(action)
    return known() if known else action


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change did: ``short`` where that fits into the line, both sides of it otherwise."""

    short: str = ""
    before: str = ""
    after: str = ""


def difference(entry: Entry) -> Difference:
    """Say what a change did: definitions with one member on each line."""
    before, after = (_readable(text or "") for text in (entry.before, entry.after))
    if "\n" in before + after or len(before + after) > SHORT:
        return Difference(before=before, after=after)
    return Difference(short=" → ".join(text for text in (before, after) if text))


def _readable(text: str) -> str:
    if not text.startswith("{"):
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def thing(name: str) -> str:
    """Say what it was done to."""
    kind, colon, key = name.partition(":")
    known = _THINGS.get(kind if colon else f"{name}:" if name in _ALONE else "")
    return known().strip() + (f" {key}" if key else "") if known else name


_ALONE = ("project", "tracking")

_ACTIONS: dict[str, Callable[[], str]] = {
    "create": lambda: gettext("created"),
    "edit": lambda: gettext("changed"),
    "review": lambda: gettext("handed over for review"),
    "approve": lambda: gettext("approved"),
    "running": lambda: gettext("started"),
    "stopped": lambda: gettext("stopped"),
    "decide": lambda: gettext("decided"),
    "concluded": lambda: gettext("concluded"),
    "archived": lambda: gettext("archived"),
    "new_phase": lambda: gettext("began a new phase"),
    "invite": lambda: gettext("invited"),
    "role": lambda: gettext("changed the role"),
    "remove": lambda: gettext("removed"),
    "sign_out": lambda: gettext("signed out everywhere"),
    "revoke": lambda: gettext("revoked"),
    "erase": lambda: gettext("erased"),
    "report": lambda: gettext("wrote the report"),
    "share": lambda: gettext("shared"),
    "unshare": lambda: gettext("revoked the link to"),
    "threshold": lambda: gettext("set a threshold"),
}
_THINGS: dict[str, Callable[[], str]] = {
    "metric": lambda: gettext("metric"),
    "layer": lambda: gettext("layer"),
    "holdout": lambda: gettext("holdout"),
    "segment": lambda: gettext("segment"),
    "person": lambda: gettext("person"),
    "key": lambda: gettext("key"),
    "token": lambda: gettext("token"),
    "project:": lambda: gettext("the project"),
    "tracking:": lambda: gettext("the tracking plan"),
}
