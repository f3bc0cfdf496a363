"""People: who may come in, and the tokens that speak for them."""

from typing import Any

from experiments import members, tokens
from experiments.members import Member
from experiments.roles import Scope
from experiments.tokens import AdminToken, TokenDraft
from web import auth
from web.api.door import Asking, serves
from web.api.management.shapes import moment
from web.api.orders import InvitationOrder, RoleOrder
from web.api.replies import Page, Reply, page_of


@serves("show_me")
def show_me(asking: Asking) -> Reply:
    """Who asks, and what they may do."""
    caller = asking.caller
    scopes = [scope for scope in Scope if caller.may(scope)]
    return Reply({"name": caller.name, "role": caller.role, "scopes": scopes, "token": caller.token})


@serves("list_people")
def list_people(asking: Asking, wanted: Page) -> Reply:
    """Everybody who may sign in."""
    found = members.list_members(session=asking.session, now=asking.now)
    return page_of(found, wanted, name="people", place=lambda each: [each.name], shown=_shown_member)


@serves("invite_person")
def invite_person(asking: Asking, draft: InvitationOrder) -> Reply:
    """A link that signs somebody in once."""
    token = members.invite(name=draft.name, role=draft.role, **asking.personal)
    return Reply({"name": draft.name, "link": auth.link_to_enter(token)}, 201, secrets=("link",))


@serves("change_role")
def change_role(asking: Asking, id: int, draft: RoleOrder) -> Reply:  # noqa: A002 - the person's number
    """Another role."""
    person = members.change_role(id=id, role=draft.role, **asking.personal)
    return Reply({"id": person.id, "name": person.name, "role": person.role})


@serves("remove_person")
def remove_person(asking: Asking, id: int) -> Reply:  # noqa: A002 - as above
    """Let somebody in no more."""
    members.remove(id=id, **asking.personal)
    return Reply({"id": id, "removed": True})


@serves("end_sessions")
def end_sessions(asking: Asking, id: int) -> Reply:  # noqa: A002 - as above
    """Sign somebody out everywhere."""
    return Reply({"id": id, "ended": members.sign_out_everywhere(id=id, **asking.personal)})


@serves("list_tokens")
def list_tokens(asking: Asking, wanted: Page) -> Reply:
    """One's own tokens, or everybody's."""
    owner = None if asking.caller.may(Scope.PEOPLE) else asking.caller.id
    found = tokens.list_tokens(session=asking.session, owner=owner)
    return page_of(found, wanted, name="tokens", place=lambda each: [each.prefix], shown=_shown_token)


@serves("create_token")
def create_token(asking: Asking, draft: TokenDraft) -> Reply:
    """A new token, shown once."""
    token, secret = tokens.create_token(draft=draft, **asking.personal)
    return Reply({**_shown_token(token), "token": secret}, 201, secrets=("token",))


@serves("revoke_token")
def revoke_token(asking: Asking, prefix: str) -> Reply:
    """Close a token for good."""
    return Reply(_shown_token(tokens.revoke_token(prefix=prefix, **asking.personal)))


def _shown_member(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role,
        "created_at": moment(member.created_at),
        "sessions": member.sessions,
    }


def _shown_token(token: AdminToken) -> dict[str, Any]:
    return {
        "prefix": token.prefix,
        "owner": token.owner,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "last_used_at": moment(token.last_used_at),
        "revoked_at": moment(token.revoked_at),
    }
