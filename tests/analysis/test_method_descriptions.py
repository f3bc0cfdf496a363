import pytest

from analysis.methods import NAMES, describe


@pytest.mark.parametrize("name", NAMES)
def test_every_method_says_what_it_is_and_shows_itself_at_work(name: str) -> None:
    method = describe(name)
    assert method is not None
    assert method.summary.endswith(".")
    assert method.paragraphs
    assert method.example.startswith(">>>")


def test_an_unknown_method_is_nobody() -> None:
    assert describe("astrology") is None
