"""What is counted in memory when units come in several chunks, and questions share a scan."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.observe import chunks
from experiments.observe.cells import Cells
from experiments.observe.chunks import Chunk
from experiments.observe.sheets import is_plain
from tests.experiments.observe.by_hand import Hand, observe, observe_in_memory, observe_together
from tests.experiments.observe.logs import DAY, HOUR, NOON, did, shown
from tests.experiments.observe.test_kinds import agree_on_everything, asked

EXPOSURES = [shown(unit, "old" if unit in "ace" else "new", at) for at, unit in enumerate("abcdef")]
EVENTS = [
    did(unit, name, day * DAY + HOUR, value)
    for day in (3, -1, 0, 1, 0)
    for unit, name, value in [("a", "buy", 1.5), ("b", "buy", 7.0), ("b", "visit", None), ("f", "buy", 0.1)]
]


@pytest.mark.parametrize("few", [0.0, 2.0], ids=["all read", "few looked for"])
@pytest.mark.parametrize("channel", [None, "channel"], ids=["plain", "tabled"])
def test_units_in_chunks_of_their_own_come_to_the_same(
    monkeypatch: pytest.MonkeyPatch, channel: str | None, few: float
) -> None:
    monkeypatch.setattr(chunks, "ROWS", 1)
    monkeypatch.setattr(chunks, "FEW", few)
    question = asked("order_value", channel=channel, segments=("rfm",))
    assert is_plain(question) == (channel is None)
    seen = observe_in_memory(question, EXPOSURES, EVENTS)
    agree_on_everything(Hand(question, EXPOSURES, EVENTS), seen)


def test_questions_that_share_a_scan_have_each_its_own_answer() -> None:
    plain = asked("largest", channel=None, segments=())
    questions = [
        plain,
        replace(plain, horizon=NOON + 2 * DAY, back=0),
        asked("path", channel=None, segments=()),
        asked("days", channel=None, segments=()),
        replace(plain, unit_type="anonymous_id"),
    ]
    *together, nobody = observe_together(questions, EXPOSURES, EVENTS)
    for question, seen in zip(questions, together, strict=False):
        agree_on_everything(Hand(question, EXPOSURES, EVENTS), seen)
    assert together[1].quality == observe(questions[1], EXPOSURES, EVENTS).quality
    assert nobody.units == {"old": 0, "new": 0}


things = st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 4), st.integers(-9, 9)), max_size=20)
moments = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=20)


@given(moments)
def test_the_events_of_a_chunk_lie_by_unit_and_moment(moments: list[tuple[int, int]]) -> None:
    unit, at = (np.array([each[k] for each in moments], dtype=np.int64) for k in range(2))
    chunk = Chunk.of(7, 4, {"unit": unit + 7, "occurred_at": at, "other": np.arange(len(moments))})
    assert list(zip(chunk.unit.tolist(), chunk.at.tolist(), strict=True)) == sorted(moments)
    assert [moments[place] for place in chunk.columns["other"]] == sorted(moments)


@given(things)
def test_cells_add_up_from_day_to_day(things: list[tuple[int, int, int]]) -> None:
    unit, day, worth = (np.array([each[k] for each in sorted(things)], dtype=np.int64) for k in range(3))
    cells = Cells.of(unit, day)
    expected = sorted({(u, d) for u, d, _ in things})
    assert list(zip(cells.unit.tolist(), cells.day.tolist(), strict=True)) == expected
    so_far = cells.so_far(np.add, cells.added(np.add, worth.astype(np.float64)))
    assert so_far.tolist() == [
        sum(w for u, d, w in things if u == mine and d <= until) for mine, until in expected
    ]
    assert cells.one_before(so_far).tolist() == [
        sum(w for u, d, w in things if u == mine and d < until) for mine, until in expected
    ]
