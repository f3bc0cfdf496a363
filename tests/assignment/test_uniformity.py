"""The statistics of the hash, on a million ids of the kinds that people use."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from assignment import BUCKETS
from assignment.vector import buckets

COUNT = 1_000_000
Ids = NDArray[np.bytes_]


def sequential() -> Ids:
    return np.char.add(b"user-", np.arange(COUNT).astype("S7"))


def drawn() -> Ids:
    return np.random.default_rng(1).integers(0, 2**62, COUNT).astype("S19")


def uuids() -> Ids:
    digits = np.frombuffer(np.random.default_rng(2).bytes(16 * COUNT).hex().encode(), dtype=np.uint8)
    groups = np.split(digits.reshape(COUNT, 32), [8, 12, 16, 20], axis=1)
    dash = np.full((COUNT, 1), ord("-"), dtype=np.uint8)
    parts = [part for group in groups for part in (group, dash)][:-1]
    return np.ascontiguousarray(np.hstack(parts)).view("S36").ravel()


KINDS = {"sequential": sequential, "drawn": drawn, "uuid": uuids}


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_ids_spread_evenly_over_the_buckets(kind: str) -> None:
    units = KINDS[kind]()
    p_values = [
        stats.chisquare(np.bincount(buckets(salt, units), minlength=BUCKETS)).pvalue
        for salt in ("checkout", "b7Kq2", "layer-1", "x")
    ]
    assert min(p_values) > 0.001


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_salts_split_the_same_ids_independently(kind: str) -> None:
    units = KINDS[kind]()[:100_000]
    sides = np.array(
        [np.where(buckets(f"experiment-{number}", units) < BUCKETS // 2, 1.0, -1.0) for number in range(50)]
    )
    agreement = sides @ sides.T / np.sqrt(len(units))  # standard normal for each pair, if independent
    pairs = agreement[np.triu_indices(50, k=1)]
    assert np.abs(pairs).max() < 4.5  # 1,225 pairs: beyond it once in 120 such tests
    assert stats.chi2.sf(np.sum(pairs**2), df=len(pairs)) > 0.001


def test_neighbouring_ids_fall_apart() -> None:
    found = buckets("checkout", sequential()).astype(np.float64)
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 4 / np.sqrt(COUNT)
