"""Documentation: the doors for programs, readable, with an example to paste and a form to try for each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from web.api.description import parameters_of
from web.api.errors import MEANINGS, anchor
from web.api.operation import Access, Operation
from web.api.operations import GROUPS, OPERATIONS
from web.pages.site import open_to_all, site

_BY_NAME: Mapping[str, Operation] = {each.name: each for each in OPERATIONS}
_SAMPLES = {"key": "checkout", "door": "batch", "client_key": "$KEY", "write_key": "$KEY", "id": "1"}


@dataclass(frozen=True, slots=True)
class Field:
    """One box of the form that tries an operation. ``place`` is path, query or header."""

    name: str
    place: str
    told: str
    required: bool
    choices: tuple[str, ...]
    number: bool
    placeholder: str


@dataclass(frozen=True, slots=True)
class Door:
    """An operation, ready to be shown."""

    operation: Operation
    example: str
    answer: str
    body: str
    fields: tuple[Field, ...]


@site.get("/api")
@open_to_all
def describe_doors() -> str:
    """Every door, from the same table as the OpenAPI document."""
    groups = [(title, [_door(operation) for operation in operations]) for title, operations in GROUPS]
    problems = [(anchor(title), title, meaning) for title, meaning in MEANINGS.items()]
    return render_template("doors.html", groups=groups, problems=problems)


@site.get("/try")
@open_to_all
def try_door() -> Response:
    """Go where a form without scripts wants to: the address is made of what was typed."""
    operation = _BY_NAME.get(request.args.get("operation", ""))
    if operation is None or operation.method != "GET":
        abort(404)
    typed = {name: value for name, value in request.args.items() if value and name != "operation"}
    named = re.findall(r"\{(\w+)\}", operation.path)
    if not all(name in typed for name in named):
        abort(400)
    path = operation.path.format(**{name: quote(typed.pop(name), safe="") for name in named})
    return redirect(f"{path}?{urlencode(typed)}" if typed else path, 303)


def _door(operation: Operation) -> Door:
    return Door(
        operation,
        _example(operation),
        _json(operation.answer),
        _json(operation.body),
        tuple(_field(each) for each in parameters_of(operation)),
    )


def _field(parameter: Mapping[str, Any]) -> Field:
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", ())]
    choices = next((tuple(map(str, kind["enum"])) for kind in kinds if "enum" in kind), ())
    if schema.get("type") == "boolean":
        choices = ("false", "true")
    name = parameter["name"]
    return Field(
        name=name,
        place=parameter["in"],
        told=parameter.get("description", ""),
        required=parameter["required"],
        choices=choices,
        number=schema.get("type") == "integer",
        placeholder=_SAMPLES.get(name, "") if parameter["in"] == "path" else str(schema.get("default") or ""),
    )


def _example(operation: Operation) -> str:
    """A command that works when it is pasted, once TOKEN or KEY is set."""
    path = re.sub(r"\{(\w+)\}", lambda found: _SAMPLES.get(found[1], "NAME"), operation.path)
    parts = ["curl", f'"{request.host_url.rstrip("/")}{path}"']
    if operation.method not in ("GET", "POST"):
        parts.append(f"-X {operation.method}")
    if operation.access is Access.TOKEN:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    elif operation.access in (Access.ANY_KEY, Access.SERVER_KEY):
        parts.append('-H "Authorization: Bearer $KEY"')
    if operation.body is not None:
        parts.append("-d '" + json.dumps(operation.body).replace("'", "'\\''") + "'")
    return " ".join(parts)


def _json(document: object) -> str:
    return "" if document is None else json.dumps(document, indent=2, ensure_ascii=False)
