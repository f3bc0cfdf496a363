"""The tracking plan, for programs. A session is needed."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from experiments.errors import InvalidInput
from experiments.tracking import TrackingPlan
from experiments.tracking_plans import find_plan, parse_plan, save_plan
from web.auth import person, require_person
from web.deployment import current

blueprint = Blueprint("tracking", __name__, url_prefix="/api/v1")
blueprint.before_request(require_person)


@blueprint.get("/tracking-plan")
def show() -> Response:
    """The plan in force."""
    with current().store.read() as session:
        return _answer(find_plan(session=session))


@blueprint.put("/tracking-plan")
def replace() -> Response:
    """Put a plan in force."""
    draft, asking = parse_plan(request.get_data()), person()
    with current().store.write() as session:
        plan = save_plan(
            session=session,
            draft=draft,
            actor=asking.name if asking else "",
            now=current().now(),
            version=_seen(),
        )
    return _answer(plan)


def _seen() -> int | None:
    """The version that the caller has edited."""
    tag = request.headers.get("If-Match", "").strip('" ')
    if tag in ("", "*"):
        return None
    if not tag.isdecimal():
        raise InvalidInput.at("If-Match", "expected the ETag of a tracking plan")
    return int(tag)


def _answer(plan: TrackingPlan) -> Response:
    document: dict[str, Any] = {"version": plan.version, **plan.draft.model_dump(mode="json")}
    answer = jsonify(document)
    answer.set_etag(str(plan.version))
    return answer
