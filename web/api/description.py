"""The description: every door for programs in one table; OpenAPI and the page at ``/api`` are made from it.

A test compares the table with the routes that are really served, so neither can drift from the other.
"""

import re
from collections.abc import Mapping
from typing import Any

from web.api.data_operations import DATA_OPERATIONS
from web.api.operation import Access, Operation

_CONTEXT = {
    "type": "object",
    "required": ["context"],
    "properties": {
        "context": {
            "type": "object",
            "required": ["targetingKey"],
            "properties": {"targetingKey": {"type": "string", "minLength": 1, "maxLength": 512}},
            "additionalProperties": True,
        }
    },
}
_MESSAGE_FIELDS: dict[str, Any] = {
    "type": {"enum": ["track", "identify", "alias", "page", "screen", "group"]},
    "messageId": {"type": "string", "maxLength": 200},
    "userId": {"type": ["string", "null"], "maxLength": 512},
    "anonymousId": {"type": ["string", "null"], "maxLength": 512},
    "event": {"type": "string", "maxLength": 200},
    "properties": {"type": ["object", "null"]},
    "timestamp": {"type": "string", "format": "date-time"},
    "sentAt": {"type": "string", "format": "date-time"},
}
_MESSAGE = {"type": "object", "properties": _MESSAGE_FIELDS}
_BATCH = {
    "type": "object",
    "properties": {"batch": {"type": "array", "maxItems": 1_000, "items": _MESSAGE}, **_MESSAGE_FIELDS},
}
_DECISION = {
    "key": "checkout",
    "value": {"pages": 1},
    "reason": "SPLIT",
    "variant": "one_page",
    "metadata": {
        "experiment": "checkout",
        "phase": 1,
        "ruleset": 7,
        "detail": "assigned",
        "inExperiment": True,
    },
}
_REFUSED = {
    400: "The body or the context is not usable: PARSE_ERROR, TARGETING_KEY_MISSING or INVALID_CONTEXT.",
    401: "No key, or one that is not in force.",
    413: "The body is larger than 1 MB.",
}

