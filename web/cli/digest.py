"""The command that tells what happened over all experiments."""

import click

from experiments import catalog, registry
from experiments.digest import MOST_DAYS, digest_of
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock
from web.wording.digests import Told, tell
from web.wording.language import LANGUAGES, speaking


@click.command("digest")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=1, help="How far to look back; 7 for a week."
)
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", help="In which language.")
@json_option
def digest_command(days: int, language: str, *, as_json: bool) -> None:
    """Tell what needs somebody, what was decided, started and alerted, and how everything stands."""
    with ready_store(settings_of()) as store, store.read() as session, speaking(language):
        found = digest_of(session=session, now=clock(), days=days)
        metrics = {each.key: each for each in registry.list_metrics(session=session)}
        titles = {each.key: each.title for each in catalog.list_experiments(session=session)}
        told = tell(found, metrics, titles)
    document = {"since": found.since.isoformat(), "until": found.until.isoformat(), **told.to_json()}
    say(document, as_json=as_json, text=_written(told))


def _written(told: Told) -> str:
    lines = [told.heading]
    for part in told.parts:
        lines += ["", f"{part.heading} ({len(part.pieces)})"]
        lines += [f"  {piece.title}: {piece.text}" for piece in part.pieces]
    return "\n".join(lines)
