"""Commands that press."""

import secrets
from urllib.parse import SplitResult, urlsplit

import click

from experiments.errors import InvalidInput, Unavailable
from web.cli.root import json_option, progress_bar, say, settings_of
from web.pressure import EVENT, Load, batches, evaluations, press


@click.command("loadtest")
@click.option("--url", help="Address of the server; the one that the settings name without it.")
@click.option("--key", required=True, help="A server key, or a client key.")
@click.option("--experiment", help="Evaluate this experiment alone; without it, all of them at once.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600), default=5, show_default=True, help="Of each part."
)
@click.option("--connections", type=click.IntRange(1, 256), default=16, show_default=True)
@click.option("--batch", type=click.IntRange(1, 1_000), default=100, show_default=True, help="Events in one.")
@json_option
def loadtest_command(
    url: str | None,
    key: str,
    experiment: str | None,
    seconds: float,
    connections: int,
    batch: int,
    *,
    as_json: bool,
) -> None:
    """Press a server that runs: evaluations, batches of events, then evaluations while batches arrive.

    Evaluations record no exposures. The events are stored, under the name "Load Test": afterwards,
    evenhand retain --event "Load Test" --older-than 1h takes them out.
    """
    settings = settings_of()
    address = url or f"http://{settings.host}:{settings.port}"
    server = _parsed(address)
    decide = evaluations(experiment)
    parts = [
        ("evaluations", [decide]),
        ("batches", [batches(batch, f"load-{secrets.token_hex(4)}-1")]),
        ("evaluations under batches", [decide, batches(batch, f"load-{secrets.token_hex(4)}-2")]),
    ]
    found: list[Load] = []
    with progress_bar("Pressing") as progress:
        for what, requests in parts:
            found.append(press(server, key, what, requests, seconds, connections))
            progress(len(found) / len(parts))
    document = {"url": address, "connections": connections, "results": [each.to_json() for each in found]}
    say(document, as_json=as_json, text="\n".join(_lines(found)))
    if not any(each.requests for each in found):
        raise Unavailable(f"{address} answered nothing with 200: {_failures(found[0])}")


def _parsed(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InvalidInput.at("--url", "expected an address such as http://127.0.0.1:8000")
    return parts


def _lines(found: list[Load]) -> list[str]:
    times = "".join(f"{name:>10}" for name in ("p50 ms", "p95 ms", "p99 ms", "max ms"))
    lines = [f"{'':<26}{'requests/s':>12}{'events/s':>12}{times}"]
    for each in found:
        times = "".join(f"{value * 1_000:>10.1f}" for value in each.quantiles.values())
        events = f"{each.events / each.seconds:>12,.0f}"
        lines.append(f"{each.what:<26}{each.rate:>12,.0f}{events}{times}")
        if each.failed:
            lines.append(f"  failed: {_failures(each)}")
    lines.append(f'the events are stored as "{EVENT}"; evenhand retain --event takes them out')
    return lines


def _failures(load: Load) -> str:
    return ", ".join(f"{count:,} x {what}" for what, count in sorted(load.failed.items())) or "nothing"
