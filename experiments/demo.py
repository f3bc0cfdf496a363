"""The demo: five real headline tests, rebuilt from their published counts, a synthetic one, and a live one.

The counts are those of the Upworthy Research Archive (Matias, Munger, Le Quere, Ebersole 2021, Scientific
Data 8:195, doi:10.1038/s41597-021-00934-7, CC BY 4.0). The archive publishes how often each headline was
shown and clicked; the single exposures and clicks are drawn here by a seeded generator, with synthetic ids
and times, and go through the same ledger and analysis as everything else.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from experiments import demo_shop, launch
from experiments.alerts import watch
from experiments.analyses import analyse
from experiments.catalog import find_experiment, known_keys
from experiments.definition import Definitions
from experiments.demo_life import AROUND, DECIDED, DECISIONS, READ, decide
from experiments.observe import Engine
from experiments.readouts import latest_of_all
from experiments.store import Session, Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Record, append

SOURCE = (
    "Upworthy Research Archive, CC BY 4.0, doi:10.1038/s41597-021-00934-7. "
    "The counts are the published ones; the single exposures and clicks, their ids and times are synthetic."
)
SEED = 20_210_802
DAYS = 7
LIVE = "checkout"


@dataclass(frozen=True, slots=True)
class HeadlineTest:
    """A published test: when it began, and impressions and clicks by variant."""

    key: str
    name: str
    began: datetime
    counts: dict[str, tuple[int, int]]


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


HEADLINE_TESTS = (
    HeadlineTest(
        "touch",
        "Four headlines for “touch”",
        _day(2013, 3, 18),
        {"A": (5405, 19), "B": (5379, 79), "C": (5374, 78), "D": (5448, 37)},
    ),
    HeadlineTest(
        "george",
        "Two headlines for “George”",
        _day(2013, 3, 18),
        {"A": (10751, 185), "B": (10692, 116)},
    ),
    HeadlineTest(
        "third-grader",
        "Four headlines for “third-grader”",
        _day(2015, 2, 23),
        {"A": (1490, 22), "B": (1585, 19), "C": (1551, 15), "D": (1472, 19)},
    ),
    HeadlineTest(
        "getup",
        "Eight headlines for “GetUp”",
        _day(2015, 2, 23),
        {
            "A": (1515, 13),
            "B": (1524, 15),
            "C": (1568, 9),
            "D": (1493, 13),
            "E": (1579, 6),
            "F": (1498, 11),
            "G": (1537, 18),
            "H": (1511, 14),
        },
    ),
    HeadlineTest(
        "veterans",
        "Four headlines for “veterans”",
        _day(2013, 7, 1),
        {"A": (2734, 19), "B": (2655, 23), "C": (3561, 26), "D": (2711, 30)},
    ),
)


_TESTS = {test.key: test for test in HEADLINE_TESTS}


def build(
    *,
    store: Store,
    engine: Engine,
    now: datetime,
    version: str,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> None:
    """Define, fill and analyse the demo; what is there already is left as it is."""
    with store.read() as session:
        began = _shop_began(session, now)
    everything = definitions(shop_began=began)
    early = [each for each in everything.experiments if each.key in DECISIONS]
    with store.write() as session:
        past = everything.model_copy(update={"experiments": tuple(early), "layers": (), "segments": ()})
        launch.apply(session=session, definitions=past, actor="demo", now=now - READ)
        launch.apply(session=session, definitions=everything, actor="demo", now=now)
    with store.read() as session:
        analysed = latest_of_all(session=session)
    missing = [key for key in (*_TESTS, demo_shop.KEY) if key not in analysed]
    for done, key in enumerate(missing):
        with store.write() as session:
            append(session=session, records=_log(key, shop_began=began, now=now))
        read_at = now - DECIDED if key in DECISIONS else now
        snapshot = analyse(store=store, engine=engine, key=key, now=read_at, version=version)
        with store.write() as session:
            watch(session=session, snapshot=snapshot, now=read_at)
        progress((done + 1) / len(missing))
    with store.write() as session:
        demo_shop.write_texts(session=session, now=now)
        decide(session=session, now=now)


def _log(key: str, *, shop_began: datetime, now: datetime) -> list[Record]:
    """Everything that an experiment of the demo has in the ledger."""
    if key == demo_shop.KEY:
        return list(demo_shop.records(began=shop_began, now=now))
    return list(records(_TESTS[key], received_at=now))


def _shop_began(session: Session, now: datetime) -> datetime:
    """When the shop's experiment began: as it is stored, or so that its full time is over now."""
    if demo_shop.KEY in known_keys(session=session):
        stored = find_experiment(session=session, key=demo_shop.KEY).definition.starts
        if stored is not None:
            return stored
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=demo_shop.DAYS)


