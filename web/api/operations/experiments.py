"""Operations on experiments: writing them down, and their moves from draft to archive."""

from experiments.roles import Scope
from web.api.operation import managed
from web.api.orders import (
    CloneOrder,
    EditOptions,
    ExperimentBody,
    ExperimentFilter,
    MoveOrder,
    PreviewOptions,
    StartOrder,
    UnitQuestion,
)
from web.api.replies import Page

_DEFINITION = {
    "key": "checkout",
    "name": "One-page checkout",
    "owner": "Ada",
    "variants": [{"key": "three_pages", "value": {"pages": 3}}, {"key": "one_page", "value": {"pages": 1}}],
    "control": "three_pages",
    "metrics": {"primary": ["paid"], "guardrails": [{"metric": "refund", "margin": 0.05}]},
    "plan": {"size": 40_000, "days": 14, "mde": 0.05},
}
_SHOWN = {
    "key": "checkout",
    "name": "One-page checkout",
    "status": "running",
    "phase": 1,
    "revision": 4,
    "owner": "Ada",
    "tags": [],
    "shipped": None,
    "created_at": "2026-03-01T09:00:00+00:00",
    "updated_at": "2026-03-02T09:00:00+00:00",
    "started_at": "2026-03-02T09:00:00+00:00",
    "stopped_at": None,
    "analysis_asked_at": None,
    "definition": _DEFINITION,
}
_TAKEN = {409: "The key was used before: keys are permanent."}
_MOVED = {409: "It cannot go there from where it stands, or something else holds its place."}
_PHASE = {
    "number": 1,
    "started_at": "2026-03-02T09:00:00+00:00",
    "stopped_at": None,
    "holdouts": [],
    "definition": _DEFINITION,
}

