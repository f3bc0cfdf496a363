"""An operation: one method of one door, as the description tells it and management serves it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from experiments.fields import Draft
from experiments.roles import Scope


class Access(StrEnum):
    """Who may use a door."""

    EVERYBODY = "everybody"
    ANY_KEY = "a server or client key"
    SERVER_KEY = "a server key"
    CLIENT_KEY = "a client key in the path"
    TOKEN = "an admin token, or a signed-in person"  # noqa: S105 - the words for it


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one door.

    ``body`` and ``answer`` are examples; ``schema`` describes the body, or ``draft`` is what it is read into;
    ``query`` is what the query is read into; ``statuses`` are the answers worth knowing, by status; ``scope``
    is what whoever asks has to hold. A body that may be more than JSON has a ``reader`` of its own.
    """

    method: str
    path: str
    name: str
    summary: str
    detail: str
    access: Access
    statuses: Mapping[int, str]
    schema: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None
    draft: type[Draft] | None = None
    query: type[Draft] | None = None
    reader: Callable[[bytes], Draft] | None = None


def managed(
    call: str,
    name: str,
    scope: Scope | None,
    summary: str,
    detail: str = "",
    *,
    draft: type[Draft] | None = None,
    query: type[Draft] | None = None,
    body: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
    reader: Callable[[bytes], Draft] | None = None,
    guarded: bool = False,
    statuses: Mapping[int, str] | None = None,
) -> Operation:
    """Describe an operation of the management API.

    Parameters
    ----------
    call
        Method and path, such as ``GET /experiments``.
    guarded
        Whether it heeds If-Match.
    statuses
        What is particular to it; what all have in common is added.
    """
    method, path = call.split()
    creates = method == "POST"
    return Operation(
        method,
        f"/api/v1{path}",
        name,
        summary,
        detail,
        Access.TOKEN,
        dict(sorted({**_expected(path, scope, draft, query, guarded=guarded), **(statuses or {})}.items())),
        body=body,
        answer=answer,
        headers={**(_IF_MATCH if guarded else {}), **(_IDEMPOTENCY if creates else {})},
        scope=scope,
        draft=draft,
        query=query,
        reader=reader,
    )


_IF_MATCH = {
    "If-Match": "The ETag of what was seen: what has changed since is not overwritten, but answered with 412."
}
_IDEMPOTENCY = {
    "Idempotency-Key": "Any text of your own. The same request under the same key is carried out once and "
    "answered alike for 24 hours; another body is answered with 422, one still under way with 409."
}


def _expected(
    path: str, scope: Scope | None, draft: type[Draft] | None, query: type[Draft] | None, *, guarded: bool
) -> dict[int, str]:
    found = {200: "As asked.", 401: "Nobody is signed in, or the token is not in force."}
    if scope is not None:
        found[403] = f"The scope {scope} is missing."
    if "{" in path:
        found[404] = "There is no such thing."
    if draft is not None:
        found[400] = "The body is not JSON."
        found[413] = "The body is larger than 1 MB."
    if draft is not None or query is not None:
        found[422] = "Something is not valid; every place is named."
    if guarded:
        found[412] = "Somebody else has changed it since."
    return found
