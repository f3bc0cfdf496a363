"""The alarm: after each analysis the thresholds are asked, and what has fired is delivered."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from experiments import alerts, catalog, readouts, registry
from experiments.alerts import Alert, Kind
from experiments.catalog import Experiment
from experiments.lifecycle import Status
from experiments.readouts import Snapshot
from experiments.registry import Metric
from experiments.store import Store
from web import webhook
from web.messenger import Deliver, Messenger
from web.settings import Settings
from web.wording.alerts import alert_sentence
from web.wording.language import LANGUAGES, speaking
from web.wording.names import names_of

_KINDS = {Kind.GUARDRAIL: "guardrail.breached", Kind.HEALTH: "experiment.unsound"}
"""What messages tell of, in the words of webhooks."""

_log = logging.getLogger(__name__)


def raise_alarms(*, store: Store, snapshot: Snapshot, now: datetime) -> list[Alert]:
    """Compare a readout with the thresholds; what fires goes to the log at once."""
    with store.write() as session:
        fired = alerts.watch(session=session, snapshot=snapshot, now=now)
    for alert in fired:
        _log.warning("alert %s: %s %s %s", alert.id, alert.experiment, alert.kind, alert.metric)
    return fired


def look_again(*, store: Store, now: datetime) -> int:
    """End the alerts of what no longer runs, and tell what has waited long enough without new data."""
    with store.write() as session:
        running = {each.key for each in catalog.list_experiments(session=session, status=Status.RUNNING)}
        waiting = alerts.settle(session=session, running=running, now=now)
        newest = readouts.latest_of(session=session, keys=waiting)
    return sum(len(raise_alarms(store=store, snapshot=each, now=now)) for each in newest.values())


def deliver_alerts(
    *, store: Store, settings: Settings, now: datetime, deliver: Deliver = webhook.deliver
) -> int:
    """Send what waits for delivery, and say how much arrived. What fails is tried again later."""
    if not settings.webhook:
        return 0
    with store.read() as session:
        waiting = alerts.undelivered(session=session, now=now)
        known = {each.key: each for each in catalog.list_experiments(session=session)} if waiting else {}
        metrics = {each.key: each for each in registry.list_metrics(session=session)} if waiting else {}
        seen = readouts.find_snapshots(session=session, ids=[each.snapshot for each in waiting])
    messenger, arrived = Messenger(store, settings, deliver), 0
    for alert in waiting:
        document = message_of(alert, known[alert.experiment], metrics, seen[alert.snapshot], settings)
        attempt = messenger.send(
            message=f"alert-{alert.id}", kind=_KINDS[alert.kind], document=document, now=now
        )
        arrived += attempt.failure is None
        with store.write() as session:
            alerts.record_attempt(
                session=session,
                id=alert.id,
                now=now,
                failure=attempt.failure,
                last=attempt.last,
                not_before=attempt.not_before,
            )
    return arrived


def message_of(
    alert: Alert,
    experiment: Experiment,
    metrics: Mapping[str, Metric],
    snapshot: Snapshot,
    settings: Settings,
) -> dict[str, Any]:
    """The message: the sentence of the page in every language, and where to look."""
    names, readout = names_of(experiment, metrics), snapshot.readout
    sentences = {}
    for locale in LANGUAGES:
        with speaking(locale):
            sentences[locale.replace("_", "-")] = alert_sentence(alert, readout, names)
    base = settings.public_url.rstrip("/")
    title = f"{experiment.title}: " if experiment.title else ""
    return {
        "id": alert.id,
        "kind": str(alert.kind),
        "experiment": alert.experiment,
        "metric": alert.metric,
        "variant": alert.variant or None,
        "limit": alert.limit,
        "who": alert.who,
        "began_at": alert.began_at.isoformat(),
        "fired_at": None if alert.fired_at is None else alert.fired_at.isoformat(),
        "text": title + sentences["en"],
        "sentences": sentences,
        "link": f"{base}/experiments/{alert.experiment}/results" if base else None,
    }
