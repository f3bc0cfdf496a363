"""The bootstrap: what Segment's clients for browsers and phones ask for at their start."""

from flask import Blueprint, Response, jsonify, request

from experiments.people import KeyKind
from web.api.access import resolve
from web.api.clients import allow_browsers
from web.api.errors import problem
from web.deployment import current

blueprint = Blueprint("bootstrap", __name__)
allow_browsers(blueprint)


@blueprint.get("/v1/projects/<write_key>/settings")
def tell_settings(write_key: str) -> Response:
    """Say where to send to."""
    key = resolve(current().mirror.reflection.keys, [write_key])
    if key is None:
        return problem(401, "Unauthorized", "a client key is needed in the path")
    if key.kind is not KeyKind.CLIENT:
        return problem(
            403, "Forbidden", "use a client key here: a secret key does not belong into an address"
        )
    secure = request.is_secure or current().settings.public_url.startswith("https://")
    sender = {
        "apiKey": write_key,
        "apiHost": f"{request.host}/v1",
        "protocol": "https" if secure else "http",
    }
    answer = jsonify(
        integrations={"Segment.io": sender},
        plan={"track": {"__default": {"enabled": True, "integrations": {}}}},
    )
    answer.headers["Cache-Control"] = "private, max-age=60"
    return answer
