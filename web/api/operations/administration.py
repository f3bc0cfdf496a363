"""Operations on who may come in, what holds for the project, and what was done by whom."""

from experiments.project import ProjectDraft
from experiments.roles import Scope
from experiments.tokens import TokenDraft
from web.api.operation import managed
from web.api.orders import AuditPage, InvitationOrder, KeyOrder, RoleOrder
from web.api.replies import Page

_MOMENT = "2026-03-15T09:30:00+00:00"
_KEY = {
    "prefix": "eh_server_1a2b3c4d",
    "kind": "server",
    "name": "shop backend",
    "exposes": True,
    "created_at": _MOMENT,
    "revoked_at": None,
}
_TOKEN = {
    "prefix": "eh_admin_1a2b3c4d",
    "owner": "Ada",
    "name": "deploy pipeline",
    "scopes": ["read", "write:experiments"],
    "created_at": _MOMENT,
    "expires_at": "2026-06-13T09:30:00+00:00",
    "last_used_at": None,
    "revoked_at": None,
}
_PERSON = {"id": 2, "name": "Bo", "role": "editor", "created_at": _MOMENT, "sessions": 1}
_PROJECT = {
    "name": "Shop",
    "plan": {"confidence": 0.95, "power": 0.8, "days": 14},
    "approval": True,
    "site": "https://shop.example/",
    "time_zone": "Europe/Oslo",
}
_LAST = {409: "There would be no admin left."}
_ONCE = "The secret is in this answer alone; a replay by Idempotency-Key has null in its place."

ADMINISTRATION = (
    managed(
        "GET /me",
        "show_me",
        None,
        "Say who asks, and what they may do.",
        answer={"name": "Ada", "role": "admin", "scopes": ["read", "launch"], "token": "eh_admin_1a2b3c4d"},
    ),
    managed("GET /project", "show_project", Scope.READ, "Show what holds for the project.", answer=_PROJECT),
    managed(
        "PUT /project",
        "replace_project",
        Scope.PEOPLE,
        "Change what holds for the project.",
        "The plan is what new experiments begin with. With approval, starting one takes a second person. "
        "The site is where previews are shown; the time zone is that of starts and ends in forms.",
        draft=ProjectDraft,
        body=_PROJECT,
        answer=_PROJECT,
        guarded=True,
    ),
    managed(
        "GET /people",
        "list_people",
        Scope.PEOPLE,
        "List the people of the project.",
        query=Page,
        answer={"people": [_PERSON], "next": None},
    ),
    managed(
        "POST /people",
        "invite_person",
        Scope.PEOPLE,
        "Make a link that signs somebody in once, within the hour.",
        f"Somebody known gets a further link. {_ONCE}",
        draft=InvitationOrder,
        body={"name": "Bo", "role": "editor"},
        answer={"name": "Bo", "link": "https://evenhand.example/enter?token=…"},
        statuses={201: "The link.", 409: "They are here already, in another role."},
    ),
    managed(
        "PATCH /people/{id}",
        "change_role",
        Scope.PEOPLE,
        "Let somebody do more, or less.",
        "At once: in their sessions, and through their tokens.",
        draft=RoleOrder,
        body={"role": "viewer"},
        answer={"id": 2, "name": "Bo", "role": "viewer"},
        statuses=_LAST,
    ),
    managed(
        "DELETE /people/{id}",
        "remove_person",
        Scope.PEOPLE,
        "Let somebody in no more.",
        "Their sessions end and their tokens are revoked. Their name stays in the audit log.",
        answer={"id": 2, "removed": True},
        statuses=_LAST,
    ),
    managed(
        "DELETE /people/{id}/sessions",
        "end_sessions",
        Scope.PEOPLE,
        "Sign somebody out everywhere.",
        answer={"id": 2, "ended": 3},
    ),
    managed(
        "GET /tokens",
        "list_tokens",
        Scope.TOKENS,
        "List one's own admin tokens.",
        "With the scope people, everybody's. Without their secrets, which nobody keeps.",
        query=Page,
        answer={"tokens": [_TOKEN], "next": None},
    ),
    managed(
        "POST /tokens",
        "create_token",
        Scope.TOKENS,
        "Make an admin token for oneself.",
        f"It is never wider than its owner, and what a token makes is no wider than itself. {_ONCE}",
        draft=TokenDraft,
        body={"name": "deploy pipeline", "scopes": ["read", "write:experiments"], "days": 90},
        answer={**_TOKEN, "token": "eh_admin_1a2b3c4d_…"},
        statuses={201: "The token."},
    ),
    managed(
        "DELETE /tokens/{prefix}",
        "revoke_token",
        Scope.TOKENS,
        "Close an admin token for good.",
        "One's own, or with the scope people anybody's.",
        answer={**_TOKEN, "revoked_at": _MOMENT},
    ),
    managed(
        "GET /keys",
        "list_keys",
        Scope.KEYS,
        "List the keys of programs.",
        query=Page,
        answer={"keys": [_KEY], "next": None},
    ),
    managed(
        "POST /keys",
        "create_key",
        Scope.KEYS,
        "Make a key for a program.",
        f"Server keys are secret; client keys may be seen by everybody. {_ONCE}",
        draft=KeyOrder,
        body={"kind": "server", "name": "shop backend"},
        answer={**_KEY, "key": "eh_server_1a2b3c4d_…"},
        statuses={201: "The key."},
    ),
    managed(
        "DELETE /keys/{prefix}",
        "revoke_key",
        Scope.KEYS,
        "Close a key for good.",
        "The doors follow within a second or two.",
        answer={**_KEY, "revoked_at": _MOMENT},
    ),
    managed(
        "GET /audit",
        "list_audit",
        Scope.PEOPLE,
        "List who changed what.",
        "The newest first. Written in the same transactions as the changes.",
        query=AuditPage,
        answer={
            "changes": [
                {
                    "id": 12,
                    "at": _MOMENT,
                    "actor": "Ada",
                    "token": "eh_admin_1a2b3c4d",
                    "action": "edit",
                    "object": "metric:paid",
                    "before": "{…}",
                    "after": "{…}",
                }
            ],
            "next": None,
        },
    ),
    managed(
        "GET /workers",
        "list_workers",
        Scope.READ,
        "List the processes that serve, and the ruleset that each of them holds.",
        answer={
            "published": 7,
            "workers": [{"name": "host:4711", "ruleset": 7, "seen_at": _MOMENT, "current": True}],
        },
    ),
)
