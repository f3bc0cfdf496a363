"""Alerts: what alerts now, the thresholds of every running guardrail, and the history."""

from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import alerts, catalog, readouts, registry, thresholds, webhooks
from experiments.alerts import Alert
from experiments.catalog import Experiment
from experiments.errors import InvalidInput, Problem
from experiments.lifecycle import Status
from experiments.readouts import Snapshot
from experiments.registry import Metric
from experiments.roles import Scope
from experiments.thresholds import Threshold
from web import deployment
from web.messenger import Messenger
from web.pages.asking import asker
from web.pages.site import needs, site
from web.pages.typed import read_number
from web.settings import secret_key_of
from web.wording.alerts import (
    alert_chip,
    alert_sentence,
    attempt_chip,
    delivery_told,
    message_told,
    wait_told,
)
from web.wording.complaints import beside
from web.wording.names import metric_title, names_of
from web.wording.readings import Chip


@dataclass(frozen=True, slots=True)
class Line:
    """One alert of the history, in words."""

    alert: Alert
    experiment: Experiment
    chip: Chip
    sentence: str
    delivery: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold with the names of what it watches."""

    threshold: Threshold
    title: str
    metric: str
    wait: str


@site.get("/alerts")
def show_alerts() -> str:
    """What alerts, what would, and what did."""
    return _overview()


@site.post("/alerts/webhook/secret")
@needs(Scope.KEYS)
def make_webhook_secret() -> str:
    """Put a new secret in force, and show it this once."""
    with deployment.current().store.write() as session:
        made = webhooks.make_secret(session=session, **asker())
    return _overview(made.shown(secret_key_of(deployment.current().settings)))


@site.post("/alerts/webhook/test")
@needs(Scope.KEYS)
def test_webhook() -> Response:
    """Send a message that says nothing; the log of deliveries says what became of it."""
    current = deployment.current()
    if current.settings.webhook:
        Messenger(current.store, current.settings).test(now=current.now())
    return redirect(url_for("pages.show_alerts", _anchor="webhook"), 303)


def _overview(secret: str = "") -> str:
    current = deployment.current()
    with current.store.read() as session:
        signing = webhooks.secrets_in_force(session=session, now=current.now())
        deliveries = webhooks.list_deliveries(session=session)
        history = alerts.list_alerts(session=session)
        experiments = {each.key: each for each in catalog.list_experiments(session=session)}
        metrics = {each.key: each for each in registry.list_metrics(session=session)}
        running = [each for each in experiments.values() if each.status is Status.RUNNING]
        rules = thresholds.thresholds_of(session=session, experiments=running)
        seen = readouts.find_snapshots(session=session, ids=[each.snapshot for each in history])
    lines = [_line(each, experiments[each.experiment], metrics, seen.get(each.snapshot)) for each in history]
    return render_template(
        "alerts.html",
        standing=[line for line in lines if line.alert.stands],
        history=[line for line in lines if not line.alert.stands],
        rules=[_rule(each, experiments, metrics) for found in rules.values() for each in found],
        address=bool(current.settings.webhook),
        secret=secret,
        signing=signing,
        deliveries=[(each, attempt_chip(each), message_told(each)) for each in deliveries],
    )


@site.get("/alerts/<key>/<metric>")
@needs(Scope.WRITE)
def edit_threshold(key: str, metric: str) -> str:
    """The threshold of one guardrail, as it stands."""
    found = _find(key, metric)
    typed = {
        "limit": f"{found.limit * 100:.4f}".rstrip("0").rstrip("."),
        "wait": str(round(found.wait.total_seconds() / 3_600)),
        "who": found.who,
        "muted": found.muted,
    }
    return _page(key, metric, typed, [])


@site.post("/alerts/<key>/<metric>")
def change_threshold(key: str, metric: str) -> Response | tuple[str, int]:
    """Put a threshold in force, or show the form again."""
    sent = request.form
    typed = {name: sent.get(name, "") for name in ("limit", "wait", "who")}
    muted = sent.get("muted") == "yes"
    _find(key, metric)
    try:
        document = {
            "metric": metric,
            "limit": _number(typed["limit"], "limit", (0.01, 999)) / 100,
            "wait": round(_number(typed["wait"] or "0", "wait", (0, thresholds.LONGEST_WAIT))),
            "who": typed["who"],
            "muted": muted,
        }
        draft = thresholds.parse_threshold(document)
        with deployment.current().store.write() as session:
            thresholds.set_threshold(session=session, key=key, draft=draft, **asker())
    except InvalidInput as refusal:
        return _page(key, metric, {**typed, "muted": muted}, list(refusal.problems)), 422
    return redirect(url_for("pages.show_alerts"), 303)


def _page(key: str, metric: str, typed: dict[str, Any], problems: list[Problem]) -> str:
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = registry.find_metrics(session=session, keys=[metric])
    return render_template(
        "threshold.html",
        experiment=experiment,
        metric=metric_title(metrics[metric]),
        texts=typed,
        problems=beside(problems),
    )


def _find(key: str, metric: str) -> Threshold:
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        found = thresholds.thresholds_of(session=session, experiments=[experiment])[key]
    return thresholds.require_threshold(found, metric)


def _line(
    alert: Alert, experiment: Experiment, metrics: dict[str, Metric], snapshot: Snapshot | None
) -> Line:
    names = names_of(experiment, metrics)
    sentence = "" if snapshot is None else alert_sentence(alert, snapshot.readout, names)
    address = bool(deployment.current().settings.webhook)
    return Line(alert, experiment, alert_chip(alert), sentence, delivery_told(alert, address=address))


def _rule(threshold: Threshold, experiments: dict[str, Experiment], metrics: dict[str, Metric]) -> Rule:
    title = experiments[threshold.experiment].title
    return Rule(threshold, title, metric_title(metrics[threshold.metric]), wait_told(threshold.wait))


def _number(text: str, place: str, limits: tuple[float, float]) -> float:
    number = read_number(text)
    if number is None or not limits[0] <= number <= limits[1]:
        raise InvalidInput.at(place, f"expected {limits[0]:g} to {limits[1]:g}")
    return number