def definitions(*, shop_began: datetime) -> Definitions:
    """The demo's metrics and experiments, as a person would write them down."""
    return Definitions.model_validate(
        {
            "metrics": [
                *_METRICS,
                *demo_shop.METRICS,
            ],
            **AROUND,
            "experiments": [
                *map(_headline_draft, HEADLINE_TESTS),
                demo_shop.draft(shop_began),
                _LIVE_DRAFT,
                *AROUND["experiments"],
            ],
        }
    )


def records(test: HeadlineTest, *, received_at: datetime) -> Iterator[Record]:
    """Draw a test's single exposures and clicks."""
    generator = random.Random(f"{SEED}:{test.key}")  # noqa: S311 - a reproducible demo, not a secret
    received = to_millis(received_at)
    shown = [variant for variant, (impressions, _) in test.counts.items() for _ in range(impressions)]
    generator.shuffle(shown)
    moments = sorted(_moment(generator, test.began) for _ in shown)
    clickers = _clickers(generator, test, shown)
    for number, (variant, moment) in enumerate(zip(shown, moments, strict=True)):
        unit = f"{test.key}-{number + 1:05d}"
        yield Exposure(f"{moment:012x}-demo-{unit}", test.key, unit, None, variant, moment, received)
        if number in clickers:
            clicked = moment + generator.randint(1_000, 90_000)
            yield Event(f"{clicked:012x}-demo-{unit}", unit, None, "click", None, clicked, received)


def _clickers(generator: random.Random, test: HeadlineTest, shown: list[str]) -> frozenset[int]:
    places: dict[str, list[int]] = {variant: [] for variant in test.counts}
    for number, variant in enumerate(shown):
        places[variant].append(number)
    return frozenset(
        number
        for variant, (_, clicks) in test.counts.items()
        for number in generator.sample(places[variant], clicks)
    )


def _moment(generator: random.Random, began: datetime) -> int:
    """A time within the test's days, with quiet nights."""
    day = generator.randrange(DAYS)
    hour = generator.triangular(0, 24, 15)
    return to_millis(began + timedelta(days=day, hours=min(hour, 23.999)))


def _headline_draft(test: HeadlineTest) -> dict[str, object]:
    return {
        "key": test.key,
        "name": test.name,
        "owner": "Upworthy Research Archive",
        "tags": ["headlines", "archive"],
        "source": SOURCE,
        "assignment": "external",
        "hypothesis": {
            "change": "show another headline",
            "audience": "readers of the article's teaser",
            "effect": "more of them click through",
            "because": "a headline that names what is at stake invites more people in",
        },
        "variants": [{"key": variant} for variant in test.counts],
        "control": "A",
        "status": "running",
        "starts": test.began,
        "ends": test.began + timedelta(days=DAYS),
        "metrics": {"primary": ["ctr"]},
        # The editors ran hundreds of such tests a month, so one in a hundred false alarms is the most that
        # a claim may cost.
        "plan": {"confidence": 0.99, "inference": "fixed", "days": DAYS, "mde": 0.2},
    }


_METRICS: list[dict[str, object]] = [
    {
        "key": "ctr",
        "name": "Click-through rate",
        "name_zh": "点击率",
        "kind": "proportion",
        "event": "click",
    },
    {
        "key": "purchase",
        "name": "Purchase rate",
        "name_zh": "购买率",
        "kind": "proportion",
        "event": "purchase",
    },
    {
        "key": "revenue",
        "name": "Revenue per user",
        "name_zh": "人均收入",
        "kind": "mean",
        "event": "purchase",
        "unit": "EUR",
        "format": "currency",
    },
    {
        "key": "refund",
        "name": "Refund rate",
        "name_zh": "退款率",
        "kind": "proportion",
        "event": "refund",
        "direction": "decrease",
    },
]

_LIVE_DRAFT = {
    "key": LIVE,
    "name": "One-page checkout",
    "owner": "demo",
    "tags": ["live"],
    "hypothesis": {
        "change": "merge the three checkout steps into one page",
        "audience": "people who begin checkout",
        "effect": "more of them pay",
        "because": "each extra page loses some of them",
    },
    "variants": [
        {"key": "three_pages", "name": "Three pages", "value": {"pages": 3}},
        {"key": "one_page", "name": "One page", "value": {"pages": 1}},
    ],
    "control": "three_pages",
    "status": "running",
    "metrics": {
        "primary": ["purchase"],
        "secondary": ["revenue"],
        "guardrails": [{"metric": "refund", "margin": 0.1}],
    },
    "plan": {"size": 50_000, "days": 14, "mde": 0.05},
}
