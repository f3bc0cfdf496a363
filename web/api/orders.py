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
from experiments.previews import LIFETIMES as PREVIEW_LIFETIMES
from experiments.roles import Role
from experiments.shares import LIFETIMES
from web.api.replies import Page
from web.reporting.exported import Form

UnitType = Literal["user_id", "anonymous_id"]


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


class ExportOptions(Draft):
    """What kind of file is wanted."""

    form: Form = Field(description="The comparisons as csv, the report as html or pdf, or all of it as json.")


class ShareOrder(Draft):
    """What is shared, and for how long."""

    days: int = Field(description=f"One of {', '.join(map(str, LIFETIMES))}.")
    readout: int | None = Field(
        default=None, ge=1, lt=2**63, description="Its number; the latest, where nothing is said."
    )


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


class PreviewOptions(Draft):
    """Where variants are looked at, and for how long."""

    page: str = Field(default="", max_length=2_000, description="A page of the project's site.")
    days: int = Field(default=7, description=f"One of {', '.join(map(str, PREVIEW_LIFETIMES))}.")


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
    kind: UnitType = "user_id"
    only_count: bool = Field(default=False, description="Say what would go, and take nothing out.")


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


class PastOptions(Draft):
    """Whose past is wanted."""

    unit_type: UnitType = Field(default="user_id", description="Counted by this kind of id.")


class OutlookQuestion(Draft):
    """What an experiment wants to know, and of whom: with a metric's past, or with numbers of one's own."""

    metric: str = Field(default="", max_length=128, description="Its last four weeks say what is not given.")
    unit_type: UnitType = Field(default="user_id", description="The kind of id whose past is meant.")
    mean: float | None = Field(default=None, gt=-1e12, lt=1e12, description="Of the metric per unit, today.")
    variance: float | None = Field(
        default=None, gt=0, lt=1e24, description="Of the metric per unit; of a proportion it is known."
    )
    daily_units: float | None = Field(default=None, ge=0, lt=1e12, description="New units a day.")
    lift: float = Field(gt=0, lt=1_000, description="The smallest relative change worth detecting.")
    variants: int = Field(default=2, ge=2, le=20, description="In even shares, with the control.")
    share: float = Field(default=1.0, gt=0, le=1, description="Of the units, those that may take part.")
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    power: float = Field(default=0.8, gt=0, lt=1)
    inference: Literal["sequential", "always_valid", "fixed", "group_sequential"] = "sequential"
    guardrails: int = Field(default=0, ge=0, le=100, description="How many must all pass.")
    weeks: int = Field(default=8, ge=1, le=52, description="How many weeks are told of.")


class ReadinessOptions(Draft):
    """What is known beside the definition."""

    weeks: int | None = Field(default=None, ge=1, le=1_000, description="How many it needs, by its outlook.")


class SheetFilter(Page):
    """Which sheets are wanted."""

    author: str = Field(default="", max_length=200, description="Only those that this person saved last.")


class CalendarSpan(Draft):
    """Which part of the calendar is wanted: from a month ago to three ahead, where nothing is said."""

    since: Instant | None = Field(default=None, description="From this day on.")
    until: Instant | None = Field(default=None, description="Up to this day.")

    def between(self, now: datetime) -> tuple[datetime, datetime]:
        """The two ends."""
        since = self.since or now - timedelta(days=30)
        return since, self.until or since + timedelta(days=120)
