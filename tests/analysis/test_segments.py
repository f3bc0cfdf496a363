"""Segments: one family of comparisons, and whether effects differ between the values of a segment."""

from typing import Any

import numpy as np
import pytest

from analysis import Correction, Estimate, Moments, Observation, PlannedMetric, Readout, Role, read
from analysis.explanations import Interaction
from analysis.observation import Cut, Lifetable, QuantileSample
from analysis.pooling import combine_estimates
from analysis.readout import Finding
from tests.analysis.observations import SALES, arm, observed, plan


def cut(value: str | None, new: float, old: float = 10.0, *, n: int = 2_000, segment: str = "channel") -> Cut:
    arms = {"old": arm(old, n=n), "new": arm(new, n=n)}
    return Cut(segment, value, {"old": n, "new": n}, {"sales": arms})


def readout_of(*cuts: Cut, segments: tuple[str, ...] = ("channel",), **changes: Any) -> Readout:
    asked = plan(segments=segments, **changes)
    return read(asked, observed(cuts=cuts, units={"old": 6_000, "new": 6_000}), version="test")


def in_segments(answer: Readout) -> tuple[Finding, ...]:
    return tuple(each for each in answer.comparisons if each.segment is not None)


def test_segments_are_named_by_their_value_and_unknown_values_by_none() -> None:
    answer = readout_of(cut("email", 10.0), cut(None, 10.0), cut("a=b", 10.0))
    assert [each.segment for each in in_segments(answer)] == ["channel=email", "channel=", "channel=a=b"]
    whole = answer.finding("sales", "new")
    assert whole is not None
    assert whole.segment is None
    assert len(answer.comparisons) == 4


def test_only_planned_segments_are_read() -> None:
    answer = readout_of(cut("email", 10.5), cut("no", 10.5, segment="newbie"), segments=("newbie",))
    assert [each.segment for each in in_segments(answer)] == ["newbie=no"]
    assert [each.segment for each in answer.mixes] == ["newbie"]
    assert in_segments(readout_of(cut("email", 10.5), segments=())) == ()


def test_all_values_are_one_family_corrected_by_false_discovery() -> None:
    moved = readout_of(cut("ads", 10.45), cut("email", 10.0), cut("search", 10.0))
    ads, email, search = in_segments(moved)
    assert ads.p_value is not None
    assert ads.p_value_adjusted == pytest.approx(3 * ads.p_value)
    for each in (ads, email, search):
        assert each.p_value_adjusted is not None
        assert each.difference is not None
        assert each.significant == (each.p_value_adjusted <= 0.05) == each.difference.excludes_zero
    alone = in_segments(readout_of(cut("ads", 10.45), correction=Correction.NONE))[0]
    assert alone.p_value_adjusted == alone.p_value


def test_a_value_that_cannot_be_estimated_says_why_and_takes_no_share() -> None:
    empty = Cut("channel", "tv", {"old": 0, "new": 0}, {"sales": {}})
    uncounted = Cut("channel", "radio", {"old": 9, "new": 9}, {})
    tv, ads = in_segments(readout_of(empty, uncounted, cut("ads", 10.45)))
    assert (tv.segment, tv.not_estimable) == ("channel=tv", "no_units")
    assert ads.p_value_adjusted == ads.p_value


def test_effects_that_differ_are_found_by_cochrans_q() -> None:
    cuts = (cut("ads", 11.0), cut("email", 10.0), cut("search", 9.5))
    (told,) = readout_of(*cuts).interactions
    effects = []
    for each in cuts:
        new, old = (each.moments["sales"][name] for name in ("new", "old"))
        error = float(np.sqrt(new.variance / new.n + old.variance / old.n))
        effects.append(Estimate(new.value - old.value, error, new.n + old.n, 1e9, "mean"))
    test = combine_estimates(effects)
    assert (told.metric, told.segment, told.variant, told.differs) == ("sales", "channel", "new", True)
    assert told.statistic == pytest.approx(test.q)  # type: ignore[union-attr]  # three estimates
    assert told.p_value == pytest.approx(test.p_value)  # type: ignore[union-attr]  # three estimates
    assert told.df == 2


