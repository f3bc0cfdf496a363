"""Operations around the data themselves: what may be stored, what became of it, and whether others agree."""

from experiments.reconciliation import TotalsDraft, parse_totals
from experiments.roles import Scope
from experiments.tracking import TrackingDraft
from web.api.operation import managed
from web.api.orders import DaysBack, ErasureOrder

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
_TOTALS = {"totals": [{"day": "2026-03-15", "event": "Order Completed", "count": 1201}]}
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

DATA = (
    managed(
        "GET /tracking-plan",
        "show_tracking_plan",
        Scope.READ,
        "Show which events and properties may be stored.",
        "The ETag is the plan's version.",
        answer={"version": 3, **_PLAN},
    ),
    managed(
        "PUT /tracking-plan",
        "replace_tracking_plan",
        Scope.DATA,
        "Put a tracking plan in force.",
        "Mode observe stores everything and counts what is out of plan; filter drops and counts properties "
        "that are not listed; enforce rejects such events as unplanned_event, unplanned_property, "
        "mistyped_property or missing_property. Addresses of the network and names of browsers are stored "
        "only where they are listed, in every mode. The doors follow within a second or two.",
        draft=TrackingDraft,
        body=_PLAN,
        answer={"version": 4, **_PLAN},
        guarded=True,
    ),
    managed(
        "GET /data-quality",
        "show_data_quality",
        Scope.READ,
        "Say what became of the messages, by event and day.",
        "Counted in the transaction that stores them. A message is late when it came more than an hour "
        "after its event; skewed when the client's clock was off and its time was corrected; unknown when it "
        "is not in the tracking plan or names no experiment; mismatch when an exposure's variant is not the "
        "one that we would have given.",
        query=DaysBack,
        answer={
            "events": [{"event": "Order Completed", "accepted": 1130, "duplicate": 2, "rejected": 1}],
            "days": [{"day": "2026-03-15", "events": []}],
            "lateness": [{"lag": "lag:0", "count": 1130}],
        },
    ),
    managed(
        "GET /messages",
        "show_messages",
        Scope.READ,
        "Show the latest messages, whatever became of them.",
        "For testing an integration: send an event and see it here. The newest first.",
        answer={
            "messages": [
                {
                    "at": "2026-03-15T09:30:00+00:00",
                    "kind": "event",
                    "name": "Order Completed",
                    "unit": "user-1",
                    "message_id": "m-1",
                    "detail": "{}",
                    "mark": "",
                }
            ]
        },
    ),
    managed(
        "GET /reconciliation",
        "show_reconciliation",
        Scope.READ,
        "Show another system's daily totals beside ours.",
        "Days are UTC, by when the events happened. A day agrees within 5 per cent of the other total.",
        answer=_DIFFERENCES,
    ),
    managed(
        "POST /reconciliation",
        "report_totals",
        Scope.DATA,
        "Report another system's daily totals.",
        "As JSON, or as CSV with the columns day, event and count. A day that is reported again replaces "
        "what was there.",
        draft=TotalsDraft,
        reader=parse_totals,
        body=_TOTALS,
        answer=_DIFFERENCES,
    ),
    managed(
        "POST /erasures",
        "erase",
        Scope.PRIVACY,
        "Take everything out that is stored about a person.",
        "A person is a user id with the anonymous ids that were seen with it. Exposures, events, identities "
        "and rejected messages go, and what arrives late from before this moment is ignored; readouts stay. "
        "The audit log keeps the counts and a digest. Experiments that place the id by hand are named under "
        "overrides: they are for people to change. Doing it again takes out what is left. "
        "With only_count nothing is taken out, and the answer says what would be.",
        draft=ErasureOrder,
        body={"unit": "user-1", "kind": "user_id", "only_count": False},
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
            "erased": True,
        },
    ),
)