EXPERIMENTS = (
    managed(
        "GET /experiments",
        "list_experiments",
        Scope.READ,
        "List the experiments.",
        "The newest first, in an order that later changes do not disturb. A stored definition that cannot be "
        "read is named under illegible.",
        query=ExperimentFilter,
        answer={"experiments": [_SHOWN], "next": None, "illegible": []},
    ),
    managed(
        "POST /experiments",
        "create_experiment",
        Scope.WRITE,
        "Write an experiment down, as a draft.",
        draft=ExperimentBody,
        body=_DEFINITION,
        answer={**_SHOWN, "status": "draft", "revision": 1, "started_at": None},
        statuses={201: "It is written down.", **_TAKEN},
    ),
    managed(
        "GET /experiments/{key}",
        "show_experiment",
        Scope.READ,
        "Show an experiment.",
        "The ETag is its revision. What stands under definition can be sent back to change it.",
        answer=_SHOWN,
    ),
    managed(
        "PUT /experiments/{key}",
        "replace_experiment",
        Scope.WRITE,
        "Change an experiment.",
        "After its start its texts, owner, tags, hypothesis, end and overrides may change, traffic may rise "
        "and secondary metrics may join. Anything else moves units or goalposts: it is refused unless "
        "new_phase says that it is meant, and then draws lots again.",
        draft=ExperimentBody,
        query=EditOptions,
        body=_DEFINITION,
        answer=_SHOWN,
        guarded=True,
        statuses={409: "It is over, or the change would move units."},
    ),
    managed(
        "POST /experiments/{key}/clone",
        "clone_experiment",
        Scope.WRITE,
        "Write a new draft down that asks the same.",
        "Without dates and overrides.",
        draft=CloneOrder,
        body={"key": "checkout-2", "name": "One-page checkout, again"},
        answer={**_SHOWN, "key": "checkout-2", "status": "draft", "started_at": None},
        statuses={201: "It is written down.", **_TAKEN},
    ),
    managed(
        "POST /experiments/{key}/submit",
        "submit_experiment",
        Scope.WRITE,
        "Hand a draft over for review.",
        draft=MoveOrder,
        body={},
        answer={**_SHOWN, "status": "review"},
        guarded=True,
        statuses=_MOVED,
    ),
    managed(
        "POST /experiments/{key}/approve",
        "approve_experiment",
        Scope.LAUNCH,
        "Say yes to an experiment in review as it stands.",
        "Where the project asks for approval, an experiment starts only after somebody who neither wrote it "
        "down nor changed it last has said yes. An edit voids it, and so do 72 hours.",
        draft=MoveOrder,
        body={},
        answer={
            "approver": "Bo",
            "approved_at": "2026-03-02T08:00:00+00:00",
            "expires_at": "2026-03-05T08:00:00+00:00",
        },
        guarded=True,
        statuses={409: "It waits for no approval, or the approver is one of its authors."},
    ),
    managed(
        "POST /experiments/{key}/start",
        "start_experiment",
        Scope.LAUNCH,
        "Start an experiment, or go on with a stopped one.",
        "Every worker assigns by it within a second or two. Where starts of the definition is yet to come, "
        "its status is scheduled: it starts by itself then, and until then everybody gets the control. A "
        "stopped experiment goes on under the same salt, or draws lots again with new_phase.",
        draft=StartOrder,
        body={"new_phase": False},
        answer=_SHOWN,
        guarded=True,
        statuses=_MOVED,
    ),
    managed(
        "POST /experiments/{key}/cancel",
        "cancel_start",
        Scope.LAUNCH,
        "Take a scheduled start back.",
        "The experiment is a draft again. A change of its definition does the same.",
        draft=MoveOrder,
        body={},
        answer={**_SHOWN, "status": "draft", "started_at": None},
        guarded=True,
        statuses={409: "No start is scheduled."},
    ),
    managed(
        "POST /experiments/{key}/stop",
        "stop_experiment",
        Scope.LAUNCH,
        "Stop assigning units.",
        "Everybody gets the control's value from now on.",
        draft=MoveOrder,
        body={},
        answer={**_SHOWN, "status": "stopped"},
        guarded=True,
        statuses=_MOVED,
    ),
    managed(
        "POST /experiments/{key}/archive",
        "archive_experiment",
        Scope.LAUNCH,
        "Put an experiment away.",
        "Clients no longer know its key, and the key is never used again.",
        draft=MoveOrder,
        body={},
        answer={**_SHOWN, "status": "archived"},
        guarded=True,
        statuses=_MOVED,
    ),
    managed(
        "GET /experiments/{key}/phases",
        "list_phases",
        Scope.READ,
        "List an experiment's phases.",
        "Each is one drawing of lots, with the definition that was in force; the newest first.",
        query=Page,
        answer={"phases": [_PHASE], "next": None},
    ),
    managed(
        "GET /experiments/{key}/history",
        "list_history",
        Scope.READ,
        "List what was done to an experiment.",
        "The newest first.",
        query=Page,
        answer={
            "changes": [
                {
                    "id": 12,
                    "at": "2026-03-02T09:00:00+00:00",
                    "actor": "Ada",
                    "token": None,
                    "action": "running",
                    "object": "checkout",
                    "before": "draft",
                    "after": "running",
                }
            ],
            "next": None,
        },
    ),
    managed(
        "GET /experiments/{key}/previews",
        "list_previews",
        Scope.READ,
        "Make links that show one variant each, before the start and afterwards.",
        "Append _variant=TOKEN to any page whose client passes it on in its context. Whoever opens it sees "
        "the variant and is not recorded. The address is null until the project names its site.",
        query=PreviewOptions,
        answer={
            "previews": [
                {
                    "variant": "one_page",
                    "token": "checkout:one_page:1774137600:…",
                    "address": "https://shop.example/cart?_variant=checkout%3Aone_page%3A1774137600%3A…",
                    "expires_at": "2026-03-22T00:00:00+00:00",
                    "opened": False,
                }
            ]
        },
        statuses={422: "The page is not of the project's site, or there is nothing to show."},
    ),
    managed(
        "GET /experiments/{key}/decision",
        "explain_decision",
        Scope.READ,
        "Say what a unit gets, and why.",
        "Nothing is recorded.",
        query=UnitQuestion,
        statuses={431: "The address is longer than 32 KB."},
        answer={
            "key": "checkout",
            "unit": "user-1",
            "variant": "one_page",
            "value": {"pages": 1},
            "detail": "assigned",
            "in_experiment": True,
            "bucket": 4063,
            "phase": 1,
            "ruleset": 7,
        },
    ),
)
