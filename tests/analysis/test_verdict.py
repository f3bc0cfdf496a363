"""The verdict: every rule, which rule comes first, and several treatments."""

from itertools import product

import pytest

from analysis import Reading, Recommendation
from tests.analysis.verdicts import goal, guard, side, told, verdict

BETTER, WORSE, OPEN = Reading.BETTER, Reading.WORSE, Reading.INCONCLUSIVE
SAFE, HARMFUL, EQUIVALENT, UNKNOWN = (
    Reading.SAFE,
    Reading.HARMFUL,
    Reading.EQUIVALENT,
    Reading.NOT_ESTIMABLE,
)
GOALS = (BETTER, WORSE, OPEN, EQUIVALENT, UNKNOWN)
GUARDS = (SAFE, HARMFUL, OPEN, UNKNOWN)


@pytest.mark.parametrize("check", ["srm", "crossover", "exposures", "metrics"])
def test_data_that_cannot_be_trusted_are_not_read(check: str) -> None:
    assert told(verdict(goal(BETTER), guard(SAFE), failed=(check,))) == (
        "do_not_read",
        None,
        [f"{check}_failed"],
    )


def test_every_failed_check_is_a_ground() -> None:
    answer = verdict(goal(WORSE), failed=("metrics", "srm"), over=True)
    assert told(answer) == ("do_not_read", None, ["srm_failed", "metrics_failed"])


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("locked", [False, True])
def test_harm_rolls_back_whenever_it_is_found(over: bool, locked: bool) -> None:
    assert told(verdict(goal(WORSE), over=over, locked=locked)) == (
        "roll_back",
        "new",
        ["goal_worse:sales:new"],
    )
    assert told(verdict(goal(BETTER), guard(HARMFUL), over=over, locked=locked)) == (
        "roll_back",
        "new",
        ["guardrail_harmed:latency:new"],
    )


def test_all_harm_is_told() -> None:
    answer = verdict(goal(WORSE), guard(HARMFUL), guard(SAFE, metric="errors"))
    assert told(answer)[2] == ["goal_worse:sales:new", "guardrail_harmed:latency:new"]


def test_a_fixed_horizon_keeps_running_until_its_end() -> None:
    assert told(verdict(goal(BETTER), guard(SAFE), locked=True)) == (
        "keep_running",
        None,
        ["before_planned_end"],
    )
    assert told(verdict(goal(BETTER), guard(SAFE), locked=True, over=True))[0] == "ship"


@pytest.mark.parametrize("over", [False, True])
def test_an_improvement_with_every_limit_ruled_out_ships(over: bool) -> None:
    answer = verdict(goal(BETTER), guard(SAFE), guard(SAFE, metric="errors"), over=over)
    assert told(answer) == ("ship", "new", ["goal_better:sales:new"])


@pytest.mark.parametrize("reading", [OPEN, UNKNOWN])
def test_an_improvement_with_an_open_limit_keeps_running_and_is_your_call_at_the_end(
    reading: Reading,
) -> None:
    grounds = ["goal_better:sales:new", "limit_open:latency:new"]
    findings = (goal(BETTER), guard(reading), guard(SAFE, metric="errors"))
    assert told(verdict(*findings)) == ("keep_running", "new", grounds)
    assert told(verdict(*findings, over=True)) == ("keep_running", "new", [*grounds, "your_call"])


@pytest.mark.parametrize("reading", [OPEN, UNKNOWN])
def test_the_end_without_improvement_stops(reading: Reading) -> None:
    assert told(verdict(goal(reading), guard(SAFE), over=True)) == ("stop", None, ["no_clear_effect"])
    assert told(verdict(goal(reading), guard(SAFE))) == ("keep_running", None, ["not_conclusive_yet"])


def test_what_was_ruled_out_is_told_at_the_end() -> None:
    answer = verdict(goal(EQUIVALENT), side(EQUIVALENT), over=True)
    assert told(answer) == ("stop", None, ["no_clear_effect", "ruled_out:sales:new"])
    assert told(verdict(goal(EQUIVALENT)))[0] == "keep_running"


