"""Health: whether the process lives, and whether it should be sent requests."""

from flask import Blueprint, Response, jsonify

from experiments.errors import Unavailable
from experiments.publishing import latest_version
from web.deployment import current

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def live() -> Response:
    """Answer without touching anything."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say whether the database answers and which ruleset this process serves."""
    deployment = current()
    served = deployment.mirror.reflection.ruleset
    state = {"ruleset": served.version, "broken": sorted(served.broken), "waiting": deployment.writer.waiting}
    try:
        with deployment.store.read() as session:
            published = latest_version(session=session)
    except Unavailable as problem:
        return jsonify(status="unavailable", detail=str(problem), **state), 503
    return jsonify(status="ok", published=published, **state), 200
