from datetime import timedelta

import pytest

from experiments.errors import Conflict, InvalidInput
from experiments.store import Store
from experiments.stored_answers import LIFETIME, PATIENCE, Answer, Claim, claim_key, give_back, keep_answer
from tests.samples import NOW

CLAIM = Claim("eh_admin_1", "k", "POST /x", b"{}")
ANSWER = Answer(201, {"Location": "/x/1"}, '{"a":1}')
MOMENT = timedelta(milliseconds=1)


def test_the_same_request_again_gets_the_same_answer_for_a_day(store: Store) -> None:
    with store.write() as session:
        assert claim_key(session=session, claim=CLAIM, now=NOW) is None
        keep_answer(session=session, claim=CLAIM, answer=ANSWER)
    with store.write() as session:
        assert claim_key(session=session, claim=CLAIM, now=NOW + LIFETIME) == ANSWER
        assert claim_key(session=session, claim=CLAIM, now=NOW + LIFETIME + MOMENT) is None


def test_a_key_belongs_to_its_caller_its_path_and_its_body(store: Store) -> None:
    with store.write() as session:
        claim_key(session=session, claim=CLAIM, now=NOW)
        keep_answer(session=session, claim=CLAIM, answer=ANSWER)
        for other in (Claim("p:2", "k", "POST /x", b"{}"), Claim("eh_admin_1", "k", "POST /y", b"{}")):
            assert claim_key(session=session, claim=other, now=NOW) is None
        with pytest.raises(InvalidInput, match="another body"):
            claim_key(session=session, claim=Claim("eh_admin_1", "k", "POST /x", b"{ }"), now=NOW)


def test_a_request_under_way_is_waited_for_unless_it_died(store: Store) -> None:
    with store.write() as session:
        claim_key(session=session, claim=CLAIM, now=NOW)
        with pytest.raises(Conflict, match="under way"):
            claim_key(session=session, claim=CLAIM, now=NOW + PATIENCE - MOMENT)
        assert claim_key(session=session, claim=CLAIM, now=NOW + PATIENCE) is None


def test_a_key_that_is_given_back_may_be_used_again_but_an_answer_stays(store: Store) -> None:
    with store.write() as session:
        claim_key(session=session, claim=CLAIM, now=NOW)
        give_back(session=session, claim=CLAIM)
        assert claim_key(session=session, claim=CLAIM, now=NOW) is None
        keep_answer(session=session, claim=CLAIM, answer=ANSWER)
        give_back(session=session, claim=CLAIM)
        assert claim_key(session=session, claim=CLAIM, now=NOW) == ANSWER
