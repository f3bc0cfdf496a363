"""What is stored comes back: observations bit for bit, readouts with null for what has no end."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import Interval, Moments, Observation, PlannedMetric, Readout, Role, Shape, read
from analysis.observation import Age, Credit, Cut, Lifetable, Quality, QuantileSample, Stage
from analysis.readout import DataCheck, Ground
from tests.analysis.observations import NOON, against, arm, observed, plan


def through(document: dict[str, Any]) -> Any:
    """As a database keeps it: strict JSON, without NaN and infinities."""
    return json.loads(json.dumps(document, allow_nan=False))


numbers = st.floats(-1e12, 1e12)
moments = st.builds(
    lambda n, mean, var: Moments.from_summary(n=n, mean=mean, var=var),
    st.integers(0, 10**12),
    numbers,
    st.floats(0, 1e12),
)


@given(st.lists(moments, min_size=2, max_size=4))
def test_an_observation_lasts_through_json_bit_for_bit(arms: list[Moments]) -> None:
    written = observed(
        {"sales": {"old": arms[0], "new": arms[1]}},
        daily={"sales": {"old": arms, "new": arms[:1]}},
        arrivals={date(2026, 3, 1): {"old": 3}},
        immature={"sales": 4},
        shapes={"sales": Shape(7, 1.5, 0.01)},
    )
    again = Observation.from_json(through(written.to_json()))
    assert again.to_json() == written.to_json()
    assert (again.as_of, again.data_through, again.arrivals) == (NOON, NOON, written.arrivals)
    assert again.daily["sales"]["old"][0].day == date(2026, 3, 1)
    assert again.shapes == written.shapes


def test_an_observation_from_before_shapes_were_counted_is_still_read() -> None:
    document = through(observed().to_json())
    del document["shapes"]
    assert Observation.from_json(document).shapes == {}


def test_everything_that_can_be_counted_lasts() -> None:
    sample = QuantileSample(9, 1.5, 1.0, 2.0, Moments.from_values([[1.0, 2.0], [2.0, 3.0]]))
    table = Lifetable((5, 9), (1, 0), (0, 3))
    written = observed(
        cuts=(Cut("channel", None, {"old": 2}, {"sales": {"old": arm(1.0)}}),),
        stages=(Stage("recorded", {"old": 3}),),
        quantiles={"speed": {"old": sample}},
        lifetables={"leave": {"old": table}},
        ages={"sales": {"old": (Age(1, arm(2.0), 4),)}},
        credits=(Credit("first", "ads", "old", 1.5, 2.5),),
        quality=Quality(1, 2, 3, 4, 5, {"sales": 6}),
        uncapped={"sales": {"old": arm(7.0)}},
    )
    again = Observation.from_json(through(written.to_json()))
    assert again.to_json() == written.to_json()
    assert (again.cuts, again.quantiles, again.lifetables) == (
        written.cuts,
        written.quantiles,
        written.lifetables,
    )
    assert (again.ages, again.quality, again.uncapped) == (written.ages, written.quality, written.uncapped)


def test_an_observation_of_nothing_lasts_too() -> None:
    empty = observed({}, data_through=None)
    again = Observation.from_json(through(empty.to_json()))
    assert (again.data_through, again.moments, again.daily) == (None, {}, {})


RICH = plan(
    PlannedMetric("sales", Role.PRIMARY),
    PlannedMetric("latency", Role.GUARDRAIL, margin=0.1),
    PlannedMetric("silence", Role.SECONDARY),
    starts=NOON,
)


def rich_readout() -> Readout:
    return read(
        RICH,
        observed(
            {
                "sales": {"old": arm(10.0), "new": arm(20.0)},
                "latency": {"old": arm(0.02), "new": arm(0.01)},
            },
            daily={"sales": {"old": [arm(10.0, n=3)], "new": [arm(11.0)]}},
            arrivals={date(2026, 3, 1): {"old": 3, "new": 5}},
            immature={"sales": 2},
        ),
        version="1.0",
    )


def test_a_readout_lasts_through_json() -> None:
    written = rich_readout()
    document = through(written.to_json())
    assert Readout.from_json(document) == written
    assert Readout.from_json(document).to_json() == document
    assert any(finding.flags for finding in written.comparisons)
    assert any(finding.not_estimable for finding in written.comparisons)


@pytest.mark.parametrize("through_what", [None, NOON])
def test_the_newest_record_may_be_unknown(through_what: object) -> None:
    written = read(RICH, observed(data_through=through_what), version="1.0")
    assert Readout.from_json(through(written.to_json())).data_through == through_what


def test_what_has_no_end_is_null_and_comes_back_without_end() -> None:
    written = rich_readout()
    unlimited = written.finding("latency", "new")
    assert unlimited is not None
    assert unlimited.lift == Interval(-0.5, -math.inf, math.inf)
    document = through(written.to_json())
    told = next(each for each in document["comparisons"] if each["metric"] == "latency")
    assert told["lift"] == {"estimate": -0.5, "low": None, "high": None}
    again = Readout.from_json(document).finding("latency", "new")
    assert again is not None
    assert again.lift == unlimited.lift


def test_numbers_without_meaning_are_null() -> None:
    from dataclasses import replace

    written = replace(rich_readout(), checks=(DataCheck("srm", False, math.inf, math.nan, {"a": math.inf}),))
    (check,) = through(written.to_json())["checks"]
    assert (check["p_value"], check["statistic"], check["observed"]) == (None, None, {"a": None})


@pytest.mark.parametrize(
    ("ground", "text"),
    [
        (Ground("your_call"), "your_call"),
        (Ground("metrics_failed"), "metrics_failed"),
        (Ground("goal_better", "sales", "new"), "goal_better:sales:new"),
    ],
)
def test_a_ground_is_one_word_for_programs(ground: Ground, text: str) -> None:
    assert str(ground) == text


def test_the_same_input_gives_the_same_bytes() -> None:
    assert json.dumps(rich_readout().to_json()) == json.dumps(rich_readout().to_json())
    assert against(arm(1.0), arm(2.0)).to_json() == against(arm(1.0), arm(2.0)).to_json()


BEFORE = json.loads((Path(__file__).parent / "stored_before.json").read_text(encoding="utf-8"))
"""A readout and its observation, stored before there were segments, funnels and days since exposure."""


def test_a_readout_stored_before_is_still_read() -> None:
    old = Readout.from_json(BEFORE["readout"])
    told = through(old.to_json())
    assert told | BEFORE["readout"] == {
        **told,
        **{name: BEFORE["readout"][name] for name in ("plan", "checks", "comparisons")},
    }
    assert (old.verdict.recommendation, old.failed, old.advice) == ("keep_running", (), ())
    assert (old.stages, old.funnels, old.alternatives) == ((), (), ())


def test_an_observation_stored_before_is_read_to_the_same_numbers() -> None:
    old = Readout.from_json(BEFORE["readout"])
    seen = Observation.from_json(BEFORE["observation"])
    again = read(old.plan, seen, version=old.version)
    known = {name for comparison in BEFORE["readout"]["comparisons"] for name in comparison}
    for one, other in zip(
        through(again.to_json())["comparisons"], BEFORE["readout"]["comparisons"], strict=True
    ):
        assert {name: one[name] for name in known} == other
    assert again.verdict == old.verdict
    assert again.series == old.series


def test_what_was_read_is_read_again_to_the_same_bytes() -> None:
    seen = observed(arrivals={date(2026, 3, 1): {"old": 3, "new": 5}})
    first = read(RICH, seen, version="1.0").to_json()
    stored = Readout.from_json(through(first))
    again = read(stored.plan, Observation.from_json(through(seen.to_json())), version=stored.version)
    assert json.dumps(again.to_json(), allow_nan=False) == json.dumps(first, allow_nan=False)
