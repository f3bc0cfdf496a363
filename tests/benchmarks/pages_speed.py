"""How long the server takes for pages about a readout. By hand: ``python -m tests.benchmarks.pages_speed``.

Each page is asked for by a signed-in person, in process and without a network: once while nothing has been
drawn of its readout, of which the processor's time is told, then often. Another readout's pages were drawn
before, so that no template is compiled meanwhile. ``wide`` has thirty metrics and four treatments. The
processor's time is printed beside the clock, because other work on the machine does not count into it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from tests.web import scenes
from tests.web.conftest import signed_in
from tests.web.scenes import ONE_PAGE, RICH, Scene, counted
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

ROUNDS = 40
LIMIT = 0.100
LIMIT_WIDE = 0.150
FIXED_PAGES = ("/metrics/", "/metrics/paid")
PAGES = ("results", "health", "report", "explore", "explore?tab=retention", "results/{metric}")
VARIANTS = ("control", "a", "b", "c", "d")
METRICS = [
    {"key": f"m{number}", "name": f"Metric number {number}", "kind": "proportion", "event": f"e{number}"}
    for number in range(30)
]


def wide() -> Scene:
    """Thirty metrics in five variants over two weeks."""
    arms = {
        metric["key"]: {name: counted(2_000 + 9 * place, 20_000) for place, name in enumerate(VARIANTS)}
        for metric in METRICS
    }
    draft = {
        "variants": [{"key": name} for name in VARIANTS],
        "metrics": {"primary": ["m0", "m1"], "secondary": [metric["key"] for metric in METRICS[2:]]},
        "plan": {"inference": "sequential", "size": 100_000, "days": 14},
    }
    return Scene("wide", dict.fromkeys(VARIANTS, 20_000), arms, draft)


def took(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - clock, time.process_time() - processor


def measure(client: FlaskClient, path: str) -> tuple[float, float, float, float, int]:
    """The processor's time of the first answer; of many the clock's median and 95th percentile, and the
    processor's median; and the bytes."""

    def ask() -> int:
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status}")
        return len(answer.data)

    _, first = took(ask)
    rounds = [took(ask) for _ in range(ROUNDS)]
    clocks = sorted(clock for clock, _ in rounds)
    processor = statistics.median(each for _, each in rounds)
    return first, statistics.median(clocks), clocks[int(ROUNDS * 0.95)], processor, ask()


def main() -> None:
    """Print a line for each page."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = open_deployment(Settings(data_dir=Path(folder)), now=lambda: scenes.NOW)
        scenes.METRICS += METRICS
        scenes.stage(deployment.store, replace(RICH, key="before"), ONE_PAGE, RICH, wide())
        client = signed_in(create_app(deployment))
        for page in PAGES:
            client.get("/experiments/before/" + page.format(metric="paid"))
        print(f"{'page':<48}{'cold cpu':>9}{'warm p50':>10}{'p95':>9}{'cpu':>9}{'kB':>7}")
        slow = []
        for key, metric, limit in (
            (ONE_PAGE.key, "paid", LIMIT),
            (RICH.key, "paid", LIMIT),
            ("wide", "m0", LIMIT_WIDE),
        ):
            for page in PAGES:
                path = f"/experiments/{key}/{page.format(metric=metric)}"
                first, middle, late, processor, size = measure(client, path)
                times = "".join(f"{each * 1_000:>9.1f}" for each in (first, middle, late, processor))
                print(f"{path:<48}{times}{size / 1_000:>7.0f}")
                if max(first, middle) > limit:
                    slow.append(path)
        for path in FIXED_PAGES:
            first, middle, late, processor, size = measure(client, path)
            times = "".join(f"{each * 1_000:>9.1f}" for each in (first, middle, late, processor))
            print(f"{path:<48}{times}{size / 1_000:>7.0f}")
        print(f"within {LIMIT * 1_000:.0f} ms, thirty metrics {LIMIT_WIDE * 1_000:.0f} ms: {slow or True}")
        deployment.close()


if __name__ == "__main__":
    main()
