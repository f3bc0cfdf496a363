import pytest
from hypothesis import given
from hypothesis import strategies as st

from assignment import BUCKETS, bucket
from assignment.hashing import bucket_after, fnv1a32

any_text = st.text(st.characters(codec=None))

PUBLISHED = [
    ("exp-seed", "user-1", 2230),
    ("exp-seed", "user-2", 2252),
    ("exp-seed", "user-3", 407),
    ("checkout", "42", 4063),
    ("checkout", "00000000-0000-4000-8000-000000000000", 7450),
    ("checkout", "alice@example.com", 9430),
    ("layer-1", "a", 8018),
    ("größe", "zoë", 3249),
    ("exp", "😀", 7506),
    ("layer-1", "user-7", 4897),
    ("", "x", 9986),
]


@pytest.mark.parametrize(("salt", "unit", "expected"), PUBLISHED)
def test_a_published_bucket_never_changes(salt: str, unit: str, expected: int) -> None:
    assert bucket(salt, unit) == expected


@pytest.mark.parametrize(("text", "expected"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_ascii_texts_hash_as_the_authors_of_fnv_publish(text: str, expected: int) -> None:
    assert fnv1a32(text) == expected


@given(any_text, any_text)
def test_hashing_can_go_on_from_the_state_after_a_salt(salt: str, unit: str) -> None:
    # two halves of a surrogate pair are the same code units apart and together
    assert fnv1a32(unit, fnv1a32(salt)) == fnv1a32(salt + unit)
    assert bucket_after(fnv1a32(salt), unit) == bucket(salt, unit)


@given(any_text, any_text)
def test_every_text_has_a_bucket(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < BUCKETS


def test_an_astral_character_hashes_as_its_surrogate_pair() -> None:
    assert fnv1a32("😀") == fnv1a32("\ud83d\ude00")
