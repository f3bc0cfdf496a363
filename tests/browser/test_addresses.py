"""No page is forgotten: whoever adds one with a part in its address gives an example of it."""

from tests.browser.addresses import EXAMPLES, page_rules


def test_every_page_with_a_part_in_its_address_has_an_example() -> None:
    names = {rule.endpoint.removeprefix("pages.") for rule in page_rules() if rule.arguments}
    assert names <= set(EXAMPLES)


def test_no_example_is_of_a_page_that_is_gone() -> None:
    assert set(EXAMPLES) <= {rule.endpoint.removeprefix("pages.") for rule in page_rules()}
