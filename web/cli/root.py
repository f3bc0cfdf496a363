"""The root command, what all commands share, and how they end."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from experiments.errors import EvenhandError
from experiments.store import Store, open_store
from experiments.store.schema import revision, upgrade
from web.settings import Settings, read_settings

_COMMANDS: Mapping[str, str] = {
    "demo": "web.cli.serving",
    "serve": "web.cli.serving",
    "worker": "web.cli.serving",
    "migrate": "web.cli.upkeep",
    "backup": "web.cli.backups",
    "restore": "web.cli.backups",
    "check": "web.cli.upkeep",
    "check-data": "web.cli.quality",
    "apply": "web.cli.ledger",
    "import": "web.cli.ledger",
    "export": "web.cli.data",
    "retain": "web.cli.data",
    "erase": "web.cli.privacy",
    "seed": "web.cli.data",
    "analyze": "web.cli.results",
    "overlaps": "web.cli.results",
    "readout": "web.cli.results",
    "verify": "web.cli.results",
    "assign": "web.cli.results",
    "preview": "web.cli.previews",
    "digest": "web.cli.digest",
    "power": "web.cli.planning",
    "simulate": "web.cli.planning",
    "audit": "web.cli.audit",
    "loadtest": "web.cli.load",
    "key": "web.cli.access",
    "token": "web.cli.access",
    "user": "web.cli.access",
}
"""Commands and the modules that hold them, imported when they are called: start-up stays quick."""


class _Root(click.Group):
    """Finds commands late and turns refusals into one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), f"{name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EvenhandError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except UnicodeEncodeError as problem:  # the terminal's bytes become lone surrogates
            raise click.ClickException("an argument holds bytes that are no text") from problem


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evenhand", prog_name="evenhand")
def main() -> None:
    """Evenhand: experiments that people can trust.

    Settings come from the environment; see the README.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def settings_of(**chosen: object) -> Settings:
    """Read the settings; options of the command line go before the environment."""
    return read_settings(**chosen)


@contextmanager
def ready_store(settings: Settings) -> Iterator[Store]:
    """Open the database, with the schema in place."""
    store = open_store(settings.ledger_url)
    try:
        if settings.embedded:
            upgrade(store)
        elif revision(store) is None:
            raise click.ClickException("the database has no schema yet; run: evenhand migrate")
        yield store
    finally:
        store.close()


def say(document: Any, *, as_json: bool, text: str) -> None:
    """Print an answer, for a program or for a person."""
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Show how far long work has come, on a terminal only; errors keep their own stream."""
    if not sys.stderr.isatty():
        yield lambda share: None  # noqa: ARG005 - nobody watches
        return
    with click.progressbar(length=1_000, label=label, file=sys.stderr) as bar:

        def show(share: float) -> None:
            bar.update(int(share * 1_000) - bar.pos)

        yield show
        show(1.0)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
