"""Reading: from what was planned and what was counted to a readout. Pure: the same input, the same bytes."""

from typing import Any

from analysis.comparison import Comparison
from analysis.doubts import doubts_of
from analysis.findings import Answered, answer_roles, explained, finding_of
from analysis.harm import harm_at_this_moment
from analysis.journeys import ages_of, cohorts_of, funnels_of, lasting_of, returns_of
from analysis.observation import Observation
from analysis.plan import Plan
from analysis.questions import questions_of
from analysis.readout import Finding, Readout
from analysis.segments import read_segments
from analysis.sensitivity import alternatives_of, sensitivity_check
from analysis.series import series_of, split_of
from analysis.soundness import check_data
from analysis.splits import mix_check, mixes_of, stage_checks
from analysis.verdict import judge


def read(plan: Plan, observation: Observation, *, version: str) -> Readout:
    """Read an experiment.

    Parameters
    ----------
    plan
        What was asked.
    observation
        What was counted.
    version
        The version of the code, kept with the result.
    """
    questions = list(questions_of(plan, observation))
    answered = answer_roles(plan, questions)
    matched = [question for question, _, _ in answered]
    findings = tuple(_overall(plan, observation, each) for each in answered)
    in_segments, interactions = read_segments(plan, observation)
    mixes, alternatives = mixes_of(plan, observation), alternatives_of(plan, observation, matched)
    checks = (*check_data(plan, observation), *mix_check(mixes), *sensitivity_check(alternatives))
    over = plan.is_over(as_of=observation.as_of, units=sum(observation.units.values()))
    return Readout(
        **_known(plan, observation),
        version=version,
        over=over,
        checks=checks,
        comparisons=(*findings, *in_segments),
        verdict=judge(
            treatments=plan.treatments,
            findings=findings,
            checks=checks,
            over=over,
            locked=plan.inference == "fixed",
            does_harm=harm_at_this_moment(plan, questions, over=over),
        ),
        series=tuple(series_of(observation, plan, matched)),
        interactions=interactions,
        mixes=mixes,
        alternatives=alternatives,
    )


def _known(plan: Plan, observation: Observation) -> dict[str, Any]:
    """What a readout says of the plan and of what was counted, whatever the comparisons say."""
    return {
        "experiment": plan.experiment,
        "phase": plan.phase,
        "plan": plan,
        "as_of": observation.as_of,
        "data_through": observation.data_through,
        "units": {name: observation.units.get(name, 0) for name in plan.weights},
        "excluded": observation.excluded,
        "immature": observation.immature,
        "split": tuple(split_of(plan, observation)),
        "stages": stage_checks(plan, observation),
        "funnels": funnels_of(plan, observation),
        "returns": returns_of(plan, observation),
        "cohorts": cohorts_of(plan, observation),
        "ages": ages_of(plan, observation),
        "lasting": lasting_of(plan, observation),
        "credits": observation.credits,
        "quality": observation.quality,
    }


def _overall(plan: Plan, observation: Observation, answered: Answered) -> Finding:
    """A finding over all units, with what stands beside it."""
    question, answer, _ = answered
    finding = finding_of(plan, answered)
    if not isinstance(answer, Comparison):
        return finding
    arms = observation.daily.get(question.metric.key, {})
    days = (arms.get(question.treatment, ()), arms.get(plan.control, ()))
    flags = doubts_of(question, answer, plan=plan, days=days, as_of=observation.as_of)
    return explained(finding, question, answer, flags=flags)
