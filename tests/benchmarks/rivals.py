"""What the doors are measured against: an empty application, a plain Flask route, and other servers."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from pydantic_core import from_json

from assignment import decide
from tests.postgres import NoPostgres, cluster
from tests.served import free_port
from web.api.ofrep import success
from web.deployment import open_deployment
from web.settings import read_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_BODY = (
    b'{"key":"experiment-1","value":"v1","reason":"SPLIT","variant":"old","metadata":{"inExperiment":true}}'
)
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))]

Server = tuple[int, str, str]
"""Port, path and key."""


class CannotRun(Exception):
    """The other server cannot be run on this machine."""


def empty() -> Any:
    """An application that does nothing but read the body and answer."""

    async def application(_: Any, protocol: Any) -> None:
        await protocol()
        protocol.response_bytes(200, _HEADERS, _BODY)

    return application


def empty_wsgi() -> "WSGIApplication":
    """The same for WSGI."""

    def application(_: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", _HEADERS)
        return [_BODY]

    return application


def plain_route() -> Flask:
    """The same work as ours in the way that everybody writes it: a Flask view."""
    app = Flask(__name__)
    deployment = open_deployment(read_settings())
    deployment.mirror.start()

    @app.post("/ofrep/v1/evaluate/flags/<key>")
    def evaluate(key: str) -> Response:
        context = from_json(request.get_data())["context"]
        ruleset = deployment.mirror.reflection.ruleset
        decision = decide(ruleset, key, unit=context["targetingKey"], attributes=context)
        if decision.exposes:
            rule = ruleset.rules[key]
            deployment.exposures.record(rule, decision, context["targetingKey"], context)
        return Response(json.dumps(success(decision)), content_type="application/json")

    return app


@contextmanager
def growthbook(folder: Path) -> Iterator[Server]:
    """A Node server that evaluates ten features for each request with GrowthBook's own evaluator."""
    place = _installed(folder / "growthbook", {"@growthbook/proxy-eval": "1.1.2"})
    (place / "server.cjs").write_text(_EVALUATOR)
    port = free_port()
    with _node(place, ["server.cjs", str(port)], port, {}):
        yield port, "/eval", "none"


@contextmanager
def unleash(folder: Path) -> Iterator[Server]:
    """unleash-server on PostgreSQL, with ten toggles, asked through its frontend API."""
    place = _installed(folder / "unleash", {"unleash-server": "6.4.1"})
    (place / "server.cjs").write_text(_UNLEASH)
    port = free_port()
    with ExitStack() as opened:
        try:
            database = opened.enter_context(cluster()).create("unleash").replace("+psycopg", "")
        except NoPostgres as problem:
            raise CannotRun(str(problem)) from problem
        opened.enter_context(_node(place, ["server.cjs", str(port)], port, {"DATABASE_URL": database}))
        _define_toggles(port)
        time.sleep(5)  # it looks for changes now and then
        yield port, "/api/frontend?userId=", "default:development.benchmark-frontend"


SERVERS: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "growthbook": growthbook,
    "unleash": unleash,
}


def _installed(place: Path, packages: dict[str, str]) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotRun("npm is not installed")
    place.mkdir(exist_ok=True)
    (place / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
    command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise CannotRun(done.stderr.strip().splitlines()[-1])
    return place


@contextmanager
def _node(place: Path, words: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        ["node", *words],
        cwd=place,
        env={**os.environ, "NODE_ENV": "production", **environment},
        stdout=subprocess.DEVNULL,
        stderr=(place / "log").open("w"),
    )
    try:
        for _ in range(300):
            if process.poll() is not None:
                raise CannotRun((place / "log").read_text()[-400:])
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _define_toggles(port: int) -> None:
    """Make ten toggles with two variants each and switch them on."""
    base = f"http://127.0.0.1:{port}/api/admin/projects/default/features"
    split = [
        {"name": name, "weight": 500, "weightType": "variable", "stickiness": "userId"}
        for name in ("old", "new")
    ]
    for number in range(10):
        name = f"experiment-{number}"
        _admin(base, {"name": name, "type": "experiment"})
        strategy = {
            "name": "flexibleRollout",
            "parameters": {"rollout": "100", "stickiness": "userId", "groupId": name},
            "variants": split,
        }
        _admin(f"{base}/{name}/environments/development/strategies", strategy)
        _admin(f"{base}/{name}/environments/development/on", {})


def _admin(address: str, document: dict[str, Any]) -> None:
    headers = {"Authorization": "*:*.benchmark-admin", "Content-Type": "application/json"}
    asked = urllib.request.Request(address, json.dumps(document).encode(), headers)
    try:
        urllib.request.urlopen(asked, timeout=30).close()
    except urllib.error.HTTPError as refused:
        with refused:
            if refused.code != 409:
                raise CannotRun(f"{address}: {refused.read()[:200]!r}") from refused


_EVALUATOR = """
const http = require("http");
const cluster = require("cluster");
const { evaluateFeatures } = require("@growthbook/proxy-eval");
const features = {};
for (let i = 0; i < 10; i++) {
  features["experiment-" + i] = {
    defaultValue: "v1",
    rules: [{ key: "e" + i, seed: "salt-" + i, hashAttribute: "id", hashVersion: 2,
              variations: ["v1", "v2"], weights: [0.5, 0.5], coverage: 1 }],
  };
}
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  http.createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const { context } = body ? JSON.parse(body) : { context: {} };
      const attributes = { ...context, id: context.targetingKey };
      const payload = { features, experiments: [] };
      const answer = JSON.stringify(evaluateFeatures({ payload, attributes }));
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(answer);
    });
  }).listen(Number(process.argv[2]), "127.0.0.1");
}
"""

_UNLEASH = """
const unleash = require("unleash-server");
unleash.start({
  databaseUrl: process.env.DATABASE_URL,
  db: { ssl: false },
  server: { port: Number(process.argv[2]), host: "127.0.0.1" },
  versionCheck: { enable: false },
  telemetry: false,
  logLevel: "fatal",
  authentication: {
    type: "none",
    initApiTokens: [
      { environment: "*", projects: ["*"], secret: "*:*.benchmark-admin", type: "admin", tokenName: "a" },
      { environment: "development", projects: ["default"], type: "frontend", tokenName: "f",
        secret: "default:development.benchmark-frontend" },
    ],
  },
});
"""
