"""What may be drawn: conditions, attributes of every type that JSON has, and whole rulesets."""

import json
from typing import Any

from hypothesis import strategies as st

from assignment import (
    BUCKETS,
    EXCLUDED,
    Condition,
    Holdout,
    Layer,
    Range,
    Rule,
    Ruleset,
    State,
    Variant,
)
from assignment.operators import LARGEST_NUMBER, LISTS, OPERATORS, WITHOUT_VALUE
from assignment.targeting import Either, Every, InSegment, Negation, Test

# Small pools, so that values and conditions meet often.
TEXTS = [
    *(
        "",
        "NO",
        "no",
        "NOR",
        "0",
        "1",
        "10",
        "9",
        "true",
        "null",
        "a.b",
        "a/b",
        "//",
        "\\/",
        "a+b*(c)",
        "[x]",
        "^$",
    ),
    *("é", "😀", "x😀y", "\ue000", "ab", "b", "ab\n", "ab\nab", "line\nab", "ab\n\n", " ", "#", "-", "\0"),
]
VERSIONS = [
    *(
        "1",
        "1.2",
        "1.2.3",
        "v1.2.3",
        "1.2.3-rc.1",
        "1.2.3-rc.2",
        "1.2.10",
        "1.10.3",
        "1.2.3+build.7",
        "2.0.0-beta",
    ),
    *("0", "01.2.3", "123456.0.0", "1.2.3.4", "1..2", "1.2.3-", "1+a+b"),
]
NOT_VERSIONS = ["", "v", "vv1.2.3", "beta", "1.2.3\n", "1.²", "1.٣", "1.2.é", " 1.2.3", "1 2", "1+\na"]
NUMBERS = [0, 1, -1, 2, 10, 0.5, 1.0, 1.5, -0.0, 1e-7, 18, 1e15, LARGEST_NUMBER, -LARGEST_NUMBER]
STRANGE_NUMBERS = [2**53, 2**53 + 1, 10**30, 10**400, -(10**400), 1e300, 5e-324]
NAMES = ["country", "age", "app.version", "a.b.c", "tags", "length", "tags.length", "tags.0", "0", "größe"]


def condition_texts() -> st.SearchStrategy[str]:
    return st.sampled_from(TEXTS) | st.text(max_size=4).filter(_whole_characters)


def scalars() -> st.SearchStrategy[Any]:
    return condition_texts() | st.sampled_from(NUMBERS) | st.booleans()


def json_values() -> st.SearchStrategy[Any]:
    """Draw whatever JSON can carry to a client or to the server."""
    leaves = (
        st.none()
        | scalars()
        | st.sampled_from([*STRANGE_NUMBERS, *VERSIONS, *NOT_VERSIONS])
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.integers()
    )
    keys = st.sampled_from(["version", "b", "c", "length", "0", "x"])
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    names = [name.partition(".")[0] for name in NAMES]
    versions = st.sampled_from(VERSIONS + NOT_VERSIONS) | json_values()
    return st.fixed_dictionaries(
        {},
        optional={**dict.fromkeys(names, json_values()), "app": st.fixed_dictionaries({"version": versions})},
    )


def anything() -> st.SearchStrategy[Any]:
    """Draw values of any type: JSON or not, hashable or not, with half surrogates and NaN."""
    odd: list[Any] = [
        float("nan"),
        float("inf"),
        "\ud800",
        b"x",
        (1,),
        {1},
        object(),
        complex(1, 2),
        range(3),
        Ellipsis,
    ]
    leaves = json_values() | st.sampled_from(odd) | st.text(st.characters(codec=None), max_size=3)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(leaves_keys(), inner)
    )


def leaves_keys() -> st.SearchStrategy[Any]:
    return st.sampled_from(["country", "b", "c", 1, None, (1, 2), "\ud800"])


@st.composite
def tests(draw: st.DrawFn) -> Test:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    name = draw(st.sampled_from(NAMES))
    if operator in WITHOUT_VALUE:
        return Test(name, operator)
    if operator in LISTS:
        return Test(name, operator, tuple(draw(st.lists(scalars(), min_size=1, max_size=4))))
    if operator.startswith("version"):
        return Test("app.version", operator, draw(st.sampled_from(VERSIONS)))
    if operator in ("starts_with", "ends_with", "contains"):
        part = condition_texts().filter(lambda text: text != "" and not text.endswith("\n"))
        return Test(name, operator, draw(part))
    if operator in ("gt", "ge", "lt", "le"):
        return Test(name, operator, draw(condition_texts() | st.sampled_from(NUMBERS)))
    return Test(name, operator, draw(scalars()))


def conditions(segments: tuple[str, ...] = ()) -> st.SearchStrategy[Condition]:
    leaves: st.SearchStrategy[Condition] = tests()
    if segments:
        leaves = leaves | st.sampled_from(segments).map(InSegment)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(tuple).map(Every)
            | st.lists(inner, min_size=1, max_size=3).map(tuple).map(Either)
            | inner.map(Negation)
        ),
        max_leaves=5,
    )


@st.composite
def rules(draw: st.DrawFn, key: str) -> Rule:
    names = draw(st.lists(st.text(min_size=1, max_size=5), min_size=2, max_size=4, unique=True))
    names = [name if name != EXCLUDED else "other" for name in names]
    weights = draw(st.lists(st.integers(0, 1_000), min_size=len(names), max_size=len(names)).filter(any))
    state = draw(st.sampled_from(State))
    layered = draw(st.booleans())
    edges = st.tuples(st.integers(0, BUCKETS), st.integers(0, BUCKETS)).map(sorted)
    return Rule(
        key=key,
        salt=draw(st.text("abc", min_size=1)),
        control=draw(st.sampled_from(names)),
        variants=tuple(
            Variant(name, weight, draw(json_values())) for name, weight in zip(names, weights, strict=True)
        ),
        phase=draw(st.integers(1, 9)),
        unit_type=draw(st.sampled_from(["user_id", "anonymous_id"])),
        state=state,
        shipped=draw(st.sampled_from(names)) if state is State.SHIPPED else None,
        traffic=draw(st.integers(0, 10_000)),
        targeting=draw(st.none() | conditions(("adults", "nordic"))),
        overrides=draw(st.dictionaries(st.text(min_size=1), st.sampled_from(names), max_size=2)),
        layer="pricing" if layered else None,
        slots=tuple(Range(start, end) for start, end in draw(st.lists(edges, max_size=2))) if layered else (),
        holdouts=("year",) if draw(st.booleans()) else (),
    )


@st.composite
def rulesets(draw: st.DrawFn) -> Ruleset:
    keys = draw(st.lists(st.text("abcde", min_size=1, max_size=3), max_size=3, unique=True))
    return Ruleset(
        version=draw(st.integers(0, 99)),
        rules={key: draw(rules(key)) for key in keys},
        layers={"pricing": Layer("pricing", "layer-1")},
        holdouts={"year": Holdout("year", "holdout-1", draw(st.integers(0, 10_000)))},
        segments={
            "adults": Test("age", "ge", 18),
            "nordic": Every((InSegment("adults"), draw(conditions()))),
        },
    )


def through_json(value: Any) -> Any:
    """Send a value through the wire."""
    return json.loads(json.dumps(value))


def _whole_characters(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
