"""How fast decisions are over HTTP. Run by hand: ``python -m tests.benchmarks.http_speed``.

Everything is measured in one run on one machine, several rounds each in turn, and printed as ratios: only
those can be compared between machines. Load comes from ``wrk`` (``apt-get install wrk``). Options:

``--parts PART …`` some of ``http``, ``process``, ``memory`` and ``many``; all of them unless told otherwise
``--wsgi``         an empty application behind the same server's interface for WSGI, too
``--unleash``      unleash-server from npm on a PostgreSQL of its own, ten rules in bulk
``--growthbook-proxy``  a Node server with @growthbook/proxy-eval, the same ten rules in bulk
"""

import argparse
import io
import json
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import launch
from experiments.definition import Definitions
from experiments.people import KeyKind, create_key
from tests.benchmarks import rivals
from tests.benchmarks.pressing import CONNECTIONS, Load, granian, press, running
from tests.samples import experiment, metric
from tests.served import free_port
from web.app import create_app
from web.deployment import Deployment, clock, open_deployment
from web.mirror import Reflection
from web.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SINGLE = "/ofrep/v1/evaluate/flags/experiment-1"
BULK = "/ofrep/v1/evaluate/flags"
ROUNDS = 5


def furnish(folder: Path, experiments: int) -> str:
    """Define experiments in a data directory; give a server key to it."""
    deployment = open_deployment(Settings(data_dir=folder))
    document = {
        "metrics": [metric()],
        "experiments": [experiment(f"experiment-{number}") for number in range(experiments)],
    }
    with deployment.store.write() as session:
        definitions = Definitions.model_validate(document)
        launch.apply(session=session, definitions=definitions, actor="b", now=clock())
        _, key = create_key(session=session, kind=KeyKind.SERVER, name="b", actor="b", now=clock())
    deployment.close()
    return key


