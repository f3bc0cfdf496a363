from datetime import timedelta

import pytest

from experiments import audit, members, people, tokens
from experiments.errors import NotAllowed, NotFound, NotPermitted, NotSignedIn
from experiments.roles import GRANTS, Caller, Role, Scope, caller_of
from experiments.store import Store
from experiments.tokens import TokenDraft
from tests.samples import NOW


def joined(store: Store, name: str, role: Role | None = None) -> Caller:
    with store.write() as session:
        token = people.create_link(session=session, name=name, actor="t", now=NOW, role=role)
        opened = people.redeem_link(session=session, token=token, now=NOW)
        person = people.person_of(session=session, token=opened, now=NOW)
    assert person is not None
    return person.caller


def test_the_first_person_is_an_admin_and_further_ones_are_editors(store: Store) -> None:
    assert joined(store, "Ada").role is Role.ADMIN
    assert joined(store, "Bo").role is Role.EDITOR
    assert joined(store, "Cy", Role.VIEWER).role is Role.VIEWER
    assert joined(store, "Ada").role is Role.ADMIN


def test_roles_only_ever_add(store: Store) -> None:
    assert GRANTS[Role.VIEWER] < GRANTS[Role.EDITOR] < GRANTS[Role.ADMIN] == set(Scope)


def test_a_role_is_changed_and_written_down(store: Store) -> None:
    ada, bo = joined(store, "Ada"), joined(store, "Bo")
    with store.write() as session:
        changed = members.change_role(session=session, id=bo.id, role=Role.VIEWER, by=ada, now=NOW)
        again = members.change_role(session=session, id=bo.id, role=Role.VIEWER, by=ada, now=NOW)
        told = audit.history(session=session, object="person:Bo")
    assert changed == again
    assert changed.role is Role.VIEWER
    assert next((each.action, each.before, each.after) for each in told) == ("role", "editor", "viewer")
    assert sum(each.action == "role" for each in told) == 1


def test_the_last_admin_stays_one(store: Store) -> None:
    ada, bo = joined(store, "Ada"), joined(store, "Bo")
    with store.write() as session:
        for act in (
            lambda: members.change_role(session=session, id=ada.id, role=Role.EDITOR, by=ada, now=NOW),
            lambda: members.remove(session=session, id=ada.id, by=ada, now=NOW),
        ):
            with pytest.raises(NotAllowed, match="only admin"):
                act()
        members.change_role(session=session, id=bo.id, role=Role.ADMIN, by=ada, now=NOW)
        members.remove(session=session, id=ada.id, by=ada, now=NOW)
        assert [each.name for each in members.list_members(session=session, now=NOW)] == ["Bo"]


def test_whoever_is_removed_is_out_everywhere(store: Store) -> None:
    ada = joined(store, "Ada")
    with store.write() as session:
        link = people.create_link(session=session, name="Bo", actor="t", now=NOW)
        opened = people.redeem_link(session=session, token=link, now=NOW)
        waiting = people.create_link(session=session, name="Bo", actor="t", now=NOW)
        bo = people.person_of(session=session, token=opened, now=NOW)
        assert bo is not None
        draft = TokenDraft(name="ci", scopes=(Scope.READ,))
        _, secret = tokens.create_token(session=session, draft=draft, by=bo.caller, now=NOW)
        members.remove(session=session, id=bo.id, by=ada, now=NOW)
        assert people.person_of(session=session, token=opened, now=NOW) is None
        with pytest.raises(NotFound):
            people.redeem_link(session=session, token=waiting, now=NOW)
        with pytest.raises(NotSignedIn, match="revoked"):
            tokens.caller_with(session=session, texts=[secret], now=NOW)
        with pytest.raises(NotFound):
            members.remove(session=session, id=bo.id, by=ada, now=NOW)
        people.create_link(session=session, name="Bo", actor="t", now=NOW)
        assert [each.name for each in members.list_members(session=session, now=NOW)] == ["Ada", "Bo"]


def test_signing_out_everywhere_ends_sessions_and_waiting_links(store: Store) -> None:
    ada = joined(store, "Ada")
    joined(store, "Ada")
    with store.write() as session:
        waiting = people.create_link(session=session, name="Ada", actor="t", now=NOW)
        assert members.list_members(session=session, now=NOW)[0].sessions == 2
        assert members.sign_out_everywhere(session=session, id=ada.id, by=ada, now=NOW) == 2
        assert members.list_members(session=session, now=NOW)[0].sessions == 0
        with pytest.raises(NotFound):
            people.redeem_link(session=session, token=waiting, now=NOW)


