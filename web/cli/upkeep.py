"""Commands for the people who run a deployment."""

import ipaddress

import click

from experiments.errors import EvenhandError
from experiments.legibility import list_illegible
from experiments.pseudonyms import LEAST_KEY
from experiments.store import Store, open_store
from experiments.store.schema import HEAD, revision, upgrade
from web.cli.root import json_option, say, settings_of
from web.engine import engine_of
from web.settings import Settings


@click.command("migrate")
@json_option
def migrate_command(*, as_json: bool) -> None:
    """Bring the database to the schema of this version."""
    store = open_store(settings_of().ledger_url)
    changed = upgrade(store)
    store.close()
    done = f"schema {HEAD} is in place" if changed else f"nothing to do; the schema is {HEAD}"
    say({"schema": HEAD, "changed": changed}, as_json=as_json, text=done)


@click.command("check")
@json_option
def check_command(*, as_json: bool) -> None:
    """Look at the settings and the database, and explain what is unsafe."""
    settings = settings_of()
    problems = unsafe(settings)
    store = open_store(settings.ledger_url)
    at = revision(store)
    if at == HEAD:
        with store.read() as session:
            problems += [str(each) for each in list_illegible(session=session)]
        problems += _of_the_engine(settings, store)
    store.close()
    if at != HEAD and not (at is None and settings.embedded):
        problems.append(f"the database is at schema {at}, this version needs {HEAD}: run evenhand migrate")
    say(
        {"ok": not problems, "problems": problems},
        as_json=as_json,
        text="\n".join(problems) or "nothing unsafe was found",
    )
    if problems:
        raise SystemExit(1)


def _of_the_engine(settings: Settings, store: Store) -> list[str]:
    """What keeps the engine from answering."""
    if settings.engine == "duckdb" and not settings.warehouse:
        return []
    try:
        return engine_of(settings, store).problems()
    except EvenhandError as problem:
        return [str(problem)]


def unsafe(settings: Settings) -> list[str]:
    """What is unsafe about the settings, one sentence each."""
    problems = []
    secret = settings.secret_key.get_secret_value()
    if secret and len(secret) < 32:
        problems.append("EVENHAND_SECRET_KEY is shorter than 32 characters: make it long and random")
    pseudonym_key = settings.pseudonym_key.get_secret_value()
    if pseudonym_key and len(pseudonym_key) < LEAST_KEY:
        problems.append(
            f"EVENHAND_PSEUDONYM_KEY is shorter than {LEAST_KEY} characters: make it long, random"
        )
    if not _loopback(settings.host) and not secret:
        problems.append(
            f"EVENHAND_SECRET_KEY is not set and {settings.host} can be reached from outside: "
            "set it to at least 32 random characters"
        )
    return problems


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
