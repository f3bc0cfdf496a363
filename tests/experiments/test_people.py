from datetime import timedelta

import pytest
from sqlmodel import select

from experiments import audit
from experiments.errors import InvalidInput, NotFound
from experiments.people import (
    LINK_LIFETIME,
    SESSION_LIFETIME,
    KeyKind,
    create_key,
    create_link,
    end_session,
    list_keys,
    open_keys,
    person_of,
    redeem_link,
    revoke_key,
)
from experiments.store import Store
from experiments.store.tables import KeyRow, SessionRow, SignInLinkRow
from tests.samples import NOW

MOMENT = timedelta(milliseconds=1)


def test_a_key_opens_with_its_whole_secret_only(store: Store) -> None:
    with store.write() as session:
        key, secret = create_key(session=session, kind=KeyKind.SERVER, name="shop", actor="ada", now=NOW)
        held = open_keys(session=session)[key.prefix]
    assert secret.startswith(f"{key.prefix}_")
    assert held.opens_with(secret)
    assert not any(held.opens_with(text) for text in ("", key.prefix, secret[:-1], secret + "x", "\ud800"))


def test_no_secret_is_kept(store: Store) -> None:
    with store.write() as session:
        _, secret = create_key(session=session, kind=KeyKind.CLIENT, name="web", actor="ada", now=NOW)
        token = create_link(session=session, name="Ada", actor="ada", now=NOW)
        opened = redeem_link(session=session, token=token, now=NOW)
        rows = [
            *session.exec(select(KeyRow)),
            *session.exec(select(SignInLinkRow)),
            *session.exec(select(SessionRow)),
        ]
        kept = " ".join(str(row.model_dump()) for row in rows)
    assert not any(text in kept for text in (secret, token, opened, secret.split("_", 3)[3]))


def test_a_revoked_key_opens_nothing(store: Store) -> None:
    with store.write() as session:
        key, _ = create_key(session=session, kind=KeyKind.SERVER, name="shop", actor="ada", now=NOW)
        revoked = revoke_key(session=session, prefix=key.prefix, actor="ada", now=NOW)
        again = revoke_key(session=session, prefix=key.prefix, actor="ada", now=NOW + MOMENT)
        assert open_keys(session=session) == {}
        assert revoked.revoked_at == again.revoked_at == NOW
        assert [each.prefix for each in list_keys(session=session)] == [key.prefix]
        actions = [entry.action for entry in audit.history(session=session, object=f"key:{key.prefix}")]
        with pytest.raises(NotFound, match="eh_server_none"):
            revoke_key(session=session, prefix="eh_server_none", actor="ada", now=NOW)
    assert actions[-1] == "create"
    assert "revoke" in actions


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "nul\0", "\udcff"])
def test_a_name_that_cannot_be_kept_is_refused(store: Store, name: str) -> None:
    with store.write() as session:
        with pytest.raises(InvalidInput, match="name"):
            create_key(session=session, kind=KeyKind.SERVER, name=name, actor="ada", now=NOW)
        with pytest.raises(InvalidInput, match="name"):
            create_link(session=session, name=name, actor="ada", now=NOW)


def test_a_link_signs_in_once(store: Store) -> None:
    with store.write() as session:
        token = create_link(session=session, name="Ada", actor="ada", now=NOW)
        opened = redeem_link(session=session, token=token, now=NOW)
        person = person_of(session=session, token=opened, now=NOW)
        assert person is not None
        assert person.name == "Ada"
        with pytest.raises(NotFound, match="used before or has expired"):
            redeem_link(session=session, token=token, now=NOW)


def test_a_link_expires_with_its_hour(store: Store) -> None:
    with store.write() as session:
        token = create_link(session=session, name="Ada", actor="ada", now=NOW)
        with pytest.raises(NotFound):
            redeem_link(session=session, token=token, now=NOW + LINK_LIFETIME)
        assert redeem_link(session=session, token=token, now=NOW + LINK_LIFETIME - MOMENT)


@pytest.mark.parametrize("token", ["", "made-up", "\ud800", "x" * 10_000])
def test_a_made_up_link_opens_nothing(store: Store, token: str) -> None:
    with store.write() as session, pytest.raises(NotFound):
        redeem_link(session=session, token=token, now=NOW)


def test_a_session_ends_by_itself_and_when_told(store: Store) -> None:
    with store.write() as session:
        token = create_link(session=session, name="Ada", actor="ada", now=NOW)
        opened = redeem_link(session=session, token=token, now=NOW)
        assert person_of(session=session, token=opened, now=NOW + SESSION_LIFETIME - MOMENT)
        assert person_of(session=session, token=opened, now=NOW + SESSION_LIFETIME) is None
        assert person_of(session=session, token="\ud800", now=NOW) is None
        end_session(session=session, token=opened)
        end_session(session=session, token=opened)
        assert person_of(session=session, token=opened, now=NOW) is None


def test_the_same_person_keeps_one_row(store: Store) -> None:
    with store.write() as session:
        people = set()
        for _ in range(2):
            token = create_link(session=session, name="Ada", actor="ada", now=NOW)
            opened = redeem_link(session=session, token=token, now=NOW)
            people.add(person_of(session=session, token=opened, now=NOW))
    assert len(people) == 1
