"""The quality of data, for programs: counts, the latest messages, reconciliation. A session is needed."""

from dataclasses import asdict
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request

from experiments import quality, reconciliation
from experiments.errors import InvalidInput
from web.auth import require_person
from web.deployment import current

blueprint = Blueprint("quality", __name__, url_prefix="/api/v1")
blueprint.before_request(require_person)


@blueprint.get("/data-quality")
def show_counts() -> Response:
    """What became of the messages, by event and day."""
    since = (current().now() - timedelta(days=_days() - 1)).date()
    with current().store.read() as session:
        events = quality.by_event(session=session, since=since)
        days = quality.by_day(session=session, since=since)
    return jsonify(
        events=[each.to_json() for each in events],
        days=[{"day": day.isoformat(), "events": [each.to_json() for each in found]} for day, found in days],
        lateness=[{"lag": lag, "count": count} for lag, count in quality.lateness(events)],
    )


@blueprint.get("/messages")
def show_messages() -> Response:
    """The latest messages."""
    with current().store.read() as session:
        found = quality.latest_messages(session=session)
    return jsonify(messages=[{**asdict(each), "at": each.at.isoformat()} for each in found])


@blueprint.get("/reconciliation")
def show_differences() -> Response:
    """Another system's totals beside ours."""
    with current().store.read() as session:
        found = reconciliation.compare_totals(session=session)
    return jsonify(differences=[each.to_json() for each in found])


@blueprint.post("/reconciliation")
def report() -> Response:
    """Take another system's totals, and show them beside ours."""
    draft = reconciliation.parse_totals(request.get_data())
    with current().store.write() as session:
        reconciliation.report_totals(session=session, draft=draft, now=current().now())
    return show_differences()


def _days() -> int:
    text = request.args.get("days", "30")
    if not text.isdecimal() or not 1 <= int(text) <= 3_650:
        raise InvalidInput.at("days", "expected a whole number from 1 to 3650")
    return int(text)