OPERATIONS = (
    Operation(
        "POST",
        "/ofrep/v1/evaluate/flags/{key}",
        "evaluate",
        "Decide one experiment for one unit.",
        "The OpenFeature remote evaluation protocol. For a server key the exposure is recorded behind the "
        "answer, once for each unit and variant. A unit that is not part of the experiment gets the "
        "control's value under the variant name “excluded”; metadata.detail says why.",
        Access.ANY_KEY,
        {200: "The decision.", **_REFUSED, 404: "FLAG_NOT_FOUND: there is no such experiment."},
        schema=_CONTEXT,
        body={"context": {"targetingKey": "user-1", "country": "NO"}},
        answer=_DECISION,
        headers={"X-Evenhand-Exposure": "“off” keeps this evaluation from being recorded."},
    ),
    Operation(
        "POST",
        "/ofrep/v1/evaluate/flags",
        "evaluate_all",
        "Decide every experiment for one unit.",
        "For clients that ask once and keep the answers. Nothing is recorded. The ETag is of this context's "
        "answer; sent back as If-None-Match it saves the body while nothing has changed.",
        Access.ANY_KEY,
        {200: "The decisions.", 304: "The answer has not changed.", **_REFUSED},
        schema=_CONTEXT,
        body={"context": {"targetingKey": "user-1"}},
        answer={"flags": [_DECISION]},
    ),
    Operation(
        "GET",
        "/api/features/{client_key}",
        "features",
        "Download the rules for deciding locally.",
        "What GrowthBook clients read: hash version 2, explicit ranges, layers and holdouts as filters, "
        "targeting as conditions. A client that decides by it agrees with the server about every unit. "
        "Overrides are left out, because this document is public.",
        Access.CLIENT_KEY,
        {200: "The payload.", 304: "It has not changed.", 401: "Not a key in force.", 403: "A server key."},
    ),
    Operation(
        "POST",
        "/v1/{door}",
        "receive",
        "Store events, single or in a batch.",
        "Segment's HTTP tracking API under the names batch, track, identify, alias, page, screen, group, "
        "import and their one-letter forms. Status 200 means that the events are on the disk. The same "
        "messageId again counts once; events older than what the ledger has forgotten, or of erased people, "
        "are ignored and counted as outdated. One bad event never fails its batch; it is named in the "
        "answer. Exposures from clients that decide by themselves arrive as the event “Experiment Viewed” "
        "with experiment_id and variation_id.",
        Access.ANY_KEY,
        {
            200: "What became of the events.",
            400: "Nothing of the body could be read; with X-Strict-Mode: 1 also any bad event.",
            401: "No key, or one that is not in force.",
            413: "Larger than 1 MB, or than 8 MB unpacked.",
            503: "Nothing was stored; send it again after Retry-After.",
        },
        schema=_BATCH,
        body={
            "batch": [{"type": "track", "userId": "user-1", "event": "Order Completed", "messageId": "m-1"}],
            "sentAt": "2026-03-15T09:30:00.000Z",
        },
        answer={"success": True, "accepted": 1, "duplicates": 0, "rejected": []},
        headers={"X-Strict-Mode": "“1” turns problems into a status of 400, for trying things out."},
    ),
    Operation(
        "GET",
        "/livez",
        "live",
        "Say that the process lives.",
        "Touches nothing else.",
        Access.EVERYBODY,
        {200: "It does."},
        answer={"status": "ok"},
    ),
    Operation(
        "GET",
        "/readyz",
        "ready",
        "Say whether the process should be sent requests.",
        "Names the ruleset that it serves and the one that is published.",
        Access.EVERYBODY,
        {200: "It should.", 503: "The database does not answer; decisions go on from memory."},
    ),
    Operation(
        "GET",
        "/metrics",
        "metrics",
        "Count what the processes of this server have done.",
        "Prometheus's text form. Labels are doors, statuses and outcomes, never an experiment or a unit.",
        Access.SERVER_KEY,
        {200: "The counters.", 401: "Not a server key."},
    ),
    Operation(
        "GET",
        "/api/v1/experiments",
        "list_experiments",
        "List the experiments.",
        "The most recently changed first. A stored definition that cannot be read is named under illegible.",
        Access.SESSION,
        {200: "The experiments.", 401: "Nobody is signed in."},
    ),
    Operation(
        "GET",
        "/api/v1/experiments/{key}/readout",
        "show_readout",
        "Show an experiment's latest readout.",
        "The same document as the command line prints. Probabilities are never rounded in it; what is "
        "unlimited or unknown is null.",
        Access.SESSION,
        {200: "The readout.", 401: "Nobody is signed in.", 404: "No such experiment, or not analysed yet."},
    ),
    *DATA_OPERATIONS,
    Operation(
        "GET",
        "/api/v1/openapi.json",
        "openapi",
        "Describe all of this for programs.",
        "OpenAPI 3.1.",
        Access.EVERYBODY,
        {200: "The description."},
    ),
)

_SECURITY: Mapping[Access, list[dict[str, list[str]]]] = {
    Access.EVERYBODY: [],
    Access.ANY_KEY: [{"bearer": []}, {"apiKey": []}, {"basic": []}],
    Access.SERVER_KEY: [{"bearer": []}, {"apiKey": []}, {"basic": []}],
    Access.CLIENT_KEY: [],
    Access.SESSION: [{"session": []}],
}


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
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "evenhand_session"},
            }
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    headers = [
        {"name": name, "in": "header", "required": False, "description": told, "schema": {"type": "string"}}
        for name, told in operation.headers.items()
    ]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.detail,
        "security": _SECURITY[operation.access],
        "parameters": [*named, *headers],
        "responses": {str(status): _answered(operation, status) for status in operation.statuses},
    }
    if operation.schema is not None:
        content = {"schema": operation.schema, "example": operation.body}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _answered(operation: Operation, status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.statuses[status]}
    if status == 200 and operation.answer is not None:
        answer["content"] = {"application/json": {"example": operation.answer}}
    return answer
