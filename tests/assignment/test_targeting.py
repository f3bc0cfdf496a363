from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment import Condition, condition_from_json, condition_to_json, matches
from assignment.operators import OPERATORS
from assignment.targeting import Test
from tests.assignment import strategies

MEANINGS: list[tuple[str, Any, Any, bool]] = [
    # operator, value, what the attribute is, answer
    ("eq", "NO", "NO", True),
    ("eq", "NO", "no", False),
    ("eq", 1, 1.0, True),
    ("eq", 1, True, False),
    ("eq", True, 1, False),
    ("eq", "1", 1, False),
    ("eq", "NO", ["NO"], False),
    ("eq", "NO", None, False),
    ("ne", "NO", "SE", True),
    ("ne", "NO", None, True),
    ("ne", 0, False, True),
    ("in", ("NO", "SE"), "SE", True),
    ("in", ("NO", "SE"), ["DK", "SE"], True),
    ("in", ("NO", "SE"), [["SE"]], False),
    ("in", (0,), False, False),
    ("in", ("NO",), {"NO": 1}, False),
    ("not_in", ("NO",), None, True),
    ("not_in", ("NO",), ["NO", "DK"], False),
    ("gt", 18, 19, True),
    ("gt", 18, 18, False),
    ("gt", 18, "19", False),
    ("gt", 0, True, False),
    ("lt", 18, None, False),
    ("lt", 18, [5], False),
    ("lt", 18, float("nan"), False),
    ("ge", 18, float("nan"), False),
    ("gt", 18, 10**400, True),
    ("le", "b", "a", True),
    ("gt", "\ue000", "😀", False),  # as in browsers: astral characters sort below U+E000
    ("exists", None, 0, True),
    ("exists", None, None, False),
    ("not_exists", None, None, True),
    ("not_exists", None, "", False),
    ("starts_with", "a.b", "a.b.c", True),
    ("starts_with", "a.b", "axb", False),
    ("starts_with", "1", 10, False),
    ("ends_with", ".com", "a@b.com", True),
    ("ends_with", ".com", "a@b.com\n", False),
    ("contains", "null", None, False),
    ("contains", "x", ["x"], False),
    ("version_gt", "1.2.9", "1.2.10", True),
    ("version_gt", "1.2.3-rc.1", "1.2.3", True),
    ("version_lt", "1.2.3", "1.2.3-rc.1", True),
    ("version_ge", "v1.2.3", "1.2.3+build.5", True),
    ("version_le", "2.0.0", "unknown", False),
    ("version_gt", "2.0.0", "unknown", False),
    ("version_lt", "2.0.0", 1.5, False),
    ("version_lt", "2.0.0", None, False),
]


@pytest.mark.parametrize(("operator", "value", "given_value", "expected"), MEANINGS)
def test_an_operator_means_what_the_table_says(
    operator: str, value: Any, given_value: Any, expected: bool
) -> None:
    assert matches(Test("x", operator, value), {"x": given_value}) is expected


