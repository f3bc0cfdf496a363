"""What becomes of each unit, in memory and in the statement."""

from dataclasses import replace
from random import Random

import pytest

from assignment import condition_from_json
from experiments.observe import Bots, Question
from experiments.observe.asked import PlainQuestion
from experiments.observe.sql import DIALECT
from experiments.observe.statement import sorting
from experiments.observe.units import BOT, CROSSOVER, KEPT, OVERRIDE, UNEXPOSED
from experiments.store.ledger import Exposure
from tests.experiments.observe.logs import DAY, NOON, question, shown
from tests.experiments.observe.test_moving import growing

ROBOT = Bots(where=condition_from_json({"attribute": "kind", "operator": "eq", "value": "robot"}))
PHASE = question(since=NOON, until=NOON + 4 * DAY)


def exposed(count: int, rng: Random) -> list[Exposure]:
    """Exposures of some units, in no order."""
    return [
        shown(
            f"u{rng.randrange(2 * count)}",
            rng.choice(["old", "new", "new", "new", "third"]),
            rng.randrange(-1, 6) * DAY,
            mark=rng.choice([None, None, None, "override", "mismatch"]),
            attributes=rng.choice([None, '{"kind": "robot"}', '{"kind": "person"}']),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    "asked", [PHASE, question(), replace(PHASE, bots=ROBOT)], ids=["phase", "all", "robots"]
)
def test_units_are_sorted_out_in_memory_as_the_statement_does(asked: Question) -> None:
    with growing() as copy:
        for seed in range(3):  # batches that are sorted each for itself
            copy.append(*exposed(100, Random(seed)))
        table = PlainQuestion(copy.connection, asked, 0).table("sorted_out")
        statement = sorting(asked).sql(dialect=DIALECT)
        seen, expected = (
            copy.connection.execute(
                "SELECT unit, arm, first_at, last_at, exposures, unlike, first_arm, recorded_arm, fate "
                f"FROM ({each}) ORDER BY unit"
            ).fetchall()
            for each in (f"FROM {table}", statement)
        )
    assert seen == expected
    wanted = {KEPT, OVERRIDE, CROSSOVER} | ({UNEXPOSED} if asked.since == NOON else set())
    assert {row[-1] for row in seen} == wanted | ({BOT} if asked.bots else set())


def test_where_nobody_was_exposed_nobody_counts() -> None:
    with growing() as copy:
        assert not PlainQuestion(copy.connection, PHASE, 0).members.counted.any()
