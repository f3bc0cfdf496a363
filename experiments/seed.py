"""Seed: a synthetic product log of any size whose true effects are known, for load tests and demonstrations.

People come back in sessions, busier on some weekdays and in the evening; they look, fill a cart and pay, with
a heavy tail of large orders; some orders are refunded, some events arrive hours late, and a few of the people
are bots that look at very many pages. Two experiments run over them: one whose treatment makes a filled cart
more likely to be paid, and an A/A test that changes nothing.

A person's chances are drawn before the variant is known, so the true effects are no estimates: they are the
means over everybody of what was expected under either variant. Everything is drawn in blocks of people, each
from a generator of its own, so memory is bounded and the same seed gives the same log.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assignment import Range, allocate
from assignment.vector import buckets
from experiments.definition import Definitions
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure

EFFECT = 0.08
"""How much more likely the treatment makes paying, relatively."""

BLOCK = 20_000
"""People who are drawn at once."""

DAY_MS = 86_400_000
_REAL, _AA = "checkout", "aa"
_VARIANTS = {_REAL: ("three_pages", "one_page"), _AA: ("a", "b")}
_WEEK = np.array([1.0, 0.95, 0.9, 0.95, 1.1, 1.4, 1.3])
_HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 8, 8, 7, 7, 8, 9, 11, 13, 14, 12, 7, 3], dtype=float)
_COUNTRIES = np.array(["NO", "SE", "DE", "CN", "US"])
_BOTS, _BOT_VIEWS = 0.005, 200
_VIEWS, _RETURNS = 3.0, 1.5
_CART = 0.25
_LATE, _REFUNDED = 0.03, 0.05
# Most orders are small; one in twenty is drawn from a Pareto tail (exponent 2.5).
_TAIL, _TAIL_START, _TAIL_EXPONENT = 0.05, 150.0, 2.5
_MEDIAN, _SPREAD = 35.0, 0.6
MEAN_ORDER = (1 - _TAIL) * _MEDIAN * float(np.exp(_SPREAD**2 / 2)) + _TAIL * _TAIL_START * _TAIL_EXPONENT / (
    _TAIL_EXPONENT - 1
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the log is, and which one of all.

    Attributes
    ----------
    began
        The first moment, a midnight in UTC.
    number
        Seeds the generators. Logs of different numbers share no people and no experiments.
    """

    people: int
    days: int
    began: datetime
    number: int

    def key(self, name: str) -> str:
        """The key of one of the log's experiments."""
        return f"seed_{self.number}_{name}"

    @property
    def keys(self) -> list[str]:
        """The keys of both experiments."""
        return [self.key(name) for name in _VARIANTS]


@dataclass(frozen=True, slots=True)
class TrueEffect:
    """What a perfect experiment would find."""

    experiment: str
    metric: str
    control_value: float
    treatment_value: float

    @property
    def difference(self) -> float:
        """Absolute."""
        return self.treatment_value - self.control_value

    @property
    def lift(self) -> float:
        """Relative to the control."""
        return self.difference / self.control_value if self.control_value else 0.0


@dataclass(slots=True)
class Expected:
    """Expectations summed over people, for the control and the treatment of the real experiment."""

    people: int = 0
    sums: dict[str, NDArray[np.float64]] = field(
        default_factory=lambda: {name: np.zeros(2) for name in ("bought", "orders", "revenue")}
    )

    def effects(self, size: Size) -> list[TrueEffect]:
        """The true effects of both experiments."""
        means = {metric: sums / max(1, self.people) for metric, sums in self.sums.items()}
        real = [TrueEffect(size.key(_REAL), metric, *map(float, pair)) for metric, pair in means.items()]
        # The A/A test runs over the same people, half of whom are in either variant of the real one.
        middle = {metric: float(pair.mean()) for metric, pair in means.items()}
        return real + [TrueEffect(size.key(_AA), metric, value, value) for metric, value in middle.items()]


def definitions(size: Size, *, assignment: str) -> Definitions:
    """The metrics and experiments of the log, whose units are assigned by us or by another system."""
    metrics = [
        {"key": "bought", "name": "Bought", "kind": "proportion", "event": "purchase"},
        {
            "key": "orders",
            "name": "Orders per person",
            "kind": "mean",
            "event": "purchase",
            "aggregation": "count",
        },
        {"key": "revenue", "name": "Revenue per person", "kind": "mean", "event": "purchase"},
    ]
    drafts = [{**_draft(size, name), "assignment": assignment} for name in _VARIANTS]
    return Definitions.model_validate({"metrics": metrics, "experiments": drafts})