def test_the_table_covers_every_operator() -> None:
    assert {operator for operator, *_ in MEANINGS} == set(OPERATORS)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"company": {"size": 5}}, True),
        ({"company.size": 5}, False),
        ({"company": [5]}, False),
        ({"company": "size"}, False),
        ({"company": None}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_dotted_name_leads_through_objects_and_nothing_else(attributes: Any, expected: bool) -> None:
    assert matches(Test("company.size", "exists"), attributes) is expected


@pytest.mark.parametrize("name", ["length", "0"])
def test_a_path_does_not_look_into_lists(name: str) -> None:
    assert not matches(Test(f"tags.{name}", "exists"), {"tags": ["a", "b"]})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(strategies.conditions(), strategies.anything())
def test_no_attributes_of_any_type_make_a_condition_raise(condition: Condition, attributes: Any) -> None:
    assert matches(condition, attributes) in (True, False)
    assert matches(condition, {"country": attributes, "a": {"b": attributes}}) in (True, False)


@given(strategies.conditions(("adults",)))
def test_a_condition_survives_the_wire(condition: Condition) -> None:
    assert condition_from_json(strategies.through_json(condition_to_json(condition))) == condition


@given(st.recursive(strategies.json_values(), lambda inner: st.fixed_dictionaries({"not": inner})))
def test_a_document_that_is_no_condition_is_refused_by_name(document: Any) -> None:
    with pytest.raises(ValueError, match=r"^targeting"):
        condition_from_json(document)


def test_the_order_of_a_list_survives_the_wire() -> None:
    document = {"attribute": "country", "operator": "in", "value": ["SE", "NO", "DK"]}
    assert condition_to_json(condition_from_json(document)) == document


REFUSED: list[tuple[Any, str]] = [
    (None, r"^targeting: expected an object"),
    ({}, r"targeting\.attribute: expected the name"),
    ({"all": []}, r"targeting\.all: expected a list"),
    ({"all": {}, "any": []}, r"targeting\.all: unknown"),
    ({"any": [{"attribute": "x", "operator": "exists"}, 3]}, r"targeting\.any\.1: expected an object"),
    ({"segment": 3}, r"targeting\.segment: expected the key"),
    ({"attribute": "x", "operator": "regex", "value": "a"}, r"targeting\.operator: expected one of eq ne"),
    ({"attribute": "x", "operator": ["eq"], "value": "a"}, r"targeting\.operator: expected one of"),
    ({"attribute": "x", "operator": "exists", "value": 1}, r"targeting\.value: this operator takes none"),
    ({"attribute": "x", "operator": "eq", "value": None}, r"targeting\.value: expected a text, a number"),
    ({"attribute": "x", "operator": "eq", "value": [1]}, r"targeting\.value: expected a text, a number"),
    ({"attribute": "x", "operator": "eq", "value": 2**53}, r"every client is exact"),
    ({"attribute": "x", "operator": "eq", "value": 10**400}, r"every client is exact"),
    ({"attribute": "x", "operator": "lt", "value": float("nan")}, r"every client is exact"),
    ({"attribute": "x", "operator": "lt", "value": float("inf")}, r"every client is exact"),
    ({"attribute": "x", "operator": "lt", "value": True}, r"have no order"),
    ({"attribute": "x", "operator": "in", "value": "NO"}, r"expected a list"),
    ({"attribute": "x", "operator": "in", "value": []}, r"expected a list"),
    ({"attribute": "x", "operator": "in", "value": [None]}, r"expected a text, a number"),
    ({"attribute": "x", "operator": "eq", "value": "\ud83d"}, r"half of a surrogate pair"),
    ({"attribute": "x", "operator": "contains", "value": ""}, r"not empty"),
    ({"attribute": "x", "operator": "contains", "value": 1}, r"expected a text"),
    ({"attribute": "x", "operator": "ends_with", "value": "a\n"}, r"line break"),
    ({"attribute": "x", "operator": "version_gt", "value": "beta"}, r"expected a version"),
    ({"attribute": "x", "operator": "version_gt", "value": "1.²"}, r"expected a version"),
    ({"attribute": "", "operator": "exists"}, r"targeting\.attribute: expected the name"),
    ({"attribute": "a..b", "operator": "exists"}, r"targeting\.attribute: expected the name"),
    ({"attribute": "$or", "operator": "exists"}, r"targeting\.attribute: expected the name"),
    ({"attribute": "id", "operator": "eq", "value": "u"}, r"is the unit itself"),
    ({"attribute": "a.constructor", "operator": "exists"}, r"another meaning in browsers"),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_what_clients_could_read_differently_is_refused(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        condition_from_json(document)


def test_conditions_that_nest_too_deeply_are_refused() -> None:
    document: dict[str, Any] = {"attribute": "x", "operator": "exists"}
    for _ in range(100_000):
        document = {"not": document}
    with pytest.raises(ValueError, match="nested more than 8 deep"):
        condition_from_json(document)
