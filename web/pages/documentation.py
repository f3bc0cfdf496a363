"""Documentation: the doors for programs, readable, with an example to paste for each."""

import json

from flask import render_template, request

from web.api.operation import Access, Operation
from web.api.operations import OPERATIONS
from web.pages.site import open_to_all, site


@site.get("/api")
@open_to_all
def describe_doors() -> str:
    """Every door, from the same table as the OpenAPI document."""
    doors = [(operation, _example(operation), _json(operation.answer)) for operation in OPERATIONS]
    return render_template("doors.html", doors=doors)


def _example(operation: Operation) -> str:
    """A command that works when it is pasted, once KEY is set."""
    path = (
        operation.path.replace("{key}", "checkout")
        .replace("{door}", "batch")
        .replace("{client_key}", "$KEY")
        .replace("{write_key}", "$KEY")
    )
    parts = ["curl", f"'{request.host_url.rstrip('/')}{path}'".replace("'", '"')]
    if operation.method not in ("GET", "POST"):
        parts.append(f"-X {operation.method}")
    if operation.access in (Access.ANY_KEY, Access.SERVER_KEY):
        parts.append('-H "Authorization: Bearer $KEY"')
    if operation.body is not None:
        parts.append(f"-d '{json.dumps(operation.body)}'")
    return " ".join(parts)


def _json(document: object) -> str:
    return "" if document is None else json.dumps(document, indent=2, ensure_ascii=False)
