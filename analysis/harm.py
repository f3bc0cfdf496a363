"""Harm: what may stop an experiment before its end, whatever its inference.

A fixed horizon, registered looks and a posterior promise nothing at other moments. While such an experiment
runs, the primary metrics' wrong side and the guardrails' limits are watched by a test that may be asked at
any time. Waiting for the planned look while users are harmed is not a price that a plan should ask.
"""

from collections.abc import Callable, Sequence

from analysis.errors import NotEstimable
from analysis.findings import interpret
from analysis.inference import AlwaysValid
from analysis.plan import Plan, Role
from analysis.questions import BURN_IN, Question
from analysis.readout import Finding, Reading

ONLY_WHEN_PLANNED = frozenset({"fixed", "group_sequential", "bayesian"})
"""Inferences whose promise does not hold at every moment."""

_HARM = (Reading.WORSE, Reading.HARMFUL)


def harm_at_this_moment(
    plan: Plan, questions: Sequence[Question], *, over: bool
) -> Callable[[Finding], bool]:
    """How harm is established now; secondary metrics and segments establish none."""
    watched = {
        (question.metric.key, question.treatment): question
        for question in questions
        if question.metric.role is not Role.SECONDARY
    }
    running = not over and plan.inference in ONLY_WHEN_PLANNED
    # Before the end of a fixed horizon its own reading says nothing yet.
    believed = over or plan.inference != "fixed"

    def does_harm(finding: Finding) -> bool:
        question = watched.get((finding.metric, finding.variant))
        if question is None or finding.segment is not None:
            return False
        if believed and finding.reading in _HARM:
            return True
        return running and _harmful_at_any_time(question, plan)

    return does_harm


def _harmful_at_any_time(question: Question, plan: Plan) -> bool:
    if min(question.sizes) < BURN_IN:
        return False
    answer = question.under(AlwaysValid(plan.optimum, plan.confidence)).answer()
    return not isinstance(answer, NotEstimable) and interpret(question.metric, answer) in _HARM
