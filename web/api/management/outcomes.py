"""Outcomes: decisions, learnings, alerts, reports, and the work as a whole."""

from typing import Any

from analysis.plain import written
from experiments import alerts, conclusions, learnings, reports, retrospectives, thresholds, webhooks
from experiments.attention import Item, gather
from experiments.catalog import find_experiment
from experiments.choices import ConclusionDraft, RetrospectiveDraft
from experiments.errors import InvalidInput
from experiments.programme import Coverage, programme_of
from experiments.reports import Report, ReportDraft
from experiments.roles import Caller
from experiments.schedule import Lane, Overlap, schedule_of
from experiments.thresholds import Threshold, ThresholdDraft
from experiments.webhooks import Secret
from web.api.door import Asking, serves
from web.api.management.shapes import moment
from web.api.orders import AlertFilter, CalendarSpan, LearningFilter, MoveOrder
from web.api.replies import Page, Reply, cursor_id, listed, page_of
from web.deployment import current
from web.messenger import Messenger
from web.settings import secret_key_of

MOST_ALERTS = 10_000


@serves("conclude_experiment")
def conclude_experiment(asking: Asking, key: str, draft: ConclusionDraft) -> Reply:
    """Decide, and carry it out."""
    decided = conclusions.conclude(key=key, draft=draft, revision=asking.revision, **asking.terms)
    return Reply(written(decided), 201)


@serves("list_conclusions")
def list_conclusions(asking: Asking, key: str, wanted: Page) -> Reply:
    """All decisions about an experiment, the newest first."""
    find_experiment(session=asking.session, key=key)
    found = conclusions.history_of(session=asking.session, key=key)
    return page_of(found, wanted, name="conclusions", place=lambda each: [-each.id], shown=written)


@serves("look_back")
def look_back(asking: Asking, key: str, draft: RetrospectiveDraft) -> Reply:
    """Whether the gain held."""
    find_experiment(session=asking.session, key=key)
    return Reply(written(retrospectives.look_back(key=key, draft=draft, **asking.terms)), 201)


@serves("finish_follow_up")
def finish_follow_up(asking: Asking, id: int, draft: MoveOrder) -> Reply:  # noqa: A002, ARG001 - its number; nothing more is said
    """Tick a follow-up off."""
    retrospectives.finish_follow_up(session=asking.session, id=id, now=asking.now)
    return Reply({"id": id, "done": True})


@serves("search_learnings")
def search_learnings(asking: Asking, wanted: LearningFilter) -> Reply:
    """What ended experiments have taught."""
    shelf = learnings.search_learnings(
        session=asking.session,
        text=wanted.q,
        outcome=wanted.outcome,
        metric=wanted.metric,
        limit=wanted.limit + 1,
        below=cursor_id(wanted, "learnings"),
    )
    return listed(shelf.conclusions, wanted, name="learnings", place=lambda each: [each.id], shown=written)


@serves("list_thresholds")
def list_thresholds(asking: Asking, key: str) -> Reply:
    """When its guardrails alert."""
    experiment = find_experiment(session=asking.session, key=key)
    found = thresholds.thresholds_of(session=asking.session, experiments=[experiment])[key]
    return Reply({"thresholds": [_shown_threshold(each) for each in found]})


@serves("set_threshold")
def set_threshold(asking: Asking, key: str, metric: str, draft: ThresholdDraft) -> Reply:
    """When one of them alerts from now on."""
    if draft.metric != metric:
        raise InvalidInput.at("metric", f"this address is about {metric}")
    thresholds.set_threshold(key=key, draft=draft, **asking.terms)
    return list_thresholds(asking, key)


@serves("show_webhook")
def show_webhook(asking: Asking) -> Reply:
    """Where alerts are sent to, and how that went."""
    held = webhooks.secrets_in_force(session=asking.session, now=asking.now)
    deliveries = [written(each) for each in webhooks.list_deliveries(session=asking.session)]
    address = bool(current().settings.webhook)
    secrets = [_shown_secret(each) for each in held]
    return Reply({"address": address, "secrets": secrets, "deliveries": deliveries})


@serves("make_webhook_secret")
def make_webhook_secret(asking: Asking, draft: MoveOrder) -> Reply:  # noqa: ARG001 - nothing more is said
    """A new secret, shown once."""
    made = webhooks.make_secret(**asking.terms)
    secret = made.shown(secret_key_of(current().settings))
    return Reply({**_shown_secret(made), "secret": secret}, 201, secrets=("secret",))


