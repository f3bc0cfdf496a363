import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.definition import (
    Definitions,
    ExperimentDraft,
    parse_definitions,
    parse_experiment,
    parse_metric,
    restore_experiment,
    store_form,
)
from experiments.errors import InvalidInput
from experiments.fields import length_of
from experiments.metrics import MetricDraft
from tests.samples import experiment, metric


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_experiment(document)
    return str(caught.value)


def refusal_of_file(text: bytes, form: Literal["json", "toml"]) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_definitions(text, form=form)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"key": "no spaces"}, "key"),
        ({"key": ""}, "key"),
        ({"key": "-begins-with-a-dash"}, "key"),
        ({"key": "x" * 129}, "key"),
        ({"key": "line\n"}, "key"),
        ({"name": "x" * 201}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"description": "x" * 2_001}, "description"),
        ({"owner": "nul\0"}, "owner"),
        ({"tags": ["ok", "nul\0"]}, "tags.1"),
        ({"hypothesis": {"change": "nul\0"}}, "hypothesis.change"),
        ({"hypothesis": {"colour": "red"}}, "hypothesis.colour"),
        ({"assignment": "elsewhere"}, "assignment"),
        ({"unit": "session"}, "unit"),
        ({"variants": [{"key": "old"}]}, "variants"),
        ({"variants": [{"key": "old"}, {"key": "excluded"}]}, "variants.1.key"),
        ({"variants": [{"key": "old"}, {"key": "new", "weight": -1}]}, "variants.1.weight"),
        ({"variants": [{"key": "old"}, {"key": "new", "weight": 0.5}]}, "variants.1.weight"),
        ({"variants": [{"key": "old"}, {"key": "new", "weight": "1"}]}, "variants.1.weight"),
        ({"variants": [{"key": "old"}, {"key": "old"}]}, "variants"),
        ({"variants": [{"key": "old", "weight": 0}, {"key": "new"}]}, "variants"),
        ({"control": "third"}, "control"),
        ({"traffic": 10_001}, "traffic"),
        ({"traffic": 0.5}, "traffic"),
        ({"targeting": {"attribute": "a", "operator": "like", "value": 1}}, "targeting"),
        ({"targeting": {}}, "targeting"),
        ({"overrides": {"u1": "third"}}, "overrides"),
        ({"overrides": {"nul\0": "new"}}, "overrides"),
        ({"overrides": {"": "new"}}, "overrides"),
        ({"overrides": {"x" * 513: "new"}}, "overrides"),
        ({"layer": "one"}, "layer"),
        ({"status": "concluded"}, "status"),
        ({"starts": "yesterday"}, "starts"),
        ({"starts": 1_204_588_800}, "starts"),
        ({"starts": "0001-01-01T00:00:00+14:00"}, "starts"),
        ({"starts": "2026-01-02", "ends": "2026-01-02"}, "ends"),
        ({"metrics": {"primary": []}}, "metrics.primary"),
        ({"metrics": {"primary": ["a"], "secondary": ["a"]}}, "metrics"),
        (
            {"metrics": {"primary": ["a"], "guardrails": [{"metric": "b", "margin": 0}]}},
            "metrics.guardrails.0",
        ),
        ({"plan": {"confidence": 1}}, "plan.confidence"),
        ({"plan": {"inference": "guess"}}, "plan.inference"),
        ({"plan": {"inference": "sequential"}}, "plan"),
        ({"plan": {"size": 1}}, "plan.size"),
        ({"plan": {"days": 0}}, "plan.days"),
        ({"plan": {"mde": float("nan")}}, "plan.mde"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_each_mistake_names_its_place(changes: dict[str, Any], place: str) -> None:
    assert place in refusal(experiment(**changes))


def test_all_mistakes_are_named_at_once() -> None:
    said = refusal(experiment(name="nul\0", traffic=-1, colour="red"))
    assert all(place in said for place in ("name", "traffic", "colour"))


@pytest.mark.parametrize("field", ["key", "variants", "control", "metrics"])
def test_what_is_missing_is_named(field: str) -> None:
    document = experiment()
    del document[field]
    assert refusal(document).startswith(field)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        "nul\0",
        {"nul\0": 1},
        2**53 + 1,
        [[["\ud800"]]],
        "a" * 70_000,
    ],
    ids=["nan", "inf", "nul", "nul in a name", "beyond 2^53", "surrogate", "too large"],
)
def test_a_value_that_no_client_could_read_back_is_refused(value: Any) -> None:
    said = refusal(experiment(variants=[{"key": "old"}, {"key": "new", "value": value}]))
    assert "variants.1.value" in said


