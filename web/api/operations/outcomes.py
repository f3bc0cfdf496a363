"""Operations on what came of experiments: decisions, learnings, alerts, reports, and the work as a whole."""

from experiments.choices import ConclusionDraft, RetrospectiveDraft
from experiments.reports import ReportDraft
from experiments.roles import Scope
from experiments.thresholds import ThresholdDraft
from web.api.operation import managed
from web.api.orders import AlertFilter, CalendarSpan, LearningFilter, MoveOrder
from web.api.replies import Page

_MOMENT = "2026-03-16T09:30:00+00:00"
_FOLLOW_UP = {"id": 4, "task": "Remove the old pages", "owner": "Bo", "due": None, "done_at": None}
_CONCLUSION = {
    "id": 9,
    "experiment": "checkout",
    "phase": 1,
    "choice": "ship",
    "variant": "one_page",
    "until": None,
    "reason": "",
    "rollout": 10_000,
    "holdout": 500,
    "learning": "One page loses fewer people than three.",
    "recommendation": "ship",
    "snapshot": 31,
    "metric": "paid",
    "actor": "Ada",
    "at": _MOMENT,
    "follow_ups": [_FOLLOW_UP],
    "retrospective": None,
}
_RETROSPECTIVE = {"held": "partly", "note": "Smaller in the holdout.", "actor": "Ada", "at": _MOMENT}
_THRESHOLD = {"metric": "refund", "limit": 0.05, "wait": 6, "who": "Bo", "muted": False}
_TEXTS = {
    "background": "Why we asked.",
    "insight": "What stands out.",
    "actions": "- Bo: remove the old pages",
}

