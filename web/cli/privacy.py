"""Commands about what is kept of a person."""

from dataclasses import asdict

import click

from experiments.erasure import KINDS, Removed, count, erase
from experiments.pseudonyms import Pseudonyms, read_key
from web.cli.ledger import ACTOR
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import clock
from web.settings import Settings


@click.command("erase")
@click.argument("unit")
@click.option("--kind", type=click.Choice(KINDS), default="user_id", show_default=True, help="What UNIT is.")
@click.option("--count", "only_count", is_flag=True, help="Say what would go, and take nothing out.")
@json_option
def erase_command(unit: str, kind: str, *, only_count: bool, as_json: bool) -> None:
    """Take everything out of the ledger that is stored about the person with the id UNIT; readouts stay."""
    settings = settings_of()
    if only_count:
        with ready_store(settings) as store:
            found = count(store=store, unit=unit, kind=kind, pseudonyms=_pseudonyms(settings))
        told = ["nothing is stored under this id"] if found.nothing else _counts(found, "would erase")
        say(asdict(found), as_json=as_json, text="\n".join(told))
        return
    with ready_store(settings) as store, progress_bar("Erasing") as progress:
        removed = erase(
            store=store,
            columns=settings.columns_path,
            unit=unit,
            kind=kind,
            actor=ACTOR,
            now=clock(),
            pseudonyms=_pseudonyms(settings),
            progress=progress,
        )
    say(asdict(removed), as_json=as_json, text="\n".join(_told(removed)))


def _pseudonyms(settings: Settings) -> Pseudonyms | None:
    return read_key(settings.pseudonym_key.get_secret_value())


def _told(removed: Removed) -> list[str]:
    lines = ["nothing was stored under this id"] if removed.nothing else _counts(removed, "erased")
    lines.append(f"written down as unit:{removed.digest}; what arrives late from before now is ignored")
    if removed.overrides:
        lines.append(f"still placed by hand in: {', '.join(removed.overrides)}; edit them")
    if not removed.nothing:
        lines.append("backups and exports from before now still hold it; columns.duckdb was made to forget")
    return lines


def _counts(removed: Removed, done: str) -> list[str]:
    counts = {
        "exposures": removed.exposures,
        "events": removed.events,
        "identities": removed.identities,
        "rejected messages": removed.rejections,
        "rows of others that lost the anonymous id": removed.detached,
    }
    head = f"{done} under {removed.users} user ids and {removed.anonymous} anonymous ids:"
    return [head, *(f"  {count:>10,}  {name}" for name, count in counts.items() if count)]
