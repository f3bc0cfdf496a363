"""The description: OpenAPI 3.1, made from the table of operations and the shapes that they read."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic.json_schema import models_json_schema

from experiments.fields import Draft
from experiments.roles import Scope
from web.api.events import ALIASES
from web.api.operation import Access, Operation
from web.api.operations import OPERATIONS
from web.deployment import VERSION

blueprint = Blueprint("description", __name__, url_prefix="/api/v1")

_REFERENCE = "#/components/schemas/{model}"

_PROBLEM = {
    "type": "object",
    "description": "What was refused, and why (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "What clients key on; it never changes."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "scope": {"enum": [*Scope, ""], "description": "With 403: what is missing."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "A parameter of the query."},
                    "header": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

_SECURITY: Mapping[Access, list[dict[str, list[str]]]] = {
    Access.EVERYBODY: [],
    Access.ANY_KEY: [{"bearer": []}, {"apiKey": []}, {"basic": []}],
    Access.SERVER_KEY: [{"bearer": []}, {"apiKey": []}, {"basic": []}],
    Access.CLIENT_KEY: [],
    Access.TOKEN: [{"bearer": []}, {"apiKey": []}, {"basic": []}, {"session": []}],
}


@blueprint.get("/openapi.json")
def show_description() -> Response:
    """The description of every door, for programs."""
    return jsonify(openapi(VERSION))


@cache
def openapi(version: str) -> dict[str, Any]:
    """Write the table as an OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Evenhand",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**_schemas(), "Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "evenhand_session"},
            },
        },
    }


def _schemas() -> dict[str, Any]:
    """The shapes of all bodies, and what they are made of."""
    drafts = [operation.draft for operation in OPERATIONS if operation.draft is not None]
    _, document = models_json_schema(
        [(draft, "validation") for draft in dict.fromkeys(drafts)], ref_template=_REFERENCE
    )
    found: dict[str, Any] = document["$defs"]
    return found


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _SECURITY[operation.access],
        "parameters": parameters_of(operation),
        "responses": {str(status): _answered(operation, status) for status in operation.statuses},
    }
    if operation.detail:
        described["description"] = operation.detail
    if operation.scope is not None:
        described["x-scope"] = operation.scope
    schema = operation.schema
    if operation.draft is not None:
        schema = {"$ref": _REFERENCE.format(model=operation.draft.__name__)}
    if schema is not None:
        content = {"schema": schema, "example": operation.body}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def parameters_of(operation: Operation) -> list[dict[str, Any]]:
    """What is read from the path, the query and the headers, each with its schema."""
    return [*_path(operation), *_query(operation.query), *_headers(operation)]


def _path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema_in_path(name)}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]


def _schema_in_path(name: str) -> dict[str, Any]:
    if name == "door":
        return {"enum": sorted(ALIASES)}
    return {"type": "integer" if name == "id" else "string"}


def _query(shape: type[Draft] | None) -> list[dict[str, Any]]:
    """The members of a query, each with the schema that it is checked by."""
    if shape is None:
        return []
    document = shape.model_json_schema(ref_template="{model}")
    shapes, required = document.get("$defs", {}), document.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _inlined(schema, shapes),
            **({"description": schema["description"]} if "description" in schema else {}),
        }
        for name, schema in document["properties"].items()
    ]


def _inlined(schema: Any, shapes: Mapping[str, Any]) -> Any:
    """A schema that refers to nothing outside of itself."""
    if isinstance(schema, list):
        return [_inlined(part, shapes) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(shapes[schema["$ref"]], shapes)
    return {name: _inlined(part, shapes) for name, part in schema.items()}


def _headers(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": told, "schema": {"type": "string"}}
        for name, told in operation.headers.items()
    ]


def _answered(operation: Operation, status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.statuses[status]}
    if status < 300 and operation.answer is not None:
        answer["content"] = {"application/json": {"example": operation.answer}}
    elif status >= 400 and operation.access is Access.TOKEN:
        schema = {"$ref": _REFERENCE.format(model="Problem")}
        answer["content"] = {"application/problem+json": {"schema": schema}}
    return answer
