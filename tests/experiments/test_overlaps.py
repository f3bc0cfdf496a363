from pathlib import Path

import numpy as np
import pytest

from analysis import Cause, NotEstimable
from analysis.overlaps import Independence
from experiments.errors import InvalidInput
from experiments.overlaps import Overlap, find_overlaps
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, append
from tests.samples import DAY, NOW, apply, experiment

UNITS = 4_000


def two(store: Store, tmp_path: Path, *, dependent: bool = False, both: float = 0.0) -> Overlap:
    """Two experiments over the same units; ``both`` is what having both treatments adds to buying."""
    apply(store, experiment("banner"), experiment("checkout"))
    rng = np.random.default_rng(1)
    one = rng.integers(0, 2, UNITS)
    other = one if dependent else rng.integers(0, 2, UNITS)
    buys = rng.random(UNITS) < 0.2 + 0.1 * one + both * one * other
    at = to_millis(NOW)
    records: list[Exposure | Event] = []
    for place in range(UNITS):
        for key, arms in (("banner", one), ("checkout", other)):
            variant = ("old", "new")[arms[place]]
            records.append(Exposure(f"{key}{place}", key, f"u{place}", None, variant, at, at))
        if buys[place]:
            records.append(Event(f"e{place}", f"u{place}", None, "purchase", None, at, at))
    with store.write() as session:
        append(session=session, records=records)
    (found,) = find_overlaps(store=store, columns=tmp_path / "columns.duckdb", now=NOW + DAY)
    return found


def test_independent_experiments_share_units_and_leave_each_other_alone(store: Store, tmp_path: Path) -> None:
    found = two(store, tmp_path)
    assert (found.first, found.second, found.units) == ("banner", "checkout", UNITS)
    assert sum(found.table.values()) == UNITS
    assert isinstance(found.assignment, Independence)
    assert found.assignment.passed
    assert {experiment for experiment, _ in found.interactions} == {"banner", "checkout"}
    assert all(each.p_value_adjusted > 0.01 for _, each in found.interactions)


def test_effects_that_depend_on_each_other_are_found_from_both_sides(store: Store, tmp_path: Path) -> None:
    found = two(store, tmp_path, both=0.3)
    for _, each in found.interactions:
        assert each.p_value_adjusted < 1e-6
        assert each.estimate == pytest.approx(0.3, abs=4 * each.standard_error)
    written = found.to_json()
    assert written["assignment"]["passed"] is True
    assert {each["experiment"] for each in written["interactions"]} == {"banner", "checkout"}


def test_assignments_that_follow_each_other_are_named(store: Store, tmp_path: Path) -> None:
    found = two(store, tmp_path, dependent=True)
    assert isinstance(found.assignment, Independence)
    assert not found.assignment.passed
    assert found.interactions == ()


def test_experiments_without_common_units_are_no_pair(store: Store, tmp_path: Path) -> None:
    apply(store, experiment("banner"), experiment("checkout"))
    assert find_overlaps(store=store, columns=tmp_path / "columns.duckdb", now=NOW) == ()


def test_few_common_units_are_told_and_not_judged(store: Store, tmp_path: Path) -> None:
    apply(store, experiment("banner"), experiment("checkout"))
    at = to_millis(NOW)
    with store.write() as session:
        append(
            session=session,
            records=[Exposure(k, k, "u", None, "new", at, at) for k in ("banner", "checkout")],
        )
    (found,) = find_overlaps(store=store, columns=tmp_path / "columns.duckdb", now=NOW + DAY)
    assert isinstance(found.assignment, NotEstimable)
    assert found.to_json()["assignment"] == {"passed": None, "not_estimable": Cause.NO_UNITS}


def test_one_experiment_alone_has_nothing_to_overlap_with(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="two experiments"):
        find_overlaps(store=store, columns=tmp_path / "c", now=NOW, keys=["banner", "banner"])
