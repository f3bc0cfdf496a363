"""Servers under load: started, pressed by ``wrk`` over many connections, and what that has shown."""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONNECTIONS = 64
UNITS = 1_000
"""Units that each of two senders asks about in turn; few, so that all are known before measuring begins."""

SECONDS = 3


@dataclass(frozen=True)
class Load:
    """What one round has shown; what failed is not in the rate."""

    rate: float
    p50: float
    p99: float
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.rate:>8,.0f}/s   p50 {self.p50:6.2f} ms   p99 {self.p99:6.2f} ms   failed {self.failed}"
        )


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a server until the block ends."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_served(process, port)
        yield
    finally:
        process.terminate()
        process.wait(60)


def wait_until_served(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"the server has left with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
            continue
        return


def press(
    port: int, path: str, authorization: str, folder: Path, seconds: int = SECONDS, *, load: str | None = None
) -> Load:
    """Send requests, evaluations of many units unless told otherwise, over many connections."""
    script = folder / "load.lua"
    script.write_text(load or LOAD)
    address = f"http://127.0.0.1:{port}"
    command = [
        "wrk",
        "-t2",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        str(script),
        address,
        "--",
        path,
        authorization,
        secrets.token_hex(4),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", said)
    if found is None:
        raise SystemExit(said)
    return Load(float(found[1]), float(found[2]), float(found[3]), int(found[4]))


_BEGINNING = """
local path, key, number = "", "", 0
local threads = 0
function setup(thread) thread:set("place", threads); threads = threads + 1 end
function init(args)
  path, key, run = args[1], args[2], args[3]
  headers = {["Authorization"] = key, ["Content-Type"] = "application/json"}
end
"""

_END = """
function done(summary, latency)
  local e = summary.errors
  local failed = e.status + e.connect + e.read + e.write + e.timeout
  local rate = (summary.requests - failed) / summary.duration * 1e6
  io.write(string.format("RESULT %f %f %f %d\\n", rate,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
"""

LOAD = (
    _BEGINNING
    + """
function request()
  number = number + 1
  local unit = "unit-" .. place .. "-" .. number % UNITS
  if path:sub(-1) == "=" then return wrk.format("GET", path .. unit, headers) end
  local body = '{"context":{"targetingKey":"' .. unit .. '","country":"NO","age":31}}'
  return wrk.format("POST", path, headers, body)
end
""".replace("UNITS", str(UNITS))
    + _END
)

EVENTS = (
    _BEGINNING
    + """
function request()
  number = number + 1
  local id = string.format("%012x-%s-%d", 1760000000000 + number, run, place)
  local body = '{"type":"track","messageId":"' .. id .. '","userId":"user-' .. number ..
    '","event":"Purchase","timestamp":"2026-03-15T12:00:00.000Z","properties":{"value":9.5,"sku":"A-17"}}'
  return wrk.format("POST", path, headers, body)
end
"""
    + _END
)
"""Single events, each with an id of its own that begins with a time."""


FLASK_THREADS = 16
"""Threads of the plain Flask route; more or fewer do not make it quicker."""


def granian(target: str, port: int, interface: str = "RSGI") -> list[str]:
    """Serve an application as `evenhand serve` does, or a WSGI application in threads."""
    threads = f"blocking_threads={FLASK_THREADS}," if interface == "WSGI" else ""
    serve = (
        "import multiprocessing, sys; from granian.constants import HTTPModes, Interfaces; "
        "from granian.http import HTTP1Settings; from granian.log import LogLevels; "
        "from granian.server import Server\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        f"    Server({target!r}, port={port}, interface=Interfaces.{interface}, workers=2, factory=True,\n"
        f"           {threads} backpressure=1024, http=HTTPModes.http1, websockets=False,\n"
        "           http1_settings=HTTP1Settings(max_buffer_size=32768),\n"
        "           log_level=LogLevels.error).serve()\n"
    )
    script = Path(tempfile.gettempdir()) / f"evenhand-serve-{port}.py"
    script.write_text(serve)
    return [sys.executable, str(script)]