def compare(servers: dict[str, list[str]], ports: dict[str, int], key: str, folder: Path) -> dict[str, Load]:
    """Press each server in turn, several rounds, and give the median of each."""
    found: dict[str, list[Load]] = {name: [] for name in servers}
    with ExitStack() as started:
        for name, command in servers.items():
            started.enter_context(running(command, ports[name], EVENHAND_DATA_DIR=str(folder / "data")))
            press(ports[name], SINGLE, f"Bearer {key}", folder)  # every unit has been seen by every worker
        for turn in range(ROUNDS):
            for name in servers:
                found[name].append(press(ports[name], SINGLE, f"Bearer {key}", folder))
                print(f"  round {turn + 1}: {name:<34} {found[name][-1]}", file=sys.stderr, flush=True)
    return {name: sorted(loads, key=lambda load: load.rate)[ROUNDS // 2] for name, loads in found.items()}


PARTS = ["http", "process", "memory", "many"]


def report(found: dict[str, Load], base: str) -> None:
    for name, load in found.items():
        print(f"  {name:<44} {load}   {load.rate / found[base].rate:5.2f} of {base}")


def microseconds(deployment: Deployment, key: str, *, new: bool, count: int = 20_000) -> float:
    """CPU time of one request in this process; the ledger's own thread is not counted."""
    serve = create_app(deployment).wsgi_app
    best = []
    for turn in range(5):
        asked = [
            environ(SINGLE, key, f"unit-{turn * count + number if new else number % 100}-{new}")
            for number in range(count)
        ]
        began = time.thread_time()
        for each in asked:
            serve(each, ignore)
        best.append((time.thread_time() - began) / count * 1e6)
        settle(deployment)
    return min(best)


def environ(path: str, key: str, unit: str) -> dict[str, Any]:
    body = json.dumps({"context": {"targetingKey": unit, "country": "NO", "age": 31}}).encode()
    return {
        "PATH_INFO": path,
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "wsgi.input": io.BytesIO(body),
    }


def ignore(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
    """Start a response that nobody reads."""


def settle(deployment: Deployment) -> None:
    deployment.writer.close()


def memory(deployment: Deployment, key: str) -> tuple[float, float]:
    """Megabytes in use after a warm-up, and what a million evaluations add."""
    serve = create_app(deployment).wsgi_app

    def evaluate(start: int, count: int) -> float:
        for number in range(start, start + count):
            serve(environ(SINGLE, key, f"memory-{number % 200_000}"), ignore)
        settle(deployment)
        return resident()

    before = evaluate(0, 300_000)
    return before, evaluate(300_000, 1_000_000) - before


def resident() -> float:
    """Megabytes that this process holds now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0]) / 1024


def many(deployment: Deployment, key: str) -> None:
    """Ten experiments against a thousand, in this process."""
    held = deployment.mirror.reflection
    (rule, *_) = held.ruleset.rules.values()
    times: dict[int, tuple[float, float]] = {}
    for count in (10, 1_000):
        named = [f"experiment-{number}" for number in range(count)]
        rules = {name: replace(rule, key=name, salt=f"salt-{name}") for name in named}
        deployment.mirror.reflection = Reflection(replace(held.ruleset, rules=rules), held.keys)
        serve = create_app(deployment).wsgi_app
        single = microseconds(deployment, key, new=False, count=5_000)
        bulk = statistics.median(microseconds_of_bulk(serve, key) for _ in range(30))
        times[count] = (single, bulk)
    (single, few), (single_many, all_of_them) = times[10], times[1_000]
    print(f"1,000 experiments against 10: single {single_many / single:.2f}, bulk {all_of_them / few:.0f}")
    print(f"  bulk of 1,000: {all_of_them / 1_000:.1f} ms of CPU")


def microseconds_of_bulk(serve: "WSGIApplication", key: str) -> float:
    asked = environ(BULK, key, "unit")
    began = time.thread_time()
    serve(asked, ignore)
    return (time.thread_time() - began) * 1e6


def over_http(folder: Path, key: str, *, with_wsgi: bool) -> None:
    servers: dict[str, list[str]] = {}
    ports: dict[str, int] = {}

    def add(name: str, target: str, interface: str) -> None:
        ports[name] = free_port()
        servers[name] = granian(target, ports[name], interface)

    add("empty", "tests.benchmarks.rivals:empty", "RSGI")
    add("ours", "web.app:serve_app", "RSGI")
    add("plain Flask route", "tests.benchmarks.rivals:plain_route", "WSGI")
    if with_wsgi:
        add("empty, WSGI", "tests.benchmarks.rivals:empty_wsgi", "WSGI")
    found = compare(servers, ports, key, folder)
    print(
        f"single evaluations, {CONNECTIONS} connections, two workers, exposures of all units recorded before:"
    )
    report(found, "empty")
    ours, route, empty = found["ours"], found["plain Flask route"], found["empty"]
    print(f"  ours against the empty application: {ours.rate / empty.rate:.2f} (wanted 0.6)")
    print(f"  ours against the plain Flask route: {ours.rate / route.rate:.1f} (wanted 2)")
    print(f"  p99 at {CONNECTIONS} connections: {ours.p99:.1f} ms (wanted 25)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    for flag in ("--wsgi", "--unleash", "--growthbook-proxy"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed (apt-get install wrk)")
    with tempfile.TemporaryDirectory(prefix="evenhand-speed-") as name:
        folder = Path(name)
        key = furnish(folder / "data", 10)
        if "http" in asked.parts:
            over_http(folder, key, with_wsgi=asked.wsgi)
        for rival in [
            *(["unleash"] if asked.unleash else []),
            *(["growthbook"] if asked.growthbook_proxy else []),
        ]:
            beside(folder, key, rival)
        deployment = open_deployment(Settings(data_dir=folder / "data"))
        deployment.mirror.refresh()
        if "process" in asked.parts:
            in_process(deployment, key)
        if "memory" in asked.parts:
            held, more = memory(deployment, key)
            print(f"memory: {held:.0f} MB, and {more:+.1f} MB after a million evaluations (wanted ±5)")
        if "many" in asked.parts:
            many(deployment, key)
        deployment.close()


def in_process(deployment: Deployment, key: str) -> None:
    """What a request takes without a server around it."""
    known = microseconds(deployment, key, new=False)
    new = microseconds(deployment, key, new=True)
    print(
        f"in this process: {known:.1f} µs of CPU a request, {new:.1f} with a new exposure queued (wanted 25)"
    )


def beside(folder: Path, key: str, rival: str) -> None:
    """Ten rules in bulk: ours and another server's, in turn."""
    port = free_port()
    with running(granian("web.app:serve_app", port), port, EVENHAND_DATA_DIR=str(folder / "data")):
        press(port, BULK, f"Bearer {key}", folder, seconds=2)
        ours = press(port, BULK, f"Bearer {key}", folder)
    try:
        with rivals.SERVERS[rival](folder) as (other_port, path, token):
            press(other_port, path, token, folder, seconds=2)
            theirs = press(other_port, path, token, folder)
    except rivals.CannotRun as problem:
        print(f"{rival} cannot run here: {problem}")
        return
    print(f"ten rules in bulk, two workers of ours against {rival}:")
    report({"ours": ours, rival: theirs}, "ours")


if __name__ == "__main__":
    main()
