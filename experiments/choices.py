"""Choices: what people can decide about an experiment, written down and compared with the verdict."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from analysis import Recommendation, Verdict
from experiments.definition import invalid
from experiments.fields import Draft, Instant, Key, Name, Text, spoken

MOST_FOLLOW_UPS = 20
"""More than these are a project, not a follow-up."""


class Choice(StrEnum):
    """What people can decide."""

    SHIP = "ship"
    ROLL_BACK = "roll_back"
    STOP = "stop"
    CONTINUE = "continue"


ENDINGS = (Choice.SHIP, Choice.ROLL_BACK, Choice.STOP)
"""The choices after which an experiment is over."""

_AGREES = {
    Recommendation.SHIP: Choice.SHIP,
    Recommendation.ROLL_BACK: Choice.ROLL_BACK,
    Recommendation.STOP: Choice.STOP,
    Recommendation.KEEP_RUNNING: Choice.CONTINUE,
}


class FollowUpDraft(Draft):
    """Something to do next, by somebody, by a day."""

    task: Annotated[Text, AfterValidator(spoken)]
    owner: Name = ""
    due: Instant | None = None


class ConclusionDraft(Draft):
    """A decision as it was written down; shares are in basis points.

    Attributes
    ----------
    variant
        What is shipped.
    until
        How long it goes on.
    snapshot
        The readout that was seen; the newest where none is named.
    """

    choice: Choice
    variant: Key | None = None
    until: Instant | None = None
    reason: Text = ""
    rollout: int = Field(default=10_000, ge=1, le=10_000, strict=True)
    holdout: int = Field(default=0, ge=0, le=5_000, strict=True)
    learning: Text = ""
    follow_ups: tuple[FollowUpDraft, ...] = Field(default=(), max_length=MOST_FOLLOW_UPS)
    snapshot: int | None = None


class RetrospectiveDraft(Draft):
    """Whether a gain held, and how one knows."""

    held: Literal["yes", "partly", "no"]
    note: Text = ""


def parse_conclusion(document: dict[str, Any]) -> ConclusionDraft:
    """Read a decision, or name everything that is wrong with it."""
    try:
        return ConclusionDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_retrospective(document: dict[str, Any]) -> RetrospectiveDraft:
    """Read a retrospective, or name everything that is wrong with it."""
    try:
        return RetrospectiveDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def follows(verdict: Verdict | None, draft: ConclusionDraft) -> bool:
    """Whether a decision does what the verdict recommends; without a verdict none does.

    At the end, a goal that improved beside an open harm limit leaves it to people: then a reason is what
    counts, whatever they decide.
    """
    if verdict is None or "your_call" in {ground.code for ground in verdict.grounds}:
        return False
    if _AGREES.get(verdict.recommendation) != draft.choice:
        return False
    return draft.choice != Choice.SHIP or draft.variant == verdict.variant
