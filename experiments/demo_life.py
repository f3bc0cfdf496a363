"""The demo's life around its headline tests: two of them decided, drafts, a layer and a segment."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from experiments import conclusions
from experiments.choices import parse_conclusion

READ = timedelta(days=41)
"""How long ago the decided tests were defined and read."""

DECIDED = timedelta(days=34)
"""How long ago they were decided: more than a month, so that one of them asks whether its gain held."""

DECISIONS: dict[str, dict[str, Any]] = {
    "touch": {
        "choice": "ship",
        "variant": "B",
        "learning": (
            "Another headline for the same story can bring four times the readers: write several, and test "
            "them."
        ),
        "reason": "B and C both beat the original clearly; B has the larger gain.",
        "follow_ups": [
            {"task": "Write four headlines for every story that is promoted", "owner": "demo"},
        ],
    },
    "third-grader": {
        "choice": "stop",
        "learning": (
            "With fifteen hundred readers a headline, only differences of one half and more can be seen."
        ),
        "reason": "The planned end has come, and the data fit both a rise and a fall.",
    },
}

AROUND: dict[str, list[dict[str, Any]]] = {
    "layers": [
        {
            "key": "product-page",
            "name": "Product page",
            "description": "Only one change of the page at a time.",
        }
    ],
    "segments": [
        {
            "key": "newcomers",
            "name": "New customers",
            "description": "Nobody who has ordered before.",
            "condition": {
                "any": [
                    {"attribute": "orders", "operator": "lt", "value": 1},
                    {"attribute": "orders", "operator": "not_exists"},
                ]
            },
        },
        {
            "key": "nordic",
            "name": "Nordic countries",
            "condition": {
                "all": [{"attribute": "country", "operator": "in", "value": ["DK", "FI", "IS", "NO", "SE"]}]
            },
        },
    ],
    "experiments": [
        {
            "key": "delivery-date",
            "name": "Delivery date on the product page",
            "owner": "demo",
            "tags": ["live"],
            "hypothesis": {
                "change": "show the day of delivery beside the price",
                "audience": "people in the Nordic countries",
                "effect": "more of them pay",
                "because": "nobody likes to guess when a parcel comes",
            },
            "variants": [
                {"key": "without", "name": "Without", "value": {"date": False}},
                {"key": "with", "name": "With a date", "value": {"date": True}},
            ],
            "control": "without",
            "status": "running",
            "targeting": {"segment": "nordic"},
            "layer": "product-page",
            "slots": [[0, 4_000]],
            "metrics": {"primary": ["purchase"], "guardrails": [{"metric": "refund", "margin": 0.1}]},
            "plan": {"size": 40_000, "days": 21, "mde": 0.06},
        },
        {
            "key": "large-photos",
            "name": "Larger photos",
            "owner": "demo",
            "hypothesis": {
                "change": "show photos across the whole width",
                "audience": "visitors of a product page",
                "effect": "more of them pay",
                "because": "they see what they buy",
            },
            "variants": [{"key": "small"}, {"key": "large"}],
            "control": "small",
            "layer": "product-page",
            "slots": [[4_000, 7_000]],
            "metrics": {"primary": ["purchase"]},
            "plan": {"size": 30_000, "days": 14, "mde": 0.08},
        },
        {
            "key": "welcome-mail",
            "name": "A welcome mail for new customers",
            "owner": "demo",
            "hypothesis": {"change": "write to them on the first day", "effect": "more of them come back"},
            "variants": [{"key": "none"}, {"key": "mail"}],
            "control": "none",
            "targeting": {"segment": "newcomers"},
            "metrics": {"primary": ["purchase"]},
        },
    ],
}
"""Invented, as its names say; nothing of it has been measured."""


def decide(*, session: Session, now: datetime) -> None:
    """Record the demo's decisions, once."""
    for key, document in DECISIONS.items():
        if conclusions.ending_of(session=session, key=key) is None:
            draft = parse_conclusion(document)
            conclusions.conclude(session=session, key=key, draft=draft, actor="demo", now=now - DECIDED)
