"""Furniture: one of everything that people make, written down through the forms that they would use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Flask

from tests.web.conftest import send, signed_in
from tests.web.scenes import METRICS, SCENES

FORMS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("/layers", {"key": "checkout", "name": "Checkout pages", "description": "Whatever touches the basket."}),
    ("/holdouts", {"key": "quiet", "name": "Quiet group", "description": "A year without us.", "share": "2"}),
    (
        "/segments/new",
        {
            "key": "nordic",
            "name": "Northern countries",
            "description": "Where it is dark in winter.",
            "joined": "all",
            "row_attribute": ["country", ""],
            "row_operator": ["in", "eq"],
            "row_value": ["NO, SE", ""],
        },
    ),
    (
        "/experiments/new",
        {
            "name": "Warm colours",
            "key": "warm",
            "owner": "Ada",
            "tags": "shop, winter",
            "change": "paint the button orange",
            "audience": "everybody in the shop",
            "effect": "more people pay",
            "because": "orange is seen sooner",
        },
    ),
    ("/experiments/warm/edit/measure", {"revision": "1", "role:paid": "primary", "mde": "5", "power": "80"}),
    (
        "/experiments/third-grader/decide",
        {
            "choice": "stop",
            "rollout": "100",
            "holdout": "0",
            "reason": "None of them is clearer than the first.",
            "learning": "Shorter words alone do not bring readers.",
            "follow_up_task": ["Try other pictures", ""],
            "follow_up_owner": ["Bo", ""],
            "follow_up_due": ["2026-04-10", ""],
        },
    ),
    (
        "/experiments/open-limit/decide",
        {
            "choice": "ship",
            "variant": "treatment",
            "rollout": "50",
            "holdout": "5",
            "reason": "The gain is worth the open question.",
            "learning": "People pay when they see the price early.",
        },
    ),
    (
        "/experiments/rich/report/edit",
        {"revision": "0", "insight": "Fewer pages, **fewer** losses.", "actions": "- Bo: write the next one"},
    ),
    ("/settings/members", {"name": "Grace", "role": "viewer"}),
    (
        "/settings/tokens",
        {"name": "Nightly export", "scopes": ["read"], "days": "30"},
    ),
    ("/settings/keys", {"name": "Web shop", "kind": "client"}),
    (
        "/settings/tracking/events",
        {
            "event": "Order Paid",
            "purpose": "Money that arrived.",
            "property_name": ["revenue"],
            "property_type": ["number"],
            "property_purpose": ["What was paid."],
        },
    ),
)
"""Addresses of forms with what somebody types into them, in their order."""


def furnish(app: Flask, forms: Sequence[tuple[str, Mapping[str, Any]]] = FORMS) -> str:
    """Fill in all of the forms; give the path of a shared report."""
    client = signed_in(app)
    for path, fields in forms:
        page = client.get(path.removesuffix("/events")).get_data(as_text=True)
        revision = {} if "revision" in fields else _revision(page)
        answer = send(client, path, {**revision, **fields})
        assert answer.status_code in (200, 303), (path, _complaints(answer.get_data(as_text=True)))
    page = send(client, "/experiments/rich/report/share", {"days": "30"}).get_data(as_text=True)
    return str(re.findall(r"/s/[\w-]+", page)[0])


def written() -> Iterator[str]:
    """Everything in the scenes and the furniture that people wrote: it is in their language, not in ours."""
    yield from _texts(METRICS)
    yield from _texts([scene.draft for scene in SCENES])
    yield from _texts([fields for _, fields in FORMS])


def _complaints(page: str) -> list[str]:
    return re.findall(r'class="[^"]*wrong"[^>]*>([^<]*)<', page)


def _revision(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(revision|version)" value="(\d+)"', page))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.replace("**", "").removeprefix("- ")
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
