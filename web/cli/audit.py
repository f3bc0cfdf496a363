"""Commands about who changed what."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from experiments import audit
from experiments.audit import AuditFilter, Entry
from web.cli.root import json_option, ready_store, say, settings_of

_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
_SHOWN = 60
"""Characters of a change that a line shows."""


@click.command("audit")
@click.option("--object", "object_", default="", help="Only changes of this, such as metric:spend.")
@click.option("--actor", default="", help="Only changes by this person or program.")
@click.option("--action", default="", help="Only changes of this kind, such as edit.")
@click.option("--since", type=_DAY, help="Only changes from this day or moment on, in UTC.")
@click.option("--until", type=_DAY, help="Only changes before this day or moment, in UTC.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
def audit_command(
    object_: str,
    actor: str,
    action: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show who changed what, the newest first."""
    wanted = AuditFilter(actor=actor, action=action, object=object_, since=_utc(since), until=_utc(until))
    with ready_store(settings_of()) as store, store.read() as session:
        entries = audit.list_entries(session=session, wanted=wanted, limit=limit)
    document = {"entries": [_document(each) for each in entries]}
    say(document, as_json=as_json, text="\n".join(map(_line, entries)) or "no such changes")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _document(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "at": entry.at.isoformat()}


def _line(entry: Entry) -> str:
    told = " ".join((entry.after or "").split())
    told = told if len(told) <= _SHOWN else f"{told[:_SHOWN]}…"
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.actor}  {entry.action}  {entry.object}  {told}".rstrip()