OUTCOMES = (
    managed(
        "POST /experiments/{key}/conclude",
        "conclude_experiment",
        Scope.LAUNCH,
        "Decide: ship a variant, roll back, stop, or go on until a day.",
        "The decision is kept with the readout that was seen, and carried out: all but going on end the "
        "experiment for good. A reason is needed where it departs from the verdict, and what was learnt "
        "wherever it ends. Shares are in basis points.",
        draft=ConclusionDraft,
        body={
            "choice": "ship",
            "variant": "one_page",
            "holdout": 500,
            "learning": "One page loses fewer people than three.",
            "follow_ups": [{"task": "Remove the old pages", "owner": "Bo"}],
        },
        answer=_CONCLUSION,
        guarded=True,
        statuses={201: "It is decided.", 409: "It has not started, or is over."},
    ),
    managed(
        "GET /experiments/{key}/conclusions",
        "list_conclusions",
        Scope.READ,
        "List the decisions about an experiment.",
        "The newest first.",
        query=Page,
        answer={"conclusions": [_CONCLUSION], "next": None},
    ),
    managed(
        "POST /experiments/{key}/retrospective",
        "look_back",
        Scope.WRITE,
        "Say whether the gain of what was shipped held.",
        "A month after it was shipped people are asked.",
        draft=RetrospectiveDraft,
        body={"held": "partly", "note": "Smaller in the holdout."},
        answer=_RETROSPECTIVE,
        statuses={
            201: "It is written down.",
            409: "Nothing was shipped, or it was looked back on already.",
        },
    ),
    managed(
        "POST /follow-ups/{id}/done",
        "finish_follow_up",
        Scope.WRITE,
        "Tick a follow-up off.",
        draft=MoveOrder,
        body={},
        answer={"id": 4, "done": True},
    ),
    managed(
        "GET /learnings",
        "search_learnings",
        Scope.READ,
        "Search what ended experiments have taught.",
        "The newest first.",
        query=LearningFilter,
        answer={"learnings": [_CONCLUSION], "next": None},
    ),
    managed(
        "GET /experiments/{key}/thresholds",
        "list_thresholds",
        Scope.READ,
        "List when an experiment's guardrails alert.",
        "A limit that nobody has set is the guardrail's own.",
        answer={"thresholds": [{**_THRESHOLD, "own": True}]},
    ),
    managed(
        "PUT /experiments/{key}/thresholds/{metric}",
        "set_threshold",
        Scope.WRITE,
        "Say when a guardrail alerts: beyond which limit, after how many hours, and whom.",
        draft=ThresholdDraft,
        body=_THRESHOLD,
        answer={"thresholds": [{**_THRESHOLD, "own": True}]},
    ),
    managed(
        "GET /webhook",
        "show_webhook",
        Scope.READ,
        "Say whether alerts are sent elsewhere and signed, and how the latest deliveries went.",
        answer={
            "address": True,
            "secrets": [{"created_by": "Ada", "created_at": _MOMENT, "retires_at": None}],
            "deliveries": [
                {
                    "id": 7,
                    "at": _MOMENT,
                    "message": "alert-3",
                    "kind": "guardrail.breached",
                    "failure": None,
                }
            ],
        },
    ),
    managed(
        "POST /webhook/secret",
        "make_webhook_secret",
        Scope.KEYS,
        "Make a secret that messages are signed with from now on.",
        "The one before signs along for a day. The secret is in this answer alone; a replay by "
        "Idempotency-Key has null in its place.",
        draft=MoveOrder,
        body={},
        answer={"created_by": "Ada", "created_at": _MOMENT, "retires_at": None, "secret": "whsec_…"},
        statuses={201: "The secret."},
    ),
    managed(
        "POST /webhook/test",
        "test_webhook",
        Scope.KEYS,
        "Send a message that says nothing, to see whether it arrives.",
        draft=MoveOrder,
        body={},
        answer={"delivered": False, "failure": "answered 503"},
        statuses={422: "No address is set."},
    ),
    managed(
        "GET /alerts",
        "list_alerts",
        Scope.READ,
        "List the alerts there were.",
        "The newest first. One that has not ended has no ended_at.",
        query=AlertFilter,
        answer={
            "alerts": [
                {
                    "id": 3,
                    "experiment": "checkout",
                    "kind": "guardrail",
                    "metric": "refund",
                    "variant": "one_page",
                    "limit": 0.05,
                    "who": "Bo",
                    "snapshot": 31,
                    "began_at": _MOMENT,
                    "fired_at": _MOMENT,
                    "ended_at": None,
                    "attempts": 1,
                    "delivered_at": _MOMENT,
                    "failure": None,
                }
            ],
            "next": None,
        },
    ),
    managed(
        "GET /experiments/{key}/report",
        "show_report",
        Scope.READ,
        "Show what people wrote about an experiment's results.",
        "Markdown, with placeholders where the server fills numbers in. The ETag is its revision.",
        answer={**_TEXTS, "revision": 2, "updated_by": "Ada", "updated_at": _MOMENT},
    ),
    managed(
        "PUT /experiments/{key}/report",
        "write_report",
        Scope.WRITE,
        "Write about an experiment's results.",
        draft=ReportDraft,
        body=_TEXTS,
        answer={**_TEXTS, "revision": 3, "updated_by": "Ada", "updated_at": _MOMENT},
        guarded=True,
    ),
    managed(
        "GET /attention",
        "show_attention",
        Scope.READ,
        "Show what asks for somebody today.",
        "The most pressing first.",
        answer={
            "items": [
                {
                    "need": "decide",
                    "experiment": "checkout",
                    "about": "",
                    "recommendation": "ship",
                    "day": None,
                    "number": 0,
                }
            ]
        },
    ),
    managed(
        "GET /calendar",
        "show_calendar",
        Scope.READ,
        "Show what runs when, and which experiments meet the same units.",
        query=CalendarSpan,
        answer={
            "lanes": [
                {
                    "layer": "",
                    "spans": [{"experiment": "checkout", "start": _MOMENT, "end": None, "certain": True}],
                }
            ],
            "overlaps": [
                {
                    "experiments": ["checkout", "banner"],
                    "start": _MOMENT,
                    "end": None,
                    "metrics": ["paid"],
                }
            ],
        },
    ),
    managed(
        "GET /programme",
        "show_programme",
        Scope.READ,
        "Show what all experiments together achieved.",
        "Effects are shrunk towards what experiments here usually find: those that won were lucky, too.",
        answer={
            "outcomes": {"ship": 4, "stop": 5},
            "wins": {"estimate": 0.4, "low": 0.2, "high": 0.6},
            "held": {"yes": 2, "partly": 1},
            "days": 14.0,
            "guarded": [7, 9],
            "effects": [],
            "impacts": [],
            "months": [{"first": "2026-03-01", "started": 2, "concluded": 1}],
            "coverage": [{"metric": "paid", "primary": 3, "guardrail": 1, "secondary": 0, "running": 1}],
        },
    ),
)
