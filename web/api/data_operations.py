"""The doors around the data themselves: what may be stored, what became of it, and whether others agree."""

from web.api.operation import Access, Operation

_SIGNED_OUT = {401: "Nobody is signed in."}
_PLAN = {
    "mode": "filter",
    "events": [
        {
            "event": "Order Completed",
            "purpose": "revenue of experiments",
            "retention": "400d",
            "properties": [{"name": "revenue", "type": "number", "required": True}],
        }
    ],
}
_PROPERTY = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "type": {"enum": ["text", "number", "boolean", "object", "list", "any"]},
        "required": {"type": "boolean"},
        "purpose": {"type": "string"},
    },
}
_EVENT = {
    "type": "object",
    "required": ["event"],
    "properties": {
        "event": {"type": "string", "maxLength": 200},
        "purpose": {"type": "string"},
        "retention": {"type": ["string", "null"], "examples": ["400d"]},
        "properties": {"type": "array", "items": _PROPERTY},
    },
}
_PLAN_SCHEMA = {
    "type": "object",
    "properties": {
        "mode": {"enum": ["observe", "filter", "enforce"]},
        "events": {"type": "array", "items": _EVENT},
    },
}
_TOTALS = {"totals": [{"day": "2026-03-15", "event": "Order Completed", "count": 1201}]}
_TOTALS_SCHEMA = {
    "type": "object",
    "required": ["totals"],
    "properties": {
        "totals": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["day", "event", "count"],
                "properties": {
                    "day": {"type": "string", "format": "date"},
                    "event": {"type": "string"},
                    "count": {"type": "integer", "minimum": 0},
                },
            },
        }
    },
}
_ERASURE_SCHEMA = {
    "type": "object",
    "required": ["unit"],
    "properties": {
        "unit": {"type": "string", "minLength": 1, "maxLength": 512},
        "kind": {"enum": ["user_id", "anonymous_id"], "default": "user_id"},
    },
}
_DIFFERENCES = {
    "differences": [
        {
            "day": "2026-03-15",
            "event": "Order Completed",
            "theirs": 1201,
            "ours": 1130,
            "share": -0.0591,
            "agrees": False,
        }
    ]
}

DATA_OPERATIONS = (
    Operation(
        "POST",
        "/v1/projects/{write_key}/{door}",
        "receive_with_key",
        "Store events, with the key in the path.",
        "For senders that can only be given an address. Everything else is as at /v1/{door}.",
        Access.CLIENT_KEY,
        {200: "What became of the events.", 401: "Not a key in force."},
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
        "/api/v1/tracking-plan",
        "show_tracking_plan",
        "Show which events and properties may be stored.",
        "The ETag is the plan's version.",
        Access.SESSION,
        {200: "The plan.", **_SIGNED_OUT},
        answer={"version": 3, **_PLAN},
    ),
    Operation(
        "PUT",
        "/api/v1/tracking-plan",
        "replace_tracking_plan",
        "Put a tracking plan in force.",
        "Mode observe stores everything and counts what is out of plan; filter drops and counts properties "
        "that are not listed; enforce rejects such events as unplanned_event, unplanned_property, "
        "mistyped_property or missing_property. Addresses of the network and names of browsers are stored "
        "only where they are listed, in every mode. The doors follow within a second or two.",
        Access.SESSION,
        {
            200: "The plan.",
            **_SIGNED_OUT,
            409: "Somebody else has changed it since the version in If-Match.",
            422: "The plan is not valid; every place is named.",
        },
        schema=_PLAN_SCHEMA,
        body=_PLAN,
        answer={"version": 4, **_PLAN},
        headers={"If-Match": "The ETag of the plan that was edited."},
    ),
    Operation(
        "GET",
        "/api/v1/data-quality",
        "show_data_quality",
        "Say what became of the messages, by event and day.",
        "Counted in the transaction that stores them. A message is late when it came more than an hour "
        "after its event; skewed when the client's clock was off and its time was corrected; unknown when it "
        "is not in the tracking plan or names no experiment; mismatch when an exposure's variant is not the "
        "one that we would have given.",
        Access.SESSION,
        {200: "The counts.", **_SIGNED_OUT, 422: "days is not a whole number from 1 to 3650."},
        answer={
            "events": [{"event": "Order Completed", "accepted": 1130, "duplicate": 2, "rejected": 1}],
            "days": [{"day": "2026-03-15", "events": []}],
            "lateness": [{"lag": "lag:0", "count": 1130}],
        },
    ),
    Operation(
        "GET",
        "/api/v1/messages",
        "show_messages",
        "Show the latest messages, whatever became of them.",
        "For testing an integration: send an event and see it here.",
        Access.SESSION,
        {200: "The messages, the newest first.", **_SIGNED_OUT},
    ),
    Operation(
        "GET",
        "/api/v1/reconciliation",
        "show_reconciliation",
        "Show another system's daily totals beside ours.",
        "Days are UTC, by when the events happened. A day agrees within 5 per cent of the other total.",
        Access.SESSION,
        {200: "The differences.", **_SIGNED_OUT},
        answer=_DIFFERENCES,
    ),
    Operation(
        "POST",
        "/api/v1/reconciliation",
        "report_totals",
        "Report another system's daily totals.",
        "As JSON, or as CSV with the columns day, event and count. A day that is reported again replaces "
        "what was there.",
        Access.SESSION,
        {200: "The differences.", **_SIGNED_OUT, 422: "Something is wrong; every place is named."},
        schema=_TOTALS_SCHEMA,
        body=_TOTALS,
        answer=_DIFFERENCES,
    ),
    Operation(
        "POST",
        "/api/v1/erasures",
        "erase",
        "Take everything out that is stored about a person.",
        "A person is a user id with the anonymous ids that were seen with it. Exposures, events, identities "
        "and rejected messages go, and what arrives late from before this moment is ignored; readouts stay. "
        "The audit log keeps the counts and a digest. Experiments that place the id by hand are named under "
        "overrides: they are for people to change. Doing it again takes out what is left.",
        Access.SESSION,
        {
            200: "What was taken out.",
            **_SIGNED_OUT,
            422: "This cannot be an id, or several people used this anonymous id.",
        },
        schema=_ERASURE_SCHEMA,
        body={"unit": "user-1", "kind": "user_id"},
        answer={
            "digest": "6f1c0f7e1f0b6d0a9a4f1f0c7a6e2b11",
            "users": 1,
            "anonymous": 2,
            "exposures": 3,
            "events": 118,
            "identities": 2,
            "rejections": 0,
            "detached": 0,
            "overrides": [],
        },
    ),
)
