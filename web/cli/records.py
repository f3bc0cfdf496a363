"""Commands that read the records: the audit log."""

import click

from experiments.audit import AuditFilter, Entry, list_entries
from web.cli.root import json_option, ready_store, say, settings_of


@click.command("audit")
@click.option("--object", "changed", default="", help="Only changes of this, such as metric:paid.")
@click.option("--actor", default="", help="Only changes by this person.")
@click.option("--action", default="", help="Only changes of this kind.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def audit_command(changed: str, actor: str, action: str, limit: int, *, as_json: bool) -> None:
    """Show who changed what, the newest first."""
    wanted = AuditFilter(object=changed, actor=actor, action=action)
    with ready_store(settings_of()) as store, store.read() as session:
        found = list_entries(session=session, wanted=wanted, limit=limit)
    document = [
        {
            "at": each.at.isoformat(),
            "actor": each.actor,
            "token": each.token,
            "action": each.action,
            "object": each.object,
            "before": each.before,
            "after": each.after,
        }
        for each in found
    ]
    lines = "\n".join(_line(each) for each in found) or "nothing was changed yet"
    say({"changes": document}, as_json=as_json, text=lines)


def _line(entry: Entry) -> str:
    at = entry.at.isoformat(timespec="seconds")
    return f"{at}  {entry.actor}{f' ({entry.token})' if entry.token else ''}  {entry.action}  {entry.object}"