def test_equal_effects_do_not_differ_and_interactions_share_one_error_rate() -> None:
    calm = (cut("ads", 10.4), cut("email", 10.4))
    mild = (cut("yes", 10.45, segment="newbie"), cut("no", 10.0, segment="newbie"))
    channel, newbie = readout_of(*calm, *mild, segments=("channel", "newbie")).interactions
    assert not channel.differs
    assert channel.p_value == pytest.approx(1.0)
    assert newbie.p_value is not None
    assert newbie.p_value_adjusted == pytest.approx(2 * newbie.p_value)


@pytest.mark.parametrize(
    ("cuts", "cause"),
    [
        ((cut("ads", 11.0),), "too_few_units"),
        ((cut("ads", 11.0), cut("email", 9.0, n=29)), "too_few_units"),
        ((Cut("channel", "tv", {}, {"sales": {}}), cut("ads", 11.0)), "too_few_units"),
        (
            (
                cut("ads", 11.0),
                Cut("channel", "tv", {}, {"sales": dict.fromkeys(("old", "new"), arm(1, var=0))}),
            ),
            "too_few_units",
        ),
    ],
)
def test_with_one_value_left_nothing_can_differ(cuts: tuple[Cut, ...], cause: str) -> None:
    (told,) = readout_of(*cuts).interactions
    assert told == Interaction("sales", "channel", "new", differs=False, not_estimable=cause)


def test_effects_are_drawn_together_before_they_are_ranked() -> None:
    ads, email, search = in_segments(readout_of(cut("ads", 10.5), cut("email", 10.2), cut("search", 10.0)))
    for each in (ads, email, search):
        assert each.shrunken is not None
        assert each.difference is not None
    first, last = ads.shrunken or 0.0, search.shrunken or 0.0
    assert 0.0 < last <= first < 0.5
    assert in_segments(readout_of(cut("ads", 10.5)))[0].shrunken is None
    whole = readout_of(cut("ads", 10.5)).finding("sales", "new")
    assert whole is not None
    assert whole.shrunken is None


@pytest.mark.parametrize("inference", ["sequential", "group_sequential"])
def test_a_planned_size_is_shared_out_among_the_values(inference: str) -> None:
    whole = {"sales": {"old": arm(10.0, n=4_000), "new": arm(10.4, n=4_000)}}
    half = cut("ads", 10.4)
    seen = observed(whole, units={"old": 4_000, "new": 4_000}, cuts=(half,))
    asked = plan(segments=("channel",), inference=inference, size=16_000)
    everybody, ads = read(asked, seen, version="test").comparisons
    assert everybody.difference is not None
    assert ads.difference is not None
    width = (everybody.difference.high - everybody.difference.estimate) / (everybody.standard_error or 1)
    assert (ads.difference.high - ads.difference.estimate) / (ads.standard_error or 1) == pytest.approx(width)


def test_segments_decide_nothing() -> None:
    harmed = readout_of(cut("ads", 5.0), cut("email", 15.0))
    assert {each.reading.value for each in in_segments(harmed)} == {"worse", "better"}
    assert harmed.verdict.recommendation == "stop"


def test_few_events_are_told_where_they_are_fewest() -> None:
    arms = {name: Moments.from_counts(successes=9, n=400) for name in ("old", "new")}
    seen = observed(
        {"sales": arms},
        cuts=(Cut("channel", "ads", {}, {"sales": arms}), Cut("channel", "tv", {}, {"sales": {}})),
    )
    asked = plan(PlannedMetric("sales", Role.PRIMARY, kind="proportion"), segments=("channel",))
    ads, tv = in_segments(read(asked, seen, version="test"))
    assert [str(flag.kind) for flag in ads.flags] == ["few_events"]
    assert tv.flags == ()


