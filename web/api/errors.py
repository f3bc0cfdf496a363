"""Errors: how each refusal of a use case is said over HTTP, in the form of RFC 9457."""

from typing import Any

from flask import Response, json, request
from werkzeug.exceptions import HTTPException

from experiments.errors import (
    Conflict,
    EvenhandError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unavailable,
)

RETRY_AFTER = "2"
"""Whole seconds; clients wait that long before they send again."""

_STATUSES: dict[type[EvenhandError], tuple[int, str]] = {
    InvalidInput: (422, "The input is not valid"),
    NotFound: (404, "Not found"),
    Conflict: (409, "Conflict"),
    NotAllowed: (409, "Not allowed now"),
    Unavailable: (503, "Not available right now"),
}

DOORS = ("/api/", "/v1/", "/ofrep/", "/livez", "/readyz")
"""Where paths begin that programs use, beside `/metrics` itself; everything else is a page and answers people
in their language."""


def problem(status: int, title: str, detail: str, **members: Any) -> Response:
    """Answer with an RFC 9457 problem."""
    document = {
        "type": f"/api#{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    answer = Response(
        json.dumps({**document, **members}), status=status, content_type="application/problem+json"
    )
    if status in (429, 503):
        answer.headers["Retry-After"] = RETRY_AFTER
    return answer


def is_door() -> bool:
    """Whether the present request came to a door for programs."""
    # People's own catalogue of metrics lies below the programs' one.
    path = request.path
    return path == "/metrics" or path.removeprefix("/").startswith(DOORS) or path.startswith(DOORS)


def answer_refusal(refusal: EvenhandError) -> Response:
    """Say a use case's refusal."""
    status, title = next(known for kind, known in _STATUSES.items() if isinstance(refusal, kind))
    if isinstance(refusal, InvalidInput):
        errors = [
            {"pointer": "#/" + each.place.replace(".", "/"), "detail": each.message}
            for each in refusal.problems
        ]
        return problem(status, title, str(refusal), errors=errors)
    return problem(status, title, str(refusal))


def answer_http(refusal: HTTPException) -> Response:
    """Say what the framework refused."""
    return problem(refusal.code or 500, refusal.name, refusal.description or refusal.name)