def records(
    size: Size, salts: Mapping[str, str], expected: Expected
) -> Iterator[tuple[list[Exposure], list[Event]]]:
    """Draw the log, some thousand people at a time, each part in the order of its times.

    Parameters
    ----------
    salts
        By experiment: the salt that places people.
    expected
        Gathers what was expected of everybody who was drawn.
    """
    for number, start in enumerate(range(0, size.people, BLOCK)):
        yield _Block(size, salts, number, min(BLOCK, size.people - start)).draw(expected)


class _Block:
    """Some people and what they do."""

    def __init__(self, size: Size, salts: Mapping[str, str], number: int, people: int) -> None:
        self.size = size
        self.number = number
        self.people = people
        self.rng = np.random.default_rng([size.number, number])
        self.begin, self.end = to_millis(size.began), to_millis(size.began) + size.days * DAY_MS
        self.units = np.array([f"s{size.number}-{number * BLOCK + each:09d}" for each in range(people)])
        self.bot = self.rng.random(people) < _BOTS
        # How likely a filled cart is paid: people differ.
        self.pays = self.rng.beta(4, 6, people) * ~self.bot
        self.arms = {name: _arms(salts[size.key(name)], self.units) for name in _VARIANTS}

    def draw(self, expected: Expected) -> tuple[list[Exposure], list[Event]]:
        who, at = self._sessions()
        carts = (self.rng.random(len(who)) < _CART) & ~self.bot[who]
        self._expect(expected, who)
        chance = self.pays * (1 + EFFECT * self.arms[_REAL])
        paid = carts & (self.rng.random(len(who)) < chance[who])
        refunded = paid & (self.rng.random(len(who)) < _REFUNDED)
        amount = self._amounts(len(who))
        minutes = 60_000 * (1 + self.rng.exponential(3, (4, len(who)))).cumsum(axis=0)
        later = minutes[3] + DAY_MS * self.rng.uniform(1, 10, len(who))
        looks = np.repeat(np.arange(len(who)), self._looks(who))
        parts = [
            ("session", np.arange(len(who)), at, None),
            ("view", looks, at[looks] + (self.rng.random(len(looks)) * minutes[0][looks]), None),
            ("cart", np.flatnonzero(carts), (at + minutes[1])[carts], None),
            ("purchase", np.flatnonzero(paid), (at + minutes[2])[paid], amount[paid]),
            ("refund", np.flatnonzero(refunded), (at + later)[refunded], amount[refunded]),
        ]
        return self._exposures(who, at), self._events(who, parts)

    def _sessions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Who comes when: everybody once, most of them again, until the log ends."""
        again = self.rng.poisson(self.rng.gamma(1.0, _RETURNS, self.people))
        who = np.repeat(np.arange(self.people), 1 + again)
        days = np.arange(self.size.days)
        busy = _WEEK[(self.size.began.weekday() + days) % 7]
        first = self.rng.choice(self.size.days, self.people, p=busy / busy.sum())
        opens = np.ones(len(who), dtype=bool)
        opens[1:] = who[1:] != who[:-1]
        day = np.where(opens, first[who], self.rng.choice(self.size.days, len(who), p=busy / busy.sum()))
        hour = self.rng.choice(24, len(who), p=_HOURS / _HOURS.sum())
        # A return that would lie before the first visit is none.
        kept = opens | (day > first[who])
        at = self.begin + day * DAY_MS + hour * 3_600_000 + self.rng.integers(0, 3_600_000, len(who))
        # Ten minutes before the end is the last moment to begin: what was expected can still happen.
        return who[kept], np.minimum(at[kept], self.end - 3_600_000)

    def _looks(self, who: NDArray[np.int64]) -> NDArray[np.int64]:
        looks: NDArray[np.int64] = 1 + self.rng.poisson(np.where(self.bot[who], _BOT_VIEWS, _VIEWS))
        return looks

    def _amounts(self, count: int) -> NDArray[np.float64]:
        usual = self.rng.lognormal(np.log(_MEDIAN), _SPREAD, count)
        large = _TAIL_START * (1 - self.rng.random(count)) ** (-1 / _TAIL_EXPONENT)
        return np.where(self.rng.random(count) < _TAIL, large, usual)

    def _expect(self, expected: Expected, who: NDArray[np.int64]) -> None:
        visits = np.bincount(who, minlength=self.people)
        chances = _CART * self.pays[:, None] * np.array([1.0, 1.0 + EFFECT])
        orders = (visits[:, None] * chances).sum(axis=0)
        expected.people += self.people
        expected.sums["bought"] += (1 - (1 - chances) ** visits[:, None]).sum(axis=0)
        expected.sums["orders"] += orders
        expected.sums["revenue"] += orders * MEAN_ORDER

    def _exposures(self, who: NDArray[np.int64], at: NDArray[np.int64]) -> list[Exposure]:
        first = np.full(self.people, self.end, dtype=np.int64)
        np.minimum.at(first, who, at)
        country = _COUNTRIES[self.rng.choice(len(_COUNTRIES), self.people, p=[0.3, 0.25, 0.2, 0.15, 0.1])]
        order = np.argsort(first, kind="stable")
        rows = []
        for name, variants in _VARIANTS.items():
            key = self.size.key(name)
            arms = np.array(variants)[self.arms[name]]
            for unit, arm, moment, place in zip(
                self.units[order].tolist(),
                arms[order].tolist(),
                first[order].tolist(),
                country[order].tolist(),
                strict=True,
            ):
                message = f"{moment:012x}-{key}-{unit}"
                attributes = f'{{"country":"{place}"}}'
                rows.append(Exposure(message, key, unit, None, arm, moment, moment, attributes))
        return rows

    def _events(self, who: NDArray[np.int64], parts: list[tuple[str, Any, Any, Any]]) -> list[Event]:
        names = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
        units = self.units[who[np.concatenate([part[1] for part in parts])]]
        at = np.concatenate([part[2] for part in parts]).astype(np.int64)
        values = np.concatenate(
            [np.full(len(part[1]), np.nan) if part[3] is None else np.round(part[3], 2) for part in parts]
        )
        late = self.rng.random(len(at)) < _LATE
        lag = np.where(
            late, self.rng.lognormal(np.log(4 * 3_600_000), 1, len(at)), self.rng.integers(0, 900, len(at))
        )
        received = at + lag.astype(np.int64)
        order = np.argsort(at, kind="stable")
        order = order[at[order] < self.end]
        known = values.astype(object)
        known[np.isnan(values)] = None
        stamp = f"{self.size.number:x}-{self.number:x}"
        return [
            Event(f"{moment:012x}-{stamp}-{row:x}", unit, None, name, value, moment, came)
            for row, (unit, name, value, moment, came) in enumerate(
                zip(
                    units[order].tolist(),
                    names[order].tolist(),
                    known[order].tolist(),
                    at[order].tolist(),
                    received[order].tolist(),
                    strict=True,
                )
            )
        ]


def _arms(salt: str, units: NDArray[np.str_]) -> NDArray[np.int64]:
    """0 for the control, 1 for the treatment: by the hash that the doors use."""
    treatment: Range = allocate([1, 1], 10_000)[1]
    places = buckets(salt, units)
    return ((places >= treatment.start) & (places < treatment.end)).astype(np.int64)


def _draft(size: Size, name: str) -> dict[str, object]:
    real = name == _REAL
    return {
        "key": size.key(name),
        "name": "Seed: one-page checkout" if real else "Seed: A/A",
        "tags": ["seed"],
        "source": f"Synthetic, seed {size.number}; the true effects are known.",
        "hypothesis": {
            "change": "merge the three checkout steps into one page" if real else "nothing",
            "audience": "everybody",
            "effect": "more filled carts are paid" if real else "none",
            "because": "each extra page loses some people" if real else "both variants are the same",
        },
        "variants": [{"key": variant} for variant in _VARIANTS[name]],
        "control": _VARIANTS[name][0],
        "status": "running",
        "starts": size.began,
        "ends": size.began + timedelta(days=size.days),
        "metrics": {"primary": ["orders"], "secondary": ["bought", "revenue"]},
        "plan": {"inference": "fixed", "days": size.days, "mde": EFFECT},
    }
