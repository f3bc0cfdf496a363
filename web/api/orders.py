"""Orders: what is asked of the management API in a body or a query, where it is not a definition itself."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from experiments.audit import AuditFilter
from experiments.choices import Choice
from experiments.definition import ExperimentDraft
from experiments.fields import Draft, Instant, Key, Name, UnitId
from experiments.lifecycle import Status
from experiments.people import KeyKind
from experiments.roles import Role
from web.api.replies import Page


class ExperimentBody(ExperimentDraft):
    """An experiment as it is written down. Its status is changed by its moves, not here."""

    status: Literal["draft"] = "draft"


class ExperimentFilter(Page):
    """Which experiments are wanted."""

    status: Status | None = Field(default=None, description="Only those that stand there.")
    owner: str = Field(default="", max_length=200, description="Only those of this owner.")
    tag: str = Field(default="", max_length=200, description="Only those with this tag.")
    q: str = Field(default="", max_length=200, description="Words that their texts contain.")


class ReadoutOptions(Draft):
    """How a readout is wanted."""

    sentences: bool = Field(default=False, description="Also what the pages say, in Accept-Language.")


class EditOptions(Draft):
    """How a change is meant."""

    new_phase: bool = Field(
        default=False, description="Whether a change that moves units is meant, which begins a new phase."
    )


class CloneOrder(Draft):
    """What the copy is called."""

    key: Key
    name: Name = ""


class StartOrder(Draft):
    """How an experiment starts."""

    new_phase: bool = Field(default=False, description="Whether a stopped experiment draws lots again.")


class MoveOrder(Draft):
    """A move that needs no further word."""


class UnitQuestion(Draft):
    """For whom a decision is asked."""

    unit: UnitId
    attributes: str = Field(default="{}", max_length=16_384, description="What is known, as a JSON object.")


class KeyOrder(Draft):
    """A key for programs that ask and track."""

    kind: KeyKind
    name: Name = Field(min_length=1)
    exposes: bool = Field(default=True, description="Whether single evaluations record the exposure.")


class InvitationOrder(Draft):
    """Whom to let in."""

    name: Name = Field(min_length=1)
    role: Role | None = Field(default=None, description="An editor, where nothing is said.")


class RoleOrder(Draft):
    """What somebody becomes."""

    role: Role


class ErasureOrder(Draft):
    """Whose rows are to be taken out."""

    unit: UnitId
    kind: Literal["user_id", "anonymous_id"] = "user_id"


class AuditPage(AuditFilter, Page):
    """Which part of the audit log is wanted."""


class DaysBack(Draft):
    """How far to look back."""

    days: int = Field(default=30, ge=1, le=3_650, description="Whole days, today included.")


class LearningFilter(Page):
    """Which learnings are wanted."""

    q: str = Field(default="", max_length=200, description="Words that they hold, every one of them.")
    outcome: Choice | None = Field(default=None, description="Only those of this decision.")
    metric: str = Field(default="", max_length=128, description="Only those of this primary metric.")


class AlertFilter(Page):
    """Which alerts are wanted."""

    experiment: str = Field(default="", max_length=128, description="Only those of this experiment.")


class CalendarSpan(Draft):
    """Which part of the calendar is wanted: from a month ago to three ahead, where nothing is said."""

    since: Instant | None = Field(default=None, description="From this day on.")
    until: Instant | None = Field(default=None, description="Up to this day.")

    def between(self, now: datetime) -> tuple[datetime, datetime]:
        """The two ends."""
        since = self.since or now - timedelta(days=30)
        return since, self.until or since + timedelta(days=120)
