"""Features: the rules in the form that GrowthBook clients download to decide by themselves."""

import hashlib

from flask import Blueprint, Response, request

from experiments.people import KeyKind
from web.api.access import resolve
from web.api.clients import allow_browsers
from web.api.errors import problem
from web.deployment import current

blueprint = Blueprint("features", __name__)
allow_browsers(blueprint)


@blueprint.get("/api/features/<client_key>")
def download(client_key: str) -> Response:
    """Give the payload for local evaluation, or say that it has not changed."""
    reflection = current().mirror.reflection
    key = resolve(reflection.keys, [client_key])
    if key is None:
        return problem(401, "Unauthorized", "a client key is needed in the path")
    if key.kind is not KeyKind.CLIENT:
        return problem(
            403, "Forbidden", "use a client key here: a secret key does not belong into an address"
        )
    tag = f'"{hashlib.sha256(reflection.features).hexdigest()[:32]}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers=headers)
    return Response(reflection.features, headers=headers, content_type="application/json")
