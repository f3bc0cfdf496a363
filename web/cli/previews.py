"""The command that makes preview links."""

import click

from experiments.previews import LIFETIMES, Signer
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock
from web.previews import Link, PreviewDesk
from web.settings import secret_key_of


@click.command("preview")
@click.argument("key")
@click.option("--page", default="", help="A page of the project's site.")
@click.option("--days", type=click.Choice([str(each) for each in LIFETIMES]), default="7", show_default=True)
@json_option
def preview_command(key: str, page: str, days: str, *, as_json: bool) -> None:
    """Make a link for each variant of the experiment KEY that shows it to whoever opens it."""
    settings = settings_of()
    with ready_store(settings) as store, store.read() as session:
        desk = PreviewDesk(Signer.from_secret(secret_key_of(settings)), store, clock)
        links = desk.links(session=session, key=key, page=page, days=int(days))
    say([each.to_json() for each in links], as_json=as_json, text="\n".join(map(_told, links)))


def _told(link: Link) -> str:
    return f"{link.preview.variant}: {link.address or f'?_variant={link.token}'}"
