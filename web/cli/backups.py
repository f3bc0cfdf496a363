"""Commands for the day after a disk has failed."""

from pathlib import Path

import click

from experiments import backups
from experiments.backups import Backup
from web.cli.ledger import ACTOR
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import VERSION, clock
from web.instance import sole_instance

_file = click.Path(path_type=Path)


@click.command("backup")
@click.argument("target", type=_file)
@json_option
def backup_command(target: Path, *, as_json: bool) -> None:
    """Write the ledger as it stands now to TARGET, a new .tar or .tar.gz file or a folder, while serving."""
    settings = settings_of()
    with ready_store(settings) as store, progress_bar("Copying") as progress:
        done = backups.back_up(
            store=store,
            state=settings.kept_path,
            target=target,
            now=clock(),
            version=VERSION,
            progress=progress,
        )
    say(done.to_json(), as_json=as_json, text=f"{_told(done)}, {done.bytes:,} bytes in {done.path}")


@click.command("restore")
@click.argument("source", type=_file)
@click.option("--replace", is_flag=True, help="Replace the ledger that is there; it is kept aside.")
@json_option
def restore_command(source: Path, *, replace: bool, as_json: bool) -> None:
    """Put the backup SOURCE in the ledger's place. No server may be running."""
    settings = settings_of()
    with sole_instance(settings.data_dir):
        done = backups.restore(
            url=settings.ledger_url,
            state=settings.kept_path,
            columns=settings.columns_path,
            source=source,
            actor=ACTOR,
            now=clock(),
            replace=replace,
        )
    lines = [f"restored {_told(done)} of {done.created_at:%Y-%m-%d %H:%M} UTC"]
    if done.aside is not None:
        lines.append(f"what was there is kept as {done.aside}")
    if done.erased_since:
        lines.append(f"erased since this backup, to be erased again: {done.erased_since:,} ids")
    say(done.to_json(), as_json=as_json, text="\n".join(lines))


def _told(done: Backup) -> str:
    found = done.contents
    return f"{found.experiments:,} experiments, {found.exposures:,} exposures and {found.events:,} events"
