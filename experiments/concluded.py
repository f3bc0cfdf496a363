"""What was concluded, as values: decisions, follow-ups and retrospectives read back from the store."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from experiments.choices import Choice


class Held(StrEnum):
    """Whether a gain held."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something to do after a conclusion; done when ``done_at`` is set."""

    id: int
    task: str
    owner: str
    due: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Retrospective:
    """Whether a gain held, who said so, and when."""

    held: Held
    note: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A decision about an experiment; it is never changed.

    Attributes
    ----------
    rollout, holdout
        Shares in basis points: how far the variant goes out, and how many stay without it.
    recommendation, snapshot
        The verdict at that time and the readout that was seen; None where there was none.
    metric
        The first primary metric.
    """

    id: int
    experiment: str
    phase: int
    choice: Choice
    variant: str | None
    until: datetime | None
    reason: str
    rollout: int
    holdout: int
    learning: str
    recommendation: str | None
    snapshot: int | None
    metric: str
    actor: str
    at: datetime
    follow_ups: tuple[FollowUp, ...] = ()
    retrospective: Retrospective | None = None
