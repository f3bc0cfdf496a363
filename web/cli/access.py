"""Commands about who may come in: keys for programs, links for people."""

import click

from experiments.people import KeyKind, create_key, create_link, list_keys, revoke_key
from web.cli.ledger import ACTOR
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock
from web.settings import Settings


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


@click.group("user")
def user_command() -> None:
    """People who may sign in."""


@user_command.command("link")
@click.argument("name")
@json_option
def link(name: str, *, as_json: bool) -> None:
    """Print a link that signs NAME in once, within the hour."""
    settings = settings_of()
    with ready_store(settings) as store, store.write() as session:
        token = create_link(session=session, name=name, actor=ACTOR, now=clock())
    address = sign_in_address(settings, token)
    say({"name": name, "link": address}, as_json=as_json, text=address)


def sign_in_address(settings: Settings, token: str) -> str:
    """The address that signs in with a token."""
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{base}/enter?token={token}"
