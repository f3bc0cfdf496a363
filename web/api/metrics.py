"""Metrics: what the processes of this server have done, in the text form that Prometheus reads.

Every process keeps its counters in files under the data directory, and whichever is asked adds them up.
Labels have few values: doors, statuses and the words of the product, never an experiment or a unit. The door
wants a server key: behind a proxy every caller looks like a neighbour, so an address proves nothing.
"""

import os

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
    multiprocess,
)

from experiments.people import KeyKind
from web.api.access import presented, resolve
from web.api.errors import problem
from web.deployment import Deployment, current

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells the exporter where the processes of one server meet."""

EXTENSION = "evenhand.metrics"

blueprint = Blueprint("metrics", __name__)


class Exporter:
    """Hands what one process has counted to Prometheus's own counters."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._registry = CollectorRegistry()
        self._counters = {
            "requests": self._counter("requests", "Requests answered.", "door", "status"),
            "decisions": self._counter("decisions", "Single decisions, by why they came out so.", "detail"),
            "exposures": self._counter(
                "exposures", "Exposures: queued, of which recorded or known; no_room.", "outcome"
            ),
            "events": self._counter("events", "Events by what became of them.", "outcome"),
        }
        self._waiting = self._gauge("ledger_waiting", "Jobs that wait for the ledger.", "livesum")
        self._ruleset = self._gauge("ruleset_version", "The oldest ruleset that a process serves.", "livemin")
        self._recorded = deployment.writer.recorded

    def tell(self) -> None:
        """Hand on what has been counted since the last time."""
        recorded, before = self._deployment.writer.recorded, self._recorded
        self._recorded = recorded
        tally = self._deployment.tally
        tally.add("exposures", "recorded", amount=recorded.accepted - before.accepted)
        tally.add("exposures", "known", amount=recorded.duplicates - before.duplicates)
        for (name, *labels), count in tally.take().items():
            if name == "evaluations":
                self._tell_evaluations(*labels, count=count)
            else:
                self._counters[name].labels(*labels).inc(count)
        self._waiting.set(self._deployment.writer.waiting)
        self._ruleset.set(self._deployment.mirror.reflection.ruleset.version)

    def _tell_evaluations(self, door: str, status: str, detail: str, *, count: int) -> None:
        """The door counts each of its answers once; it is a request, and perhaps a decision."""
        self._counters["requests"].labels(door, status).inc(count)
        if detail:
            self._counters["decisions"].labels(detail).inc(count)

    def text(self) -> bytes:
        """Everything that the processes of this server have told, in Prometheus's text form."""
        self.tell()
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library has no type here
        return generate_latest(together)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"evenhand_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, mode: str) -> Gauge:
        return Gauge(f"evenhand_{name}", meaning, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]  # one of the library's words


def count_everything(app: Flask, deployment: Deployment) -> None:
    """Count what the application answers, and hand it on after each look of the mirror."""
    app.extensions[EXTENSION] = exporter = Exporter(deployment)
    deployment.mirror.after_looks.append(exporter.tell)
    app.after_request(_count)


def _count(response: Response) -> Response:
    current().tally.add("requests", request.blueprint or "none", str(response.status_code))
    return response


@blueprint.get("/metrics")
def show() -> Response:
    """Give the metrics to whoever has a server key; lead a browser to the catalogue of metrics."""
    if request.accept_mimetypes.best == "text/html":
        return Response(status=303, headers={"Location": "/metrics/"})
    deployment = current()
    headers = presented(request.headers.get("Authorization"), request.headers.get("X-API-Key"))
    key = resolve(deployment.mirror.reflection.keys, headers)
    if key is None or key.kind is not KeyKind.SERVER:
        return problem(401, "Unauthorized", "a server key is needed: Authorization: Bearer KEY")
    exporter: Exporter = current_app.extensions[EXTENSION]
    return Response(exporter.text(), content_type=CONTENT_TYPE_LATEST)
