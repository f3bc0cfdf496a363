from datetime import timedelta

import pytest
from sqlmodel import select

from experiments import audit, readouts
from experiments.errors import InvalidInput, NotFound
from experiments.readouts import Snapshot
from experiments.shares import create_share, list_shares, open_share, revoke_share
from experiments.store import Store
from experiments.store.tables import ShareRow
from tests.samples import NOW
from tests.web.scenes import ONE_PAGE, stage

KEY = ONE_PAGE.key
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def snapshot(store: Store) -> Snapshot:
    stage(store, ONE_PAGE)
    with store.read() as session:
        found = readouts.latest(session=session, key=KEY)
    assert found is not None
    return found


def test_a_link_opens_its_own_snapshot_until_it_expires(store: Store, snapshot: Snapshot) -> None:
    with store.write() as session:
        share, token = create_share(
            session=session, snapshot=snapshot, frozen={"title": "数据"}, days=7, actor="Ada", now=NOW
        )
        last = NOW + timedelta(days=7) - MOMENT
        assert open_share(session=session, token=token, now=last) == (share, snapshot)
        assert share.frozen == {"title": "数据"}
        with pytest.raises(NotFound):
            open_share(session=session, token=token, now=last + MOMENT)


def test_no_token_is_kept_and_no_other_text_opens(store: Store, snapshot: Snapshot) -> None:
    with store.write() as session:
        _, token = create_share(session=session, snapshot=snapshot, frozen={}, days=7, actor="A", now=NOW)
        kept = " ".join(str(row.model_dump()) for row in session.exec(select(ShareRow)))
        assert token not in kept
        for text in ("", token[:-1], token + "x", "\ud800", token.swapcase()):
            with pytest.raises(NotFound):
                open_share(session=session, token=text, now=NOW)


def test_a_revoked_link_opens_nothing_and_stays_in_the_list(store: Store, snapshot: Snapshot) -> None:
    with store.write() as session:
        share, token = create_share(
            session=session, snapshot=snapshot, frozen={}, days=30, actor="Ada", now=NOW
        )
        again = [
            revoke_share(session=session, key=KEY, id=share.id, actor="Bo", now=NOW + n * MOMENT)
            for n in (1, 2)
        ]
        assert [each.revoked_at for each in again] == [NOW + MOMENT] * 2
        with pytest.raises(NotFound):
            open_share(session=session, token=token, now=NOW + MOMENT)
        assert [each.id for each in list_shares(session=session, key=KEY)] == [share.id]
        told = [each.action for each in audit.history(session=session, object=KEY)]
        assert told[:2] == ["unshare", "share"]


def test_a_link_is_revoked_under_its_own_experiment_only(store: Store, snapshot: Snapshot) -> None:
    with store.write() as session:
        share, _ = create_share(session=session, snapshot=snapshot, frozen={}, days=7, actor="A", now=NOW)
        with pytest.raises(NotFound):
            revoke_share(session=session, key="other", id=share.id, actor="A", now=NOW)


def test_a_link_cannot_live_for_ever(store: Store, snapshot: Snapshot) -> None:
    with store.write() as session, pytest.raises(InvalidInput, match="7, 30, 90"):
        create_share(session=session, snapshot=snapshot, frozen={}, days=3_650, actor="A", now=NOW)