@pytest.mark.parametrize("kind", ["quantile", "time_to_event"])
def test_what_is_not_counted_in_moments_is_not_read_in_segments(kind: str) -> None:
    asked = plan(PlannedMetric("sales", Role.PRIMARY, kind=kind, quantile=0.5), segments=("channel",))
    answer = read(asked, observed(cuts=(cut("ads", 11.0), cut("mail", 9.0))), version="test")
    assert in_segments(answer) == ()
    assert answer.interactions == ()


def test_ratios_and_shares_are_read_in_segments_too() -> None:
    rng = np.random.default_rng(1)
    views = 1.0 + rng.poisson(4, (400, 1))
    table = {
        name: Moments.from_values(np.hstack([views * up + rng.normal(size=(400, 1)), views]))
        for name, up in (("old", 1.0), ("new", 1.4))
    }
    seen: Observation = observed(
        {"sales": table}, cuts=(Cut("channel", "ads", {"old": 400, "new": 400}, {"sales": table}),)
    )
    asked = plan(PlannedMetric("sales", Role.PRIMARY, kind="ratio"), segments=("channel",))
    everybody, ads = read(asked, seen, version="test").comparisons
    assert (ads.method, ads.difference) == ("ratio", everybody.difference)


def test_a_metric_named_twice_in_segments_keeps_to_its_treatment() -> None:
    arms = {name: arm(mean, n=2_000) for name, mean in (("old", 10.0), ("a", 10.1), ("b", 12.0))}
    cuts = tuple(Cut("channel", value, {}, {"sales": arms}) for value in ("ads", "email"))
    asked = plan(SALES, weights=dict.fromkeys(arms, 1.0), segments=("channel",))
    answer = read(asked, observed({"sales": arms}, cuts=cuts), version="test")
    assert [(each.variant, each.segment) for each in in_segments(answer)] == [
        ("a", "channel=ads"),
        ("b", "channel=ads"),
        ("a", "channel=email"),
        ("b", "channel=email"),
    ]
    assert [each.variant for each in answer.interactions] == ["a", "b"]


def test_quantiles_and_times_to_an_event_are_read_in_segments_too() -> None:
    slow = PlannedMetric("slow", Role.SECONDARY, kind="quantile", quantile=0.5)
    first = PlannedMetric("first", Role.SECONDARY, kind="time_to_event", horizon=100)
    values = np.arange(400.0)
    samples = {
        "old": QuantileSample(400, 199.5, 180.0, 219.0, below(values, 199.5)),
        "new": QuantileSample(400, 299.5, 280.0, 319.0, below(values, 199.5)),
    }
    tables = {
        "old": Lifetable((10.0, 100.0), (60, 0), (0, 340)),
        "new": Lifetable((10.0, 100.0), (160, 0), (0, 240)),
    }
    cut = Cut("channel", "ads", {"old": 400, "new": 400}, {}, {"slow": samples}, {"first": tables})
    seen = observed({}, cuts=(cut,), units={"old": 400, "new": 400})
    answer = read(plan(slow, first, segments=("channel",)), seen, version="test")
    found = {each.metric: each for each in in_segments(answer)}
    assert found["slow"].segment == "channel=ads"
    assert found["slow"].difference is not None
    assert found["slow"].difference.estimate == pytest.approx(100)
    assert found["first"].difference is not None
    assert found["first"].difference.estimate == pytest.approx(-0.25 * 90)
    assert Observation.from_json(seen.to_json()) == seen


def below(values: Any, level: float) -> Moments:
    """Of one value a unit: whether it lies below, and that there is one."""
    return Moments.from_values(np.column_stack([values <= level, np.ones(len(values))]))


def test_an_observation_from_before_segments_had_samples_is_read_as_it_was() -> None:
    seen = observed(cuts=(cut("email", 10.0),))
    document = seen.to_json()
    for each in document["cuts"]:
        del each["quantiles"], each["lifetables"]
    assert Observation.from_json(document) == seen
