"""Secrets that sign webhooks, and the log of deliveries."""

from datetime import datetime, timedelta

from experiments import webhooks
from experiments.store import Store
from experiments.webhooks import (
    OVERLAP,
    Secret,
    list_deliveries,
    make_secret,
    note_delivery,
    secrets_in_force,
)
from tests.samples import NOW

ROOT = "the deployment's own key"


def made(store: Store, now: datetime = NOW) -> Secret:
    with store.write() as session:
        return make_secret(session=session, actor="ada", now=now)


def test_a_secret_is_shown_once_and_not_stored(store: Store) -> None:
    shown = made(store).shown(ROOT)
    assert shown.startswith("whsec_")
    with store.read() as session:
        stored = str(session.connection().exec_driver_sql("SELECT * FROM webhook_secret").all())
        told = str(session.connection().exec_driver_sql("SELECT * FROM audit").all())
    assert shown.removeprefix("whsec_") not in stored + told


def test_another_deployment_makes_another_secret_of_the_same_row(store: Store) -> None:
    secret = made(store)
    assert secret.shown(ROOT) == secret.shown(ROOT)
    assert secret.shown(ROOT) != secret.shown("another")


def test_a_new_secret_takes_over_and_the_one_before_signs_along_for_a_day(store: Store) -> None:
    first = made(store)
    second = made(store, NOW + timedelta(hours=1))
    third_moment = NOW + timedelta(hours=1) + OVERLAP
    with store.read() as session:
        both = secrets_in_force(session=session, now=third_moment - timedelta(seconds=1))
        one = secrets_in_force(session=session, now=third_moment)
    assert [each.nonce for each in both] == [second.nonce, first.nonce]
    assert [each.nonce for each in one] == [second.nonce]
    signed = webhooks.sign([each.key(ROOT) for each in both], message="m", at=NOW, body=b"{}")
    assert len(signed["webhook-signature"].split()) == 2


def test_replacing_twice_does_not_let_an_old_secret_live_longer(store: Store) -> None:
    made(store)
    made(store, NOW + timedelta(hours=1))
    made(store, NOW + timedelta(hours=20))
    with store.read() as session:
        held = secrets_in_force(session=session, now=NOW + timedelta(hours=26))
    assert len(held) == 2


def test_another_body_moment_or_id_has_another_signature() -> None:
    keys = [b"k" * 32]
    said = {
        webhooks.sign(keys, message=message, at=at, body=body)["webhook-signature"]
        for message in ("a", "b")
        for at in (NOW, NOW + timedelta(seconds=1))
        for body in (b"{}", b"{ }")
    }
    assert len(said) == 8


def test_without_a_secret_there_is_no_signature() -> None:
    assert set(webhooks.sign([], message="m", at=NOW, body=b"")) == {"webhook-id", "webhook-timestamp"}


def test_only_the_latest_deliveries_are_kept(store: Store) -> None:
    with store.write() as session:
        for number in range(webhooks.KEPT + 5):
            note_delivery(session=session, message=f"m{number}", kind="webhook.test", now=NOW, failure=None)
        kept = list_deliveries(session=session, count=10_000)
    assert len(kept) == webhooks.KEPT
    assert (kept[0].message, kept[-1].message) == (f"m{webhooks.KEPT + 4}", "m5")
