"""Commands about who may come in: keys for programs, links for people."""

import click

from experiments.members import find_person, list_members, remove
from experiments.people import KeyKind, create_key, create_link, list_keys, revoke_key
from experiments.roles import Role, caller_of
from experiments.tokens import (
    LONGEST,
    AdminToken,
    create_token,
    list_tokens,
    parse_token,
    revoke_token,
)
from web.cli.ledger import ACTOR
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock
from web.settings import Settings

OPERATOR = caller_of(id=0, name=ACTOR, role=Role.ADMIN)
"""Whoever may run commands here may do everything."""

_role = click.option("--role", type=click.Choice([str(role) for role in Role]), help="What they become.")


@click.group("key")
def key_command() -> None:
    """Keys for the doors: server keys are secret, client keys may be seen by everybody."""


@key_command.command("create")
@click.option("--kind", type=click.Choice([str(kind) for kind in KeyKind]), required=True)
@click.option("--name", required=True, help="What it is for.")
@click.option("--no-exposures", is_flag=True, help="Evaluations with it record no exposures.")
@json_option
def create(kind: str, name: str, *, no_exposures: bool, as_json: bool) -> None:
    """Make a key. It is shown once."""
    with ready_store(settings_of()) as store, store.write() as session:
        key, secret = create_key(
            session=session,
            kind=KeyKind(kind),
            name=name,
            actor=ACTOR,
            now=clock(),
            exposes=not no_exposures,
        )
    say({"key": secret, "prefix": key.prefix, "kind": key.kind}, as_json=as_json, text=secret)


@key_command.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Show all keys, without their secrets."""
    with ready_store(settings_of()) as store, store.read() as session:
        keys = list_keys(session=session)
    document = [
        {"prefix": key.prefix, "kind": key.kind, "name": key.name, "revoked": key.revoked_at is not None}
        for key in keys
    ]
    lines = [f"{key.prefix}  {key.kind:<6}  {key.name}{'  revoked' * bool(key.revoked_at)}" for key in keys]
    say({"keys": document}, as_json=as_json, text="\n".join(lines) or "no keys yet")


@key_command.command("revoke")
@click.argument("prefix")
@json_option
def revoke(prefix: str, *, as_json: bool) -> None:
    """Close the key with PREFIX for good."""
    with ready_store(settings_of()) as store, store.write() as session:
        key = revoke_key(session=session, prefix=prefix, actor=ACTOR, now=clock())
    say({"prefix": key.prefix, "revoked": True}, as_json=as_json, text=f"{key.prefix} is revoked")


@click.group("token")
def token_command() -> None:
    """Admin tokens: a program manages the project with one, in a person's name."""


@token_command.command("create")
@click.option("--owner", required=True, help="Whom it speaks for.")
@click.option("--name", required=True, help="What it is for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; may be repeated.")
@click.option("--days", type=click.IntRange(1, LONGEST.days), default=90, show_default=True)
@json_option
def create_admin_token(owner: str, name: str, scopes: tuple[str, ...], days: int, *, as_json: bool) -> None:
    """Make an admin token, never wider than its owner. It is shown once."""
    draft = parse_token({"name": name, "scopes": scopes, "days": days})
    with ready_store(settings_of()) as store, store.write() as session:
        by = find_person(session=session, name=owner).caller
        token, secret = create_token(session=session, draft=draft, by=by, now=clock())
    document = {"token": secret, "prefix": token.prefix, "owner": owner, "scopes": token.scopes}
    say({**document, "expires_at": token.expires_at.isoformat()}, as_json=as_json, text=secret)


@token_command.command("list")
@json_option
def list_admin_tokens(*, as_json: bool) -> None:
    """Show all admin tokens, without their secrets."""
    with ready_store(settings_of()) as store, store.read() as session:
        found = [(token, _state(token)) for token in list_tokens(session=session)]
    document = [
        {
            "prefix": token.prefix,
            "owner": token.owner,
            "name": token.name,
            "scopes": token.scopes,
            "state": state,
            "expires_at": token.expires_at.isoformat(),
            "last_used_at": token.last_used_at and token.last_used_at.isoformat(),
        }
        for token, state in found
    ]
    lines = [
        f"{token.prefix}  {state:<7}  {token.owner}  {token.name}  {' '.join(token.scopes)}"
        for token, state in found
    ]
    say({"tokens": document}, as_json=as_json, text="\n".join(lines) or "no tokens yet")


@token_command.command("revoke")
@click.argument("prefix")
@json_option
def revoke_admin_token(prefix: str, *, as_json: bool) -> None:
    """Close the admin token with PREFIX for good."""
    with ready_store(settings_of()) as store, store.write() as session:
        token = revoke_token(session=session, prefix=prefix, by=OPERATOR, now=clock())
    say({"prefix": token.prefix, "revoked": True}, as_json=as_json, text=f"{token.prefix} is revoked")


@click.group("user")
def user_command() -> None:
    """People who may sign in."""


@user_command.command("link")
@click.argument("name")
@_role
@json_option
def link(name: str, *, role: str | None, as_json: bool) -> None:
    """Print a link that signs NAME in once, within the hour.

    The first person is an admin, everybody after them an editor, unless --role says otherwise.
    """
    settings = settings_of()
    with ready_store(settings) as store, store.write() as session:
        given = Role(role) if role else None
        token = create_link(session=session, name=name, actor=ACTOR, now=clock(), role=given)
    address = sign_in_address(settings, token)
    say({"name": name, "link": address}, as_json=as_json, text=address)


@user_command.command("list")
@json_option
def list_people(*, as_json: bool) -> None:
    """Show everybody who may sign in, and their roles."""
    with ready_store(settings_of()) as store, store.read() as session:
        found = list_members(session=session, now=clock())
    document = [{"name": each.name, "role": each.role, "sessions": each.sessions} for each in found]
    lines = [f"{each.role:<6}  {each.name}" for each in found]
    say({"people": document}, as_json=as_json, text="\n".join(lines) or "nobody yet")


@user_command.command("remove")
@click.argument("name")
@json_option
def remove_person(name: str, *, as_json: bool) -> None:
    """Let NAME in no more: sessions end, tokens are revoked."""
    with ready_store(settings_of()) as store, store.write() as session:
        person = find_person(session=session, name=name)
        remove(session=session, id=person.id, by=OPERATOR, now=clock())
    say({"name": name, "removed": True}, as_json=as_json, text=f"{name} is removed")


def _state(token: AdminToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "open" if token.is_open(clock()) else "expired"


def sign_in_address(settings: Settings, token: str) -> str:
    """The address that signs in with a token."""
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{base}/enter?token={token}"
