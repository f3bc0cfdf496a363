from pathlib import Path

from tests.faults.crashing import crashes
from tests.postgres import Cluster


def test_what_was_acknowledged_outlives_a_crash_of_the_database(tmp_path: Path, postgres: Cluster) -> None:
    delivery, ids = crashes(tmp_path, postgres, 2)
    assert delivery.acknowledged > 100
    assert delivery.ids <= set(ids)
    assert len(ids) == len(set(ids))
