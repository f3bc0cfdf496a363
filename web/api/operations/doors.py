"""The doors of assignment, events and health."""

from typing import Any

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
_STORED = {
    200: "What became of the events.",
    400: "Nothing of the body could be read; with X-Strict-Mode: 1 also any bad event.",
    401: "No key, or one that is not in force.",
    413: "Larger than 1 MB, or than 8 MB unpacked.",
    503: "Nothing was stored; send it again after Retry-After.",
}

DOORS = (
    Operation(
        "POST",
        "/ofrep/v1/evaluate/flags/{key}",
        "evaluate",
        "Decide one experiment for one unit.",
        "The OpenFeature remote evaluation protocol. For a server key the exposure is recorded behind the "
        "answer, once for each unit and variant. A unit that is not part of the experiment gets the "
        "control's value under the variant name “excluded”; metadata.detail says why. A preview's token "
        "in the context's _variant shows what it was made for, even of a draft; detail is then “preview”, "
        "nothing is recorded, and metadata.preview says shown, expired, invalid or gone.",
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
        _STORED,
        schema=_BATCH,
        body={
            "batch": [{"type": "track", "userId": "user-1", "event": "Order Completed", "messageId": "m-1"}],
            "sentAt": "2026-03-15T09:30:00.000Z",
        },
        answer={"success": True, "accepted": 1, "duplicates": 0, "rejected": []},
        headers={"X-Strict-Mode": "“1” turns problems into a status of 400, for trying things out."},
    ),
    Operation(
        "POST",
        "/v1/projects/{write_key}/{door}",
        "receive_with_key",
        "Store events, with the key in the path.",
        "For senders that can only be given an address. Everything else is as at /v1/{door}.",
        Access.CLIENT_KEY,
        _STORED,
    ),
    Operation(
        "GET",
        "/v1/projects/{write_key}/settings",
        "bootstrap",
        "Tell Segment's clients for browsers and phones where to send to.",
        "They ask for it at their start when their CDN address points here.",
        Access.CLIENT_KEY,
        {200: "The settings.", 401: "Not a key in force.", 403: "A server key."},
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
)

OPENAPI = Operation(
    "GET",
    "/api/v1/openapi.json",
    "openapi",
    "Describe all of this for programs.",
    "OpenAPI 3.1.",
    Access.EVERYBODY,
    {200: "The description."},
)
