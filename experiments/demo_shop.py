"""The demo's shop: an experiment that has run its full time, with everything there is to look at closer.

It is synthetic and says so. The people, what they do and when are drawn by a seeded generator; its true
effects stand here, and go through the same ledger and analysis as everything else.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from experiments.reports import find_report, parse_report, write_report
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Record

KEY = "basket"
DAYS = 14
PEOPLE = 16_000
CONTROL, TREATMENT = "late", "early"
HOUR_MS = 3_600_000

SOURCE = (
    "Synthetic: people, orders and times are drawn by a seeded generator. Nothing of it has been measured."
)

PAYS = {"new": 0.075, "active": 0.16, "lapsed": 0.10}
"""Who pays without the change, by where they are in their life as customers."""

LIFECYCLES, CHANNELS = (
    (("new", 45), ("active", 35), ("lapsed", 20)),
    (("search", 5), ("email", 3), ("direct", 2)),
)
MORE_PAY, FEWER_ASK, SLOWER = 1.2, 0.94, 1.006
"""What the change does: relatively more pay, fewer ask for help, and the page takes a little longer."""

_WEEK = (1.0, 0.95, 0.9, 0.95, 1.1, 1.35, 1.25)

METRICS: list[dict[str, Any]] = [
    {
        "key": "load",
        "name": "Page load, 95th percentile",
        "name_zh": "页面加载 p95",
        "kind": "quantile",
        "event": "page",
        "value": "value",
        "quantile": 0.95,
        "direction": "decrease",
        "unit": "ms",
    },
    {
        "key": "help",
        "name": "Asked for help",
        "name_zh": "求助率",
        "kind": "proportion",
        "event": "help",
        "direction": "decrease",
    },
    {
        "key": "checkout-steps",
        "name": "From basket to payment",
        "name_zh": "从购物车到支付",
        "kind": "funnel",
        "steps": ["basket", "checkout", "purchase"],
    },
    {
        "key": "week-later",
        "name": "Back after a week",
        "name_zh": "一周后回访",
        "kind": "retention",
        "event": "session",
        "from": "7d",
        "to": "8d",
    },
]

TEXTS = {
    "background": "Two of three people who fill a basket leave at the last step, where they first see what "
    "delivery costs. The goal of the quarter is one buyer in six.",
    "insight": f"{{{{purchase.{TREATMENT}.sentence}}}} Whether people come back more often "
    "afterwards is still open.",
    "actions": "- Show the cost in the basket for everybody; keep 5% as a holdout for four weeks.\n"
    "- Watch the page load: it is inside its limit, and not far from it.",
}


def draft(began: datetime) -> dict[str, Any]:
    """The experiment as a person would write it down."""
    return {
        "key": KEY,
        "name": "Delivery cost in the basket",
        "owner": "demo",
        "tags": ["synthetic"],
        "source": SOURCE,
        "assignment": "external",
        "hypothesis": {
            "change": "show what delivery costs already in the basket",
            "audience": "everybody who opens the basket",
            "effect": "more of them pay",
            "because": "nobody likes a surprise at the last step",
        },
        "variants": [
            {"key": CONTROL, "name": "Late"},
            {"key": TREATMENT, "name": "Early"},
        ],
        "control": CONTROL,
        "status": "running",
        "starts": began,
        "ends": began + timedelta(days=DAYS),
        "metrics": {
            "primary": ["purchase"],
            "guardrails": [{"metric": "load", "margin": 0.05}, {"metric": "help", "margin": 0.15}],
            "secondary": ["revenue", "checkout-steps", "week-later"],
        },
        "segments": ["customer", "channel"],
        "plan": {"size": PEOPLE, "days": DAYS, "mde": 0.15},
    }


def records(*, began: datetime, now: datetime) -> Iterator[Record]:
    """Draw everybody who opened the basket and what they did up to now, in the order in which they came."""
    generator = random.Random(f"{KEY}:{PEOPLE}")  # noqa: S311 - a reproducible demo, not a secret
    first, until = to_millis(began), to_millis(now)
    for number, moment in enumerate(sorted(_arrival(generator, began) for _ in range(PEOPLE))):
        yield from _Person(generator, f"basket-{number + 1:05d}", first + moment, until).live()


def write_texts(*, session: Session, now: datetime) -> None:
    """Write the report's texts, once; whoever writes others keeps them."""
    if find_report(session=session, key=KEY).revision == 0:
        texts = parse_report(TEXTS)
        write_report(session=session, key=KEY, draft=texts, revision=0, actor="demo", now=now)


def _arrival(generator: random.Random, began: datetime) -> int:
    """Milliseconds after the beginning, busier at the end of the week and in the evening."""
    weights = [_WEEK[(began.weekday() + day) % 7] for day in range(DAYS)]
    day = generator.choices(range(DAYS), weights)[0]
    return int((24 * day + min(generator.triangular(0, 24, 19), 23.99)) * HOUR_MS)


class _Person:
    """Somebody who opened the basket at a moment, and what they do from then on."""

    def __init__(self, generator: random.Random, unit: str, moment: int, until: int) -> None:
        self.generator, self.unit, self.moment, self.until = generator, unit, moment, until
        self.lifecycle, self.channel = (_drawn(generator, each) for each in (LIFECYCLES, CHANNELS))
        self.treated = generator.random() < 0.5

    def live(self) -> Iterator[Record]:
        """Their exposure, then what they do."""
        yield Exposure(
            f"{self.moment:012x}-demo-{self.unit}",
            KEY,
            self.unit,
            None,
            TREATMENT if self.treated else CONTROL,
            self.moment,
            self.moment,
            json.dumps({"customer": self.lifecycle, "channel": self.channel}),
        )
        for name, value, after in (*self._visit(), *self._returns()):
            if self.moment + after < self.until:
                yield self._event(name, value, self.moment + after)

    def _visit(self) -> Iterator[tuple[str, float | None, int]]:
        yield "basket", None, 1_000
        slower = SLOWER if self.treated else 1.0
        yield "page", round(self.generator.lognormvariate(7.2, 0.35) * slower), 1_500
        if self.generator.random() < 0.09 * (FEWER_ASK if self.treated else 1.0):
            yield "help", None, 40_000
        pays = self._pays(1.0)
        if pays or self.generator.random() < 0.22:
            yield "checkout", None, 90_000
        if pays:
            yield "purchase", round(self.generator.lognormvariate(3.55, 0.6), 2), 240_000

    def _returns(self) -> Iterator[tuple[str, float | None, int]]:
        for day in range(1, DAYS + 1):
            if self.generator.random() < 0.4 / (1 + 0.3 * day):
                after = int((24 * day + self.generator.uniform(0.5, 23.5)) * HOUR_MS)
                yield "session", None, after
                if self._pays(0.2):
                    yield "checkout", None, after + 30_000
                    yield "purchase", round(self.generator.lognormvariate(3.55, 0.6), 2), after + 60_000

    def _pays(self, as_likely: float) -> bool:
        """Whether they pay at a visit, as likely as at the first one or less."""
        chance = PAYS[self.lifecycle] * (MORE_PAY if self.treated else 1.0)
        return self.generator.random() < as_likely * chance

    def _event(self, name: str, value: float | None, moment: int) -> Event:
        message = f"{moment:012x}-demo-{self.unit}-{name}"
        return Event(message, self.unit, None, name, value, moment, moment + 800)


def _drawn(generator: random.Random, among: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*among, strict=True)
    return str(generator.choices(names, weights)[0])