@serves("test_webhook", alone=True)
def test_webhook(caller: Caller, draft: MoveOrder) -> Reply:  # noqa: ARG001 - as above
    """A message that says nothing; sending it holds no transaction open."""
    deployment = current()
    if not deployment.settings.webhook:
        raise InvalidInput.at("address", "EVENHAND_ALERT_WEBHOOK is not set")
    attempt = Messenger(deployment.store, deployment.settings).test(now=deployment.now())
    return Reply({"delivered": attempt.failure is None, "failure": attempt.failure})


@serves("list_alerts")
def list_alerts(asking: Asking, wanted: AlertFilter) -> Reply:
    """The alerts there were."""
    found = alerts.list_alerts(session=asking.session, experiment=wanted.experiment, count=MOST_ALERTS)
    return page_of(found, wanted, name="alerts", place=lambda each: [-each.id], shown=written)


@serves("show_report")
def show_report(asking: Asking, key: str) -> Reply:
    """What people wrote."""
    find_experiment(session=asking.session, key=key)
    return _shown_report(reports.find_report(session=asking.session, key=key))


@serves("write_report")
def write_report(asking: Asking, key: str, draft: ReportDraft) -> Reply:
    """Other words."""
    seen = asking.revision
    if seen is None:
        seen = reports.find_report(session=asking.session, key=key).revision
    return _shown_report(reports.write_report(key=key, draft=draft, revision=seen, **asking.terms))


@serves("show_attention")
def show_attention(asking: Asking) -> Reply:
    """What asks for somebody today."""
    found = gather(session=asking.session, now=asking.now)
    return Reply({"items": [_shown_item(each) for each in found]})


@serves("show_calendar")
def show_calendar(asking: Asking, wanted: CalendarSpan) -> Reply:
    """What runs when."""
    since, until = wanted.between(asking.now)
    found = schedule_of(session=asking.session, since=since, until=until)
    lanes, overlaps = map(_shown_lane, found.lanes), map(_shown_overlap, found.overlaps)
    return Reply({"lanes": list(lanes), "overlaps": list(overlaps)})


@serves("show_programme")
def show_programme(asking: Asking) -> Reply:
    """What all experiments together achieved."""
    found = programme_of(session=asking.session, now=asking.now)
    named = ("outcomes", "wins", "effects", "impacts", "months", "held", "days", "guarded")
    coverage = [_shown_coverage(each) for each in found.coverage]
    return Reply({**{name: written(getattr(found, name)) for name in named}, "coverage": coverage})


def _shown_threshold(threshold: Threshold) -> dict[str, Any]:
    return {
        "metric": threshold.metric,
        "limit": threshold.limit,
        "wait": round(threshold.wait.total_seconds() / 3600),
        "who": threshold.who,
        "muted": threshold.muted,
        "own": threshold.own,
    }


def _shown_report(report: Report) -> Reply:
    document = {
        **report.texts.model_dump(),
        "revision": report.revision,
        "updated_by": report.updated_by,
        "updated_at": moment(report.updated_at),
    }
    return Reply(document, etag=str(report.revision))


def _shown_item(item: Item) -> dict[str, Any]:
    return {
        "need": item.need,
        "experiment": item.experiment.key,
        "about": item.about,
        "recommendation": item.recommendation,
        "day": written(item.day),
        "number": item.number,
    }


def _shown_lane(lane: Lane) -> dict[str, Any]:
    spans = [
        {
            "experiment": each.experiment.key,
            "start": moment(each.start),
            "end": moment(each.end),
            "certain": each.certain,
        }
        for each in lane.spans
    ]
    return {"layer": lane.layer, "spans": spans}


def _shown_overlap(overlap: Overlap) -> dict[str, Any]:
    return {
        "experiments": [overlap.one.key, overlap.other.key],
        "start": moment(overlap.start),
        "end": moment(overlap.end),
        "metrics": overlap.metrics,
    }


def _shown_coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "metric": coverage.metric.key,
        "primary": coverage.primary,
        "guardrail": coverage.guardrail,
        "secondary": coverage.secondary,
        "running": coverage.running,
    }


def _shown_secret(secret: Secret) -> dict[str, Any]:
    return {
        "created_by": secret.created_by,
        "created_at": moment(secret.created_at),
        "retires_at": moment(secret.retires_at),
    }
