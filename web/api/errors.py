"""Errors: how each refusal of a use case is said over HTTP, in the form of RFC 9457."""

import re
from typing import Any
from urllib.parse import quote

from flask import Response, json, request
from werkzeug.exceptions import HTTPException

from experiments.errors import (
    Conflict,
    EvenhandError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Outdated,
    Problem,
    Unavailable,
)
from web.api.bodies import MAX_BODY

RETRY_AFTER = "2"
"""Whole seconds; clients wait that long before they send again."""


class NotJson(InvalidInput):
    """A body that cannot be read at all."""


class BadQuery(InvalidInput):
    """A query whose parameters are wrong."""


_STATUSES: dict[type[EvenhandError], tuple[int, str]] = {
    NotJson: (400, "The body is not JSON"),
    InvalidInput: (422, "The input is not valid"),
    NotSignedIn: (401, "Not signed in"),
    NotPermitted: (403, "Not permitted"),
    NotFound: (404, "Not found"),
    Outdated: (412, "Changed in the meantime"),
    Conflict: (409, "Conflict"),
    NotAllowed: (409, "Not allowed now"),
    Unavailable: (503, "Not available right now"),
}
"""Looked through in this order. The types of problems are made of these titles, and clients key on them."""

MEANINGS = {
    "The body is not JSON": "Nothing was read. The errors say where it stopped making sense.",
    "The input is not valid": "Every error names its place: a pointer into the body, a parameter, a header.",
    "Not signed in": "There is no session, or the token is unknown, expired or revoked.",
    "Not permitted": "The member scope says what the token or the role lacks.",
    "Not found": "There is no such thing, or none that may be seen.",
    "Changed in the meantime": "Somebody else was quicker; read it again and decide anew.",
    "Conflict": "It exists already, something else holds it, or the same request is still under way.",
    "Not allowed now": "The state of the thing does not allow it, whoever asks.",
    "Not available right now": "Nothing was stored; send the same request again after Retry-After.",
}
"""What each of them means, for readers."""

DOORS = ("/api/", "/v1/", "/ofrep/", "/livez", "/readyz")
"""Where paths begin that programs use, beside `/metrics` itself; everything else is a page and answers people
in their language."""

_HEADERS = ("If-Match", "Idempotency-Key")
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")
"""Headers of the framework's own refusals that clients need."""

_TOO_LARGE = f"the body is larger than {MAX_BODY} bytes"

CHALLENGE = 'Bearer realm="evenhand"'


def problem(status: int, title: str, detail: str, **members: Any) -> Response:
    """Answer with an RFC 9457 problem."""
    document = {"type": f"/api#{anchor(title)}", "title": title, "status": status, "detail": detail}
    answer = Response(
        json.dumps({**document, **members}), status=status, content_type="application/problem+json"
    )
    if status in (429, 503):
        answer.headers["Retry-After"] = RETRY_AFTER
    if status == 401:
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def anchor(title: str) -> str:
    """Where on the page of the doors a kind of problem is explained."""
    return title.lower().replace(" ", "-")


def is_door() -> bool:
    """Whether the present request came to a door for programs."""
    # People's own catalogue of metrics lies below the programs' one.
    path = request.path
    return path == "/metrics" or path.removeprefix("/").startswith(DOORS) or path.startswith(DOORS)


def answer_refusal(refusal: EvenhandError) -> Response:
    """Say a use case's refusal."""
    status, title = next(known for kind, known in _STATUSES.items() if isinstance(refusal, kind))
    if isinstance(refusal, BadQuery):
        errors = [{"parameter": each.place, "detail": each.message} for each in refusal.problems]
        return problem(status, title, str(refusal), errors=errors)
    if isinstance(refusal, InvalidInput):
        return problem(status, title, str(refusal), errors=[_error(each) for each in refusal.problems])
    if isinstance(refusal, NotPermitted):
        return problem(status, title, str(refusal), scope=refusal.scope)
    return problem(status, title, str(refusal))


def answer_http(refusal: HTTPException) -> Response:
    """Say what the framework refused."""
    told = _TOO_LARGE if refusal.code == 413 else refusal.description or refusal.name
    answer = problem(refusal.code or 500, refusal.name, told)
    for name, value in refusal.get_headers():
        if name in _KEPT:
            answer.headers[name] = value
    return answer


def _error(found: Problem) -> dict[str, str]:
    """Where in the body, or which header."""
    if found.place in _HEADERS:
        return {"header": found.place, "detail": found.message}
    parts = found.parts or tuple(found.place.split(".") if found.place else ())
    # What is wrong with a thing as a whole begins with the name of the member that it shows in.
    named = re.fullmatch(r"([a-z_]{2,32}): (.+)", found.message, re.DOTALL)
    if named:
        return {"pointer": pointer(*parts, named[1]), "detail": named[2]}
    return {"pointer": pointer(*parts), "detail": found.message}


def pointer(*parts: str | int) -> str:
    """Write a JSON pointer as the fragment of an address (RFC 6901, section 6)."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "#" + "".join("/" + quote(each, safe="~:@!$&'()*+,;=") for each in escaped)
