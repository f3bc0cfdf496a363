"""Previews: a signed link shows one variant, and is good for nothing else."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assignment import Detail
from experiments import launch
from experiments.errors import InvalidInput
from experiments.previews import Preview, Signer, address_on, experiment_of, previews_of, show
from experiments.store import Store
from tests.samples import NOW, apply, experiment

SIGNER = Signer.from_secret("secret")
PREVIEW = Preview("checkout", "new", NOW)


def test_a_token_is_read_back_and_names_its_experiment() -> None:
    token = SIGNER.write(PREVIEW)
    assert SIGNER.read(token) == PREVIEW
    assert experiment_of(token) == "checkout"
    assert "secret" not in token


def test_another_key_another_variant_or_another_moment_is_not_believed() -> None:
    token = SIGNER.write(PREVIEW)
    later = SIGNER.write(Preview("checkout", "new", NOW + timedelta(days=1)))
    forged = ":".join((*later.split(":")[:3], token.split(":")[3]))
    assert Signer.from_secret("other").read(token) is None
    assert SIGNER.read(token.replace(":new:", ":old:")) is None
    assert SIGNER.read(forged) is None


@given(st.text(max_size=200))
def test_whatever_a_visitor_sends_is_read_without_an_error(text: str) -> None:
    assert SIGNER.read(text) is None
    assert SIGNER.read(SIGNER.write(PREVIEW) + text) in (None, PREVIEW)


def test_each_variant_has_a_link_and_a_draft_shows_its_values(store: Store) -> None:
    apply(store, experiment(status="draft"))
    with store.read() as session:
        found = previews_of(session=session, key="checkout", days=7, now=NOW)
        shown = [show(session=session, preview=each) for each in found]
    assert [each.variant for each in found] == ["old", "new"]
    assert {each.expires_at for each in found} == {NOW + timedelta(days=7)}
    assert [each and (each.value, each.detail) for each in shown] == [
        ("v1", Detail.PREVIEW),
        ("v2", Detail.PREVIEW),
    ]
    assert not any(each and (each.exposes or each.in_experiment) for each in shown)


def test_what_is_gone_is_not_shown(store: Store) -> None:
    apply(store, experiment(), experiment("elsewhere", assignment="external"))
    with store.write() as session:
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        launch.archive(session=session, key="checkout", actor="ada", now=NOW)
    with store.read() as session:
        gone = [Preview(key, "new", NOW) for key in ("checkout", "elsewhere", "nothing")]
        assert [show(session=session, preview=each) for each in gone] == [None, None, None]
        with pytest.raises(InvalidInput):
            previews_of(session=session, key="checkout", days=7, now=NOW)


def test_a_link_holds_as_long_as_is_offered(store: Store) -> None:
    apply(store)
    with store.read() as session, pytest.raises(InvalidInput, match="1, 7, 30"):
        previews_of(session=session, key="checkout", days=365, now=NOW)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("", "https://shop.example/?_variant=t"),
        ("/cart?step=2#top", "https://shop.example/cart?step=2&_variant=t#top"),
        ("cart", "https://shop.example/cart?_variant=t"),
        ("https://shop.example/cart", "https://shop.example/cart?_variant=t"),
    ],
)
def test_a_link_keeps_the_page_that_was_asked_for(page: str, address: str) -> None:
    assert address_on("https://shop.example/", page, "t") == address


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http://shop.example", "//["]
)
def test_a_link_never_leaves_the_product(page: str) -> None:
    with pytest.raises(InvalidInput):
        address_on("https://shop.example/", page, "t")


def test_without_a_site_there_is_no_address() -> None:
    assert address_on("", "/cart", "t") == ""
