from pathlib import Path

from tests.faults.killing import killings


def test_what_was_acknowledged_is_stored_once_whoever_is_killed(tmp_path: Path) -> None:
    delivery, ids = killings(tmp_path, 2)
    assert delivery.acknowledged > 200
    assert delivery.ids <= set(ids)
    assert len(ids) == len(set(ids))
