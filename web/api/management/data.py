"""The data themselves: the tracking plan, what became of the messages, and reconciliation."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from experiments import quality, reconciliation, tracking_plans
from experiments.erasure import count, erase
from experiments.reconciliation import TotalsDraft
from experiments.roles import Caller
from experiments.tracking import TrackingDraft, TrackingPlan
from web.api.door import Asking, serves
from web.api.orders import DaysBack, ErasureOrder
from web.api.replies import Reply
from web.deployment import current


@serves("show_tracking_plan")
def show_tracking_plan(asking: Asking) -> Reply:
    """The plan in force."""
    return _shown(tracking_plans.find_plan(session=asking.session))


@serves("replace_tracking_plan")
def replace_tracking_plan(asking: Asking, draft: TrackingDraft) -> Reply:
    """Put a plan in force."""
    return _shown(tracking_plans.save_plan(draft=draft, version=asking.revision, **asking.terms))


@serves("show_data_quality")
def show_data_quality(asking: Asking, wanted: DaysBack) -> Reply:
    """What became of the messages, by event and day."""
    since = (asking.now - timedelta(days=wanted.days - 1)).date()
    events = quality.by_event(session=asking.session, since=since)
    days = quality.by_day(session=asking.session, since=since)
    return Reply(
        {
            "events": [each.to_json() for each in events],
            "days": [{"day": str(day), "events": [each.to_json() for each in found]} for day, found in days],
            "lateness": [{"lag": lag, "count": count} for lag, count in quality.lateness(events)],
        }
    )


@serves("show_messages")
def show_messages(asking: Asking) -> Reply:
    """The latest messages."""
    found = quality.latest_messages(session=asking.session)
    return Reply({"messages": [{**asdict(each), "at": each.at.isoformat()} for each in found]})


@serves("show_reconciliation")
def show_reconciliation(asking: Asking) -> Reply:
    """Another system's totals beside ours."""
    found = reconciliation.compare_totals(session=asking.session)
    return Reply({"differences": [each.to_json() for each in found]})


@serves("report_totals")
def report_totals(asking: Asking, draft: TotalsDraft) -> Reply:
    """Take another system's totals, and show them beside ours."""
    reconciliation.report_totals(session=asking.session, draft=draft, now=asking.now)
    return show_reconciliation(asking)


@serves("erase", alone=True)
def take_out(caller: Caller, draft: ErasureOrder) -> Reply:
    """Take everything out that is stored about a person; that takes several transactions."""
    deployment = current()
    person: Any = {"store": deployment.store, "unit": draft.unit, "kind": draft.kind}
    person["pseudonyms"] = deployment.pseudonyms
    if draft.only_count:
        return Reply({**asdict(count(**person)), "erased": False})
    copy, now = deployment.settings.columns_path, deployment.now()
    return Reply({**asdict(erase(columns=copy, actor=caller.name, now=now, **person)), "erased": True})


def _shown(plan: TrackingPlan) -> Reply:
    return Reply({"version": plan.version, **plan.draft.model_dump(mode="json")}, etag=str(plan.version))