def test_a_target_that_cannot_be_stored_is_refused() -> None:
    condition = {"attribute": "country", "operator": "eq", "value": "nul\0"}
    assert "targeting" in refusal(experiment(targeting=condition))


def test_a_duration_is_hours_days_or_weeks() -> None:
    assert [length_of(text) for text in ("36h", "14d", "2w")] == [
        timedelta(hours=36),
        timedelta(days=14),
        timedelta(weeks=2),
    ]
    with pytest.raises(ValueError, match="14d"):
        length_of("a fortnight")


JSON_FILE = b"""{
 "metrics": [{"key": "visit", "name": "Visited", "kind": "proportion", "event": "visit", "window": "14d"},
             {"key": "spend", "kind": "mean", "event": "purchase", "cap": {"quantile": 0.999}}],
 "experiments": [{
   "key": "email_2008", "assignment": "external", "control": "none", "status": "running",
   "variants": [{"key": "none"}, {"key": "mail", "weight": 2, "value": {"banner": "m", "sizes": [1, 2.5]}}],
   "targeting": {"all": [{"attribute": "country", "operator": "in", "value": ["NO", "SE"]}]},
   "starts": "2008-03-04T00:00:00Z", "ends": "2008-03-18",
   "metrics": {"primary": ["visit"], "secondary": ["spend"]},
   "plan": {"inference": "fixed", "days": 14}}]}"""

TOML_FILE = b"""
[[metrics]]
key = "visit"
name = "Visited"
kind = "proportion"
event = "visit"
window = "14d"

[[metrics]]
key = "spend"
kind = "mean"
event = "purchase"
cap = { quantile = 0.999 }

[[experiments]]
key = "email_2008"
assignment = "external"
control = "none"
status = "running"
variants = [{ key = "none" }, { key = "mail", weight = 2, value = { banner = "m", sizes = [1, 2.5] } }]
targeting = { all = [{ attribute = "country", operator = "in", value = ["NO", "SE"] }] }
starts = 2008-03-04T00:00:00Z
ends = 2008-03-18
metrics = { primary = ["visit"], secondary = ["spend"] }
plan = { inference = "fixed", days = 14 }
"""


def test_toml_and_json_say_the_same() -> None:
    from_json = parse_definitions(JSON_FILE, form="json")
    assert parse_definitions(TOML_FILE, form="toml") == from_json
    assert from_json.experiments[0].ends == datetime(2008, 3, 18, tzinfo=UTC)


def test_a_file_names_the_item_that_is_wrong() -> None:
    broken = JSON_FILE.replace(b'"weight": 2', b'"weight": "two"')
    assert "experiments.0.variants.1.weight" in refusal_of_file(broken, "json")


def test_a_key_may_be_defined_once_in_a_file() -> None:
    twice = json.dumps({"metrics": [metric(), metric()]}).encode()
    assert "'purchase' is defined twice" in refusal_of_file(twice, "json")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"", "json"),
        (b"[]", "json"),
        (b"{", "json"),
        (b'{"metrics": NaN}', "json"),
        (b"\xff\xfe{}", "json"),
        (b"[" * 100_000, "json"),
        (b'{"a":' * 100_000, "json"),
        (b"metrics = 9" + b"9" * 5_000, "toml"),
        (b"metrics = " + b"[" * 100_000, "toml"),
        (b"metrics = [", "toml"),
        (b"\xff", "toml"),
        (b"a = 2021-02-30", "toml"),
    ],
)
def test_no_text_breaks_the_parser(text: bytes, form: Literal["json", "toml"]) -> None:
    assert refusal_of_file(text, form)


def test_an_empty_toml_file_defines_nothing() -> None:
    assert parse_definitions(b"", form="toml") == Definitions()


