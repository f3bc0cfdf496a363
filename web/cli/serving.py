"""Commands that serve."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from experiments import demo
from experiments.errors import InvalidInput
from experiments.people import create_link
from web.cli.access import sign_in_address
from web.cli.root import progress_bar, ready_store, settings_of
from web.cli.upkeep import unsafe
from web.deployment import VERSION, clock
from web.instance import sole_instance
from web.settings import Settings
from web.worker import Worker

BLOCKING_THREADS = 64
"""Threads of a worker that run the application. Most may wait for the ledger (`web.api.events.MOST_AT_ONCE`);
the others are always there for evaluation."""

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
    with sole_instance(settings.data_dir):
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
    with sole_instance(settings.data_dir):
        _serve(settings)


@click.command("worker")
@click.option("--parent", type=int, help="Leave when the process with this number is gone.")
def worker_command(parent: int | None) -> None:
    """Keep readouts fresh: analyse running experiments again when their data have changed."""
    settings = settings_of()
    with ready_store(settings) as store:
        worker = Worker(settings, store, parent=parent)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: worker.leaving.set())
        worker.run()


def _serve(settings: Settings) -> None:
    """Run the server until it is told to stop."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    _require_free(settings)
    # A forked worker would inherit locks that threads of this process held at that moment.
    multiprocessing.set_start_method("spawn", force=True)
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
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    )
    with _analysing():
        server.serve()


@contextmanager
def _analysing() -> Iterator[None]:
    """Keep readouts fresh in a process beside the workers that serve, as long as this one lives."""
    command = [sys.executable, "-m", "web", "worker", "--parent", str(os.getpid())]
    beside = subprocess.Popen(command)  # noqa: S603 - our own program, no shell, nothing from outside
    try:
        yield
    finally:
        beside.terminate()
        beside.wait(timeout=30)


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
