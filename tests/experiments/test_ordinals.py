from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.ordinals import Ordinals


@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=30), max_size=30))
def test_ordinals_count_the_equal_rows_before_each(blocks: list[list[int]]) -> None:
    seen, counted = Ordinals(), Counter[int]()
    for block in blocks:
        expected = []
        for each in block:
            expected.append(counted[each])
            counted[each] += 1
        assert seen.of(np.array(block, dtype=np.uint64)).tolist() == expected


def test_runs_stay_few_and_hold_eight_bytes_a_row() -> None:
    rng, seen = np.random.default_rng(1), Ordinals()
    for _ in range(300):
        seen.of(rng.integers(0, 2**63, 500, dtype=np.uint64))
    runs = seen._runs
    assert len(runs) <= 9
    assert sum(run.nbytes for run in runs) == 300 * 500 * 8
    assert all((run[:-1] <= run[1:]).all() for run in runs)
