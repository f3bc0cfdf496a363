"""Sheets keep what was typed, for one person at a time."""

import pytest

from experiments.errors import Conflict
from experiments.sheets import Sheet, find_sheet, keep_sheet
from experiments.store import Store
from tests.samples import NOW


def keep(store: Store, text: str, *, revision: int, actor: str = "Ada") -> Sheet:
    with store.write() as session:
        return keep_sheet(
            session=session, key="k", typed={"name": text}, actor=actor, now=NOW, revision=revision
        )


def test_the_same_save_again_is_one_save(store: Store) -> None:
    first = keep(store, "a", revision=0)
    assert keep(store, "a", revision=0) == first
    second = keep(store, "b", revision=first.revision)
    assert keep(store, "b", revision=first.revision) == second
    assert second.revision == 2


@pytest.mark.parametrize(("text", "actor"), [("other", "Ada"), ("a", "Bo")])
def test_another_save_from_the_same_state_is_told(store: Store, text: str, actor: str) -> None:
    first = keep(store, "a", revision=0)
    with pytest.raises(Conflict, match="Ada has changed k"):
        keep(store, text, revision=0, actor=actor)
    with store.read() as session:
        assert find_sheet(session=session, key="k") == first


def test_an_earlier_save_again_is_told(store: Store) -> None:
    keep(store, "a", revision=0)
    keep(store, "b", revision=1)
    with pytest.raises(Conflict):
        keep(store, "a", revision=0)