def test_secondary_metrics_decide_nothing() -> None:
    for reading in (BETTER, WORSE, OPEN):
        assert told(verdict(goal(BETTER), side(reading)))[0] == "ship"
        assert told(verdict(goal(OPEN), side(reading), over=True))[0] == "stop"


def test_one_goal_better_and_another_open_ships_but_never_with_one_worse() -> None:
    assert told(verdict(goal(BETTER), goal(OPEN, metric="signups"))) == (
        "ship",
        "new",
        ["goal_better:sales:new"],
    )
    assert told(verdict(goal(BETTER), goal(WORSE, metric="signups"))) == (
        "roll_back",
        "new",
        ["goal_worse:signups:new"],
    )


def test_the_treatment_with_the_largest_gain_ships() -> None:
    answer = verdict(
        goal(BETTER, "green", moved=0.2), goal(BETTER, "blue", moved=0.3), goal(OPEN, "red", moved=0.9)
    )
    assert told(answer) == ("ship", "blue", ["goal_better:sales:green", "goal_better:sales:blue"])


def test_harm_of_one_treatment_does_not_stop_another_that_is_ready() -> None:
    findings = (goal(WORSE, "green"), goal(BETTER, "blue"), guard(SAFE, "blue"))
    assert told(verdict(*findings)) == ("ship", "blue", ["goal_better:sales:blue", "goal_worse:sales:green"])
    waiting = (goal(WORSE, "green"), goal(BETTER, "blue"), guard(OPEN, "blue"))
    assert told(verdict(*waiting)) == ("roll_back", "green", ["goal_worse:sales:green"])
    assert told(verdict(*findings, locked=True))[:2] == ("roll_back", "green")


def test_a_treatment_with_an_open_limit_gives_way_to_one_without() -> None:
    findings = (goal(BETTER, "green", moved=0.9), guard(OPEN, "green"), goal(BETTER, "blue", moved=0.1))
    assert told(verdict(*findings))[:2] == ("ship", "blue")
    both = (*findings, guard(OPEN, "blue"))
    assert told(verdict(*both))[:2] == ("keep_running", "green")


def test_the_best_of_several_is_found_where_the_first_goal_has_no_answer() -> None:
    answer = verdict(
        goal(UNKNOWN, "green"),
        goal(BETTER, "green", metric="signups"),
        goal(BETTER, "blue"),
        goal(OPEN, "blue", metric="signups"),
    )
    assert told(answer)[:2] == ("ship", "blue")


@pytest.mark.parametrize("failed", [(), ("srm",)])
@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize(("first", "second", "limit"), list(product(GOALS, GOALS, GUARDS)))
def test_the_first_rule_that_applies_decides(
    first: Reading, second: Reading, limit: Reading, over: bool, locked: bool, failed: tuple[str, ...]
) -> None:
    """The rules of one treatment, written again as the list that people read."""
    answer = verdict(
        goal(first), goal(second, metric="signups"), guard(limit), over=over, locked=locked, failed=failed
    )
    improved = BETTER in (first, second) and WORSE not in (first, second)
    rules = [
        (bool(failed), Recommendation.DO_NOT_READ),
        (WORSE in (first, second) or limit is HARMFUL, Recommendation.ROLL_BACK),
        (locked and not over, Recommendation.KEEP_RUNNING),
        (improved and limit is SAFE, Recommendation.SHIP),
        (improved, Recommendation.KEEP_RUNNING),
        (over, Recommendation.STOP),
        (True, Recommendation.KEEP_RUNNING),
    ]
    assert answer.recommendation is next(what for applies, what in rules if applies)
    assert ("your_call" in told(answer)[2]) == (
        answer.recommendation is Recommendation.KEEP_RUNNING and over and improved
    )
    assert answer.grounds
