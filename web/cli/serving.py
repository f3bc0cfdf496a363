"""Commands that serve."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from experiments import demo
from experiments.errors import InvalidInput
from experiments.people import create_link
from experiments.store import open_store
from web.cli.access import sign_in_address
from web.cli.root import progress_bar, ready_store, settings_of
from web.cli.upkeep import unsafe
from web.deployment import VERSION, clock
from web.settings import Settings
from web.worker import Worker

BLOCKING_THREADS = 8
"""Threads of a worker that run the application; the rest of its work is not Python's."""

_host = click.option("--host", help="Address to listen on (EVENHAND_HOST; 127.0.0.1).")
_port = click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port to listen on (EVENHAND_PORT; 8000)."
)
_workers = click.option("--workers", type=click.IntRange(1, 64), help="Processes (EVENHAND_WORKERS; 1).")


@click.command("serve")
@_host
@_port
@_workers
def serve_command(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the doors and the pages, and keep readouts fresh."""
    settings = settings_of(host=host, port=port, workers=workers)
    if problems := unsafe(settings):
        raise InvalidInput.at("", f"refusing to serve: {problems[0]}")
    with ready_store(settings):
        pass
    click.echo(f"Evenhand serves on http://{settings.host}:{settings.port}")
    _serve(settings)


@click.command("demo")
@_host
@_port
@_workers
@click.option("--no-serve", is_flag=True, help="Only build the demo's data.")
def demo_command(host: str | None, port: int | None, workers: int | None, *, no_serve: bool) -> None:
    """Rebuild five real headline tests and a live experiment, and serve them."""
    settings = settings_of(host=host, port=port, workers=workers)
    if problems := unsafe(settings):
        raise InvalidInput.at("", f"refusing to serve: {problems[0]}")
    with ready_store(settings) as store:
        with progress_bar("Building the demo") as progress:
            demo.build(
                store=store, columns=settings.columns_path, now=clock(), version=VERSION, progress=progress
            )
        with store.write() as session:
            token = create_link(session=session, name="demo", actor="demo", now=clock())
    click.echo("Five real headline tests and one live experiment are ready.")
    if no_serve:
        return
    click.echo(
        f"Open this link within the hour; it signs you in once:\n\n  {sign_in_address(settings, token)}\n"
    )
    _serve(settings)


def _serve(settings: Settings) -> None:
    """Run the server until it is told to stop."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    _require_free(settings)
    # Workers are processes of their own and read the same settings from the environment.
    os.environ |= {
        "EVENHAND_HOST": settings.host,
        "EVENHAND_PORT": str(settings.port),
        "EVENHAND_DATA_DIR": str(settings.data_dir.resolve()),
        "EVENHAND_PUBLIC_URL": settings.public_url or f"http://{settings.host}:{settings.port}",
    }
    server = Server(
        "web.app:serve_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=BLOCKING_THREADS,
        factory=True,
        websockets=False,
        log_level=LogLevels.error,
    )
    with _analysing(settings):
        server.serve()


@contextmanager
def _analysing(settings: Settings) -> Iterator[None]:
    """Keep readouts fresh in this process, beside the workers that serve."""
    store = open_store(settings.ledger_url)
    worker = Worker(settings, store)
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.leaving.set()
        thread.join(timeout=10)
        store.close()


def _require_free(settings: Settings) -> None:
    """Say clearly that a port is taken, before any worker starts."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            place = f"{settings.host}:{settings.port}"
            raise InvalidInput.at(
                place, f"cannot listen there ({problem.strerror}); choose --port"
            ) from problem
