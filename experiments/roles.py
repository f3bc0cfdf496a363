"""Roles: what a person may do, what a token may do in a person's name, and the one place that refuses.

========== ========================================================= ====== ====== =====
scope      lets one                                                  viewer editor admin
========== ========================================================= ====== ====== =====
read       see everything but secrets, people and the audit log      yes    yes    yes
tokens     make, see and revoke one's own tokens                     yes    yes    yes
write      create and change experiments and what they stand on             yes    yes
launch     start, stop, approve, conclude and archive experiments           yes    yes
data       change the tracking plan, report another system's totals         yes    yes
keys       make, see and revoke the keys of programs                               yes
people     manage people, everybody's tokens, the project; audit log               yes
privacy    take out what is stored about a person                                  yes
========== ========================================================= ====== ====== =====

A token carries scopes of its own. What it may do is decided at each use, within what its owner may do then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from experiments.errors import NotPermitted


class Scope(StrEnum):
    """One kind of thing that somebody may do."""

    READ = "read"
    TOKENS = "tokens"
    WRITE = "write:experiments"
    LAUNCH = "launch"
    DATA = "data"
    KEYS = "keys"
    PEOPLE = "people"
    PRIVACY = "privacy"


class Role(StrEnum):
    """What somebody is in the project."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


_VIEWER = frozenset({Scope.READ, Scope.TOKENS})
_EDITOR = _VIEWER | {Scope.WRITE, Scope.LAUNCH, Scope.DATA}

GRANTS: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _EDITOR | {Scope.KEYS, Scope.PEOPLE, Scope.PRIVACY},
}
"""The scopes of each role."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do. ``token`` is the prefix of the token that speaks for them."""

    id: int
    name: str
    role: Role
    scopes: frozenset[Scope]
    token: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether they may."""
        return scope in self.scopes

    def require(self, scope: Scope) -> None:
        """Refuse what they may not do.

        Raises
        ------
        NotPermitted
            Naming the scope.
        """
        if not self.may(scope):
            holder = f"the token {self.token}" if self.token else f"the role {self.role}"
            raise NotPermitted(f"this needs the scope {scope}, which {holder} does not have", scope)

    def require_grantable(self, wanted: Iterable[Scope]) -> None:
        """Refuse to hand on more than they hold themselves.

        Raises
        ------
        NotPermitted
            Naming the first scope that is too much.
        """
        for scope in sorted(set(wanted) - self.scopes):
            raise NotPermitted(f"nobody grants more than they hold, and {scope} is not among it", scope)


def caller_of(*, id: int, name: str, role: Role) -> Caller:  # noqa: A002 - the word for it everywhere else
    """A person who asks for themselves, in a browser."""
    return Caller(id, name, role, GRANTS[role])