def test_nobody_hands_on_more_than_they_hold(store: Store) -> None:
    ada = joined(store, "Ada")
    narrow = Caller(ada.id, "Ada", Role.ADMIN, frozenset({Scope.PEOPLE, Scope.READ}), "eh_admin_0")
    with store.write() as session:
        for role in Role:
            with pytest.raises(NotPermitted, match="more than they hold"):
                members.invite(session=session, name="Eve", by=narrow, now=NOW, role=role)
        with pytest.raises(NotPermitted):
            members.invite(session=session, name="Ada", by=narrow, now=NOW)
        with pytest.raises(NotPermitted):
            members.change_role(session=session, id=ada.id, role=Role.VIEWER, by=narrow, now=NOW)
        with pytest.raises(NotAllowed, match="change the role"):
            members.invite(session=session, name="Ada", by=ada, now=NOW, role=Role.VIEWER)
        assert members.invite(session=session, name="Eve", by=ada, now=NOW)


def test_a_token_is_never_wider_than_its_owner(store: Store) -> None:
    ada, bo = joined(store, "Ada"), joined(store, "Bo")
    with store.write() as session:
        draft = TokenDraft(name="x", scopes=(Scope.KEYS,))
        with pytest.raises(NotPermitted, match="keys"):
            tokens.create_token(session=session, draft=draft, by=bo, now=NOW)
        draft = TokenDraft(name="x", scopes=(Scope.WRITE, Scope.READ))
        token, secret = tokens.create_token(session=session, draft=draft, by=bo, now=NOW)
        assert token.scopes == (Scope.READ, Scope.WRITE)
        assert tokens.caller_with(session=session, texts=[secret], now=NOW).scopes == set(token.scopes)
        members.change_role(session=session, id=bo.id, role=Role.VIEWER, by=ada, now=NOW)
        assert tokens.caller_with(session=session, texts=[secret], now=NOW).scopes == {Scope.READ}


def test_what_a_token_makes_is_no_wider_and_lives_no_longer_than_itself(store: Store) -> None:
    ada = joined(store, "Ada")
    with store.write() as session:
        draft = TokenDraft(name="x", scopes=(Scope.READ, Scope.TOKENS), days=2)
        first, secret = tokens.create_token(session=session, draft=draft, by=ada, now=NOW)
        speaking = tokens.caller_with(session=session, texts=["junk", secret], now=NOW)
        wider = TokenDraft(name="x", scopes=(Scope.LAUNCH,))
        with pytest.raises(NotPermitted):
            tokens.create_token(session=session, draft=wider, by=speaking, now=NOW)
        longer = TokenDraft(name="y", scopes=(Scope.READ,), days=90)
        second, _ = tokens.create_token(session=session, draft=longer, by=speaking, now=NOW)
    assert second.expires_at == first.expires_at == NOW + timedelta(days=2)


def test_a_token_ends_with_its_day_or_when_it_is_revoked(store: Store) -> None:
    ada, bo = joined(store, "Ada"), joined(store, "Bo")
    with store.write() as session:
        draft = TokenDraft(name="x", scopes=(Scope.READ,), days=1)
        token, secret = tokens.create_token(session=session, draft=draft, by=bo, now=NOW)
        with pytest.raises(NotSignedIn, match="expired"):
            tokens.caller_with(session=session, texts=[secret], now=NOW + timedelta(days=1))
        for wrong in ("", token.prefix, secret + "x", secret[:-1], "eh_admin_\udcff", "eh_server_1_2"):
            with pytest.raises(NotSignedIn, match="no admin token"):
                tokens.caller_with(session=session, texts=[wrong], now=NOW)
        stranger = caller_of(id=99, name="Eve", role=Role.EDITOR)
        with pytest.raises(NotFound):
            tokens.revoke_token(session=session, prefix=token.prefix, by=stranger, now=NOW)
        assert tokens.revoke_token(session=session, prefix=token.prefix, by=ada, now=NOW).revoked_at == NOW
        with pytest.raises(NotSignedIn, match="revoked"):
            tokens.caller_with(session=session, texts=[secret], now=NOW)
        assert not tokens.list_tokens(session=session, owner=bo.id)[0].is_open(NOW)
        assert tokens.list_tokens(session=session, owner=ada.id) == []


def test_the_last_use_of_a_token_is_known_to_the_minute(store: Store) -> None:
    ada = joined(store, "Ada")
    with store.write() as session:
        draft = TokenDraft(name="x", scopes=(Scope.READ,))
        token, _ = tokens.create_token(session=session, draft=draft, by=ada, now=NOW)
        assert not tokens.is_use_known(session=session, prefix=token.prefix, now=NOW)
        tokens.note_use(session=session, prefix=token.prefix, now=NOW)
        assert tokens.is_use_known(session=session, prefix=token.prefix, now=NOW + timedelta(seconds=59))
        assert not tokens.is_use_known(session=session, prefix=token.prefix, now=NOW + timedelta(seconds=60))
        assert tokens.list_tokens(session=session)[0].last_used_at == NOW


def test_what_a_token_did_is_marked_with_it(store: Store) -> None:
    with store.write() as session:
        session.info[audit.TOKEN] = "eh_admin_1"
        audit.record(session=session, actor="Ada", action="edit", object="x", now=NOW)
    with store.write() as session:
        audit.record(session=session, actor="Ada", action="edit", object="x", now=NOW)
        assert [each.token for each in audit.history(session=session, object="x")] == [None, "eh_admin_1"]