@pytest.mark.parametrize(
    "text", ["2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01"]
)
def test_equal_moments_are_stored_as_equal_texts(text: str) -> None:
    assert '"starts":"2026-01-01T00:00:00Z"' in store_form(parse_experiment(experiment(starts=text)))


def test_a_plan_with_a_size_is_sequential_and_one_without_is_always_valid() -> None:
    assert parse_experiment(experiment(plan={"size": 1_000})).plan.chosen_inference == "sequential"
    assert parse_experiment(experiment()).plan.chosen_inference == "always_valid"
    assert parse_experiment(experiment(plan={"inference": "fixed"})).plan.chosen_inference == "fixed"


def test_a_thing_without_a_name_is_called_by_its_key() -> None:
    assert parse_experiment(experiment()).title == "checkout"
    assert parse_metric(metric(name="Bought")).title == "Bought"


# Drafts of every shape, to show that what is stored is what was written.

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
keys = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z").filter(lambda key: key != "excluded")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@st.composite
def drafts(draw: st.DrawFn) -> ExperimentDraft:
    names = draw(st.lists(keys, min_size=2, max_size=4, unique=True))
    metrics = draw(st.lists(keys, min_size=1, max_size=4, unique=True))
    starts = draw(st.none() | moments)
    return parse_experiment(
        {
            "key": draw(keys),
            "name": draw(texts),
            "description": draw(texts),
            "tags": draw(st.lists(texts, max_size=2)),
            "hypothesis": {"change": draw(texts), "because": draw(texts)},
            "variants": [
                {"key": name, "weight": draw(st.integers(1, 10_000)), "value": draw(json_values)}
                for name in names
            ],
            "control": names[0],
            "traffic": draw(st.integers(0, 10_000)),
            "targeting": draw(
                st.none()
                | st.fixed_dictionaries(
                    {
                        "attribute": st.sampled_from(["country", "company.size"]),
                        "operator": st.just("eq"),
                        "value": texts,
                    }
                )
            ),
            "overrides": draw(st.dictionaries(texts.filter(bool), st.sampled_from(names), max_size=2)),
            "starts": starts,
            "ends": starts and starts + draw(st.timedeltas(timedelta(seconds=1), timedelta(days=90))),
            "metrics": {
                "primary": metrics[:1],
                "secondary": metrics[2:],
                "guardrails": [
                    {"metric": each, "margin": draw(st.floats(0, 9.9, exclude_min=True))}
                    for each in metrics[1:2]
                ],
            },
            "plan": {"size": draw(st.none() | st.integers(2, 10**9)), "mde": draw(st.none() | st.just(0.05))},
        }
    )


@given(drafts())
def test_a_draft_survives_being_stored(draft: ExperimentDraft) -> None:
    stored = store_form(draft)
    restored = restore_experiment(stored)
    assert restored == draft
    assert store_form(restored) == stored


@given(keys, texts.filter(lambda text: text.strip()), st.sampled_from(["36h", "14d", None]))
def test_a_metric_survives_being_stored(key: str, event: str, window: str | None) -> None:
    draft = parse_metric(
        {"key": key, "kind": "mean", "event": event, "window": window, "cap": {"quantile": 0.99}}
    )
    assert MetricDraft.model_validate_json(store_form(draft)) == draft


@pytest.mark.parametrize(
    ("plan", "place"),
    [
        ({"cuped": {"days": 0}}, "days"),
        ({"cuped": 1}, "cuped"),
        ({"cuped": {"metrics": ["no key"]}}, "metrics"),
        ({"bots": {}}, "bots"),
        ({"bots": {"events_per_day": 0}}, "events_per_day"),
        ({"bots": {"where": {"attribute": "v", "operator": "version_lt", "value": "2.0"}}}, "where"),
        ({"session_gap": 0}, "session_gap"),
    ],
)
def test_each_mistake_in_a_plan_names_its_place(plan: dict[str, Any], place: str) -> None:
    assert place in refusal(experiment(plan=plan))


def test_a_plan_adjusts_for_two_weeks_unless_it_says_otherwise() -> None:
    def covariates(cuped: Any) -> Any:
        return parse_experiment(experiment(plan={"cuped": cuped})).plan.covariates

    assert covariates(False) is None
    assert (covariates(True).days, covariates({"days": 28, "metrics": ["spend"]}).days) == (14, 28)
