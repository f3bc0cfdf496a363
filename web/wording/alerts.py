"""Alerts in words: the very sentence that stands on the page of the results."""

from datetime import timedelta

from analysis import Readout
from experiments.alerts import Alert, Kind
from experiments.webhooks import Delivery
from web.wording import numbers
from web.wording.changes import sentence_of
from web.wording.distrust import word_distrust
from web.wording.language import gettext, joined, ngettext
from web.wording.names import Names
from web.wording.readings import Chip
from web.wording.verdict import harm_sentence


def alert_sentence(alert: Alert, readout: Readout, names: Names) -> str:
    """Tell what was seen, as the page of the readout tells it."""
    if alert.kind is Kind.HEALTH:
        headline, sentences, _ = word_distrust(readout, names)
        return joined(headline, *sentences[:1])
    finding = readout.finding(alert.metric, alert.variant)
    if finding is None or alert.limit is None:
        return ""
    if finding.harm_limit is not None and abs(abs(finding.harm_limit) - alert.limit) < 1e-9:
        return harm_sentence(readout, names, finding)
    limit = numbers.percent(alert.limit, 1 if alert.limit < 0.1 else 0)
    sentence = sentence_of(readout, names, finding)
    return gettext(
        "%(sentence)s That is beyond the alert's limit of %(limit)s.", sentence=sentence, limit=limit
    )


def alert_chip(alert: Alert) -> Chip:
    """Say in a word where an alert stands."""
    if alert.ended_at is not None and alert.fired_at is None:
        return Chip("quiet", "○", gettext("Passed within the wait"))
    if alert.ended_at is not None:
        return Chip("quiet", "✓", gettext("Ended"))
    if alert.fired_at is None:
        return Chip("quiet", "◔", gettext("Waiting"))
    return Chip("worse", "▼", gettext("Alerting"))


def delivery_told(alert: Alert, *, address: bool) -> str:
    """Tell whether an alert has arrived where it was sent."""
    if alert.fired_at is None:
        return ""
    if alert.delivered_at is not None:
        return gettext("delivered %(moment)s", moment=numbers.moment(alert.delivered_at))
    if not address:
        return gettext("kept here; no address to deliver to is set")
    if not alert.attempts:
        return gettext("about to be delivered")
    return ngettext(
        "not delivered after %(num)s attempt: %(failure)s",
        "not delivered after %(num)s attempts: %(failure)s",
        alert.attempts,
        failure=alert.failure or "",
    )


def wait_told(wait: timedelta) -> str:
    """Tell how long a breach must last."""
    hours = round(wait.total_seconds() / 3_600)
    return ngettext("after %(num)s hour", "after %(num)s hours", hours) if hours else gettext("at once")


def attempt_chip(delivery: Delivery) -> Chip:
    """Say in a word whether a message arrived."""
    if delivery.failure is None:
        return Chip("safe", "✓", gettext("Arrived"))
    return Chip("worse", "✗", gettext("Did not arrive"))


def message_told(delivery: Delivery) -> str:
    """Tell what a message was about."""
    told = {
        "guardrail.breached": gettext("A guardrail is worse than its limit"),
        "experiment.unsound": gettext("Data cannot be trusted"),
        "webhook.test": gettext("A test"),
    }
    return told.get(delivery.kind, delivery.kind)
