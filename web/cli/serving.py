"""Commands that serve.

Why granian
-----------
Measured in one run, two workers on two busy cores, 64 connections: an empty application behind gunicorn's
threads answered 0.15 of the requests that it answered behind granian. What takes 10 to 15 µs here is not
worth 400 µs of server around it.

What it lets through was looked at with raw sockets. Both servers hand on a body that is shorter than its
Content-Length, so the doors compare the two themselves (`web.api.bodies`). gunicorn refuses more: lines that
end in a bare LF, Content-Length beside Transfer-Encoding, two Host headers. Granian takes the first and the
last; of the second it believes the chunks, as the standard says, and closes the connection, so that nothing
can hide behind it. It hands on a chunked body without its last chunk as if it were whole; what we accept (a
JSON document, a gzip stream) carries its own end, and half of it does not parse. Both refuse doubled lengths,
folded headers and NUL. Granian's limit for headers is 400 kB unless it is told another.

Its open issue 527 (an answer "is unsendable, but is being dropped on another thread") could not be brought
about in 2.8.7 with exceptions in cycles and a collector in another thread; but a worker whose application let
exceptions out aborted once at its end. So none leaves ours: the doors and Flask answer every failure.

- Its own interface, RSGI, with uvloop. WSGI makes more decisions on a machine that does nothing else (47,000
  against 27,000 a second, p99 8.5 against 5.6 ms), and fewer on a busy one (12,500 against 18,600, p99 49
  against 23 ms): each request holds a thread, and threads that run hand the interpreter to each other all the
  time. What decided is the ledger: of those who wait for its commit, WSGI can hold as many as there are
  threads to spare, and has to refuse the others (`web.front`).
- Workers end by themselves when the server tells them, and finish their requests; then, and not before,
  ``atexit`` runs, where the ledger's writer writes what it holds. Started by ``fork`` they would skip it.
- A worker that is told twice in one moment never leaves (the interrupt of a terminal goes to everybody), so
  workers live in process groups of their own.
"""

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from experiments import demo
from experiments.errors import InvalidInput, Unavailable
from experiments.people import create_link
from web.cli.access import sign_in_address
from web.cli.root import progress_bar, ready_store, settings_of
from web.cli.upkeep import unsafe
from web.deployment import VERSION, clock
from web.engine import engine_of
from web.instance import sole_instance
from web.settings import Settings
from web.worker import Worker

LARGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers; more is answered 431. Bodies have limits of their own."""

HEAD_PATIENCE = 10
"""Seconds that a client may take to send them, so that slow senders cannot hold every connection."""

DATABASE_PATIENCE = 5
"""Seconds after which the worker tries again when the database is away at its start."""

LEAVING_PATIENCE = 30
"""Seconds that a worker may take to finish its requests and write what it holds when it is told to leave."""

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
        try:
            with ready_store(settings):
                pass
        except Unavailable as problem:
            if not settings.kept_path.exists():
                raise
            click.echo(f"Serving what was last in force: {problem}", err=True)
        click.echo(f"Evenhand serves on http://{settings.host}:{settings.port}")
        _serve(settings)


@click.command("demo")
@_host
@_port
@_workers
@click.option("--no-serve", is_flag=True, help="Only build the demo's data.")
def demo_command(host: str | None, port: int | None, workers: int | None, *, no_serve: bool) -> None:
    """Rebuild five real headline tests and a synthetic shop, and serve them."""
    settings = settings_of(host=host, port=port, workers=workers)
    if problems := unsafe(settings):
        raise InvalidInput.at("", f"refusing to serve: {problems[0]}")
    with ready_store(settings) as store:
        with progress_bar("Building the demo") as progress:
            demo.build(
                store=store,
                engine=engine_of(settings, store),
                now=clock(),
                version=VERSION,
                progress=progress,
            )
        with store.write() as session:
            token = create_link(session=session, name="demo", actor="demo", now=clock())
    click.echo("Five real headline tests and a synthetic shop with a live experiment are ready.")
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
    leaving = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: leaving.set())
    while not leaving.is_set():
        try:
            with ready_store(settings) as store:
                Worker(settings, store, parent=parent, leaving=leaving).run()
        except Unavailable:
            leaving.wait(DATABASE_PATIENCE)


def _serve(settings: Settings) -> None:
    """Run the server until it is told to stop."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    _require_free(settings)
    # A forked worker would inherit locks that threads of this process held at that moment.
    multiprocessing.set_start_method("spawn", force=True)
    _hand_on(settings)
    server = Server(
        "web.app:serve_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        # Waiting requests cost little here and much in Python; each is a small task of the server's own.
        backpressure=1_024,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEAD_PATIENCE * 1_000, keep_alive=True, max_buffer_size=LARGEST_HEAD
        ),
        factory=True,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=LEAVING_PATIENCE,
    )
    with _analysing():
        server.serve()


def _hand_on(settings: Settings) -> None:
    """Put into the environment what the workers, processes of their own, read there."""
    counters = settings.data_dir.resolve() / "metrics"
    shutil.rmtree(counters, ignore_errors=True)  # those of processes that are gone
    counters.mkdir(parents=True)
    os.environ |= {
        "EVENHAND_HOST": settings.host,
        "EVENHAND_PORT": str(settings.port),
        "EVENHAND_DATA_DIR": str(settings.data_dir.resolve()),
        "EVENHAND_PUBLIC_URL": settings.public_url or f"http://{settings.host}:{settings.port}",
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
    }


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
