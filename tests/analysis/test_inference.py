import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import AlwaysValid, Bayesian, FixedHorizon, GroupSequential, Inference, InvalidInput, Sequential
from analysis.normal_mixture import best_rho_squared, mixture_boundary

ALL: list[Inference] = [
    FixedHorizon(),
    Sequential(500),
    AlwaysValid(500),
    GroupSequential(500),
    Bayesian(),
]


@pytest.mark.parametrize("inference", ALL, ids=lambda each: each.name)
@pytest.mark.parametrize("n", [50, 250, 500, 800])
def test_the_p_value_at_the_boundary_is_the_level(inference: Inference, n: int) -> None:
    z = inference.multiplier(df=40.0, n=n)
    assert inference.p_value(z, df=40.0, n=n) == pytest.approx(0.05, rel=1e-6)
    one = inference.one_sided_multiplier(df=40.0, n=n)
    assert inference.one_sided_p(one, df=40.0, n=n) == pytest.approx(0.05, rel=1e-6)
    assert one < z


@pytest.mark.parametrize("inference", ALL, ids=lambda each: each.name)
def test_more_confidence_is_wider(inference: Inference) -> None:
    wider = inference.at_confidence(0.99)
    assert wider.multiplier(df=40.0, n=300) > inference.multiplier(df=40.0, n=300)
    assert wider.name == inference.name
    assert wider.confidence == 0.99
    assert wider.p_value(2.0, df=40.0, n=300) == inference.p_value(2.0, df=40.0, n=300)


@given(st.floats(-40, 40), st.sampled_from([each for each in ALL if each.name != "group_sequential"]))
def test_probabilities_are_probabilities(z: float, inference: Inference) -> None:
    assert 0 <= inference.p_value(z, df=30.0, n=100) <= 1
    assert 0 <= inference.one_sided_p(z, df=30.0, n=100) <= 1


def test_the_other_side_has_no_evidence() -> None:
    assert AlwaysValid(500).one_sided_p(-1.0, df=9.0, n=100) == 1.0
    assert AlwaysValid(500).one_sided_p(30.0, df=9.0, n=10**6) > 0


def test_a_tiny_level_keeps_its_boundary() -> None:
    assert best_rho_squared(100, 1e-200) == pytest.approx(best_rho_squared(100, 1e-150) * 200 / 150, rel=0.02)
    assert mixture_boundary([1.0], alpha=0.05, optimum=1.0, sides=1)[0] > 0


def test_after_the_planned_size_the_boundary_stays() -> None:
    plan = Sequential(100)
    assert plan.multiplier(df=1.0, n=100) == plan.multiplier(df=1.0, n=10_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: FixedHorizon(1.0),
        lambda: FixedHorizon(0.4),
        lambda: Sequential(0),
        lambda: AlwaysValid(0),
        lambda: AlwaysValid(10, tuned_for=2.0),
        lambda: GroupSequential(0),
        lambda: GroupSequential(10, ()),
        lambda: GroupSequential(10, (0.5, 0.5)),
        lambda: GroupSequential(10, (0.5, math.inf)),
        lambda: Bayesian(prior_sd=0.0),
    ],
)
def test_impossible_plans_are_refused(make: object) -> None:
    with pytest.raises(InvalidInput):
        make()  # type: ignore[operator]  # each parameter is a call to make
