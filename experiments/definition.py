"""Definitions: what people write down, as a form, an API body or a file, in one validated shape.

Every door parses into these drafts, so a draft that exists is right in itself; what it can clash with
(keys in use, metrics that are missing) is for the use cases.
"""

import json
import tomllib
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, ValidationError, field_validator, model_validator

from assignment import BUCKETS, EXCLUDED, condition_from_json
from experiments.errors import InvalidInput, Problem
from experiments.fields import Draft, Instant, Key, Name, Text, UnitId, Value, keepable
from experiments.metrics import Filter, MetricDraft, Property
from experiments.readymade import ReadyMadeDraft
from experiments.tracking import EventDraft, Mode


class VariantDraft(Draft):
    """One arm, and the value that clients receive; without one they receive its key."""

    key: Key
    name: Name = ""
    weight: int = Field(default=1, ge=0, le=10_000, strict=True)
    value: Value = None

    @field_validator("key")
    @classmethod
    def _free(cls, key: str) -> str:
        if key == EXCLUDED:
            raise ValueError(f"{EXCLUDED!r} is what units outside the experiment are told; choose another")
        return key


class HypothesisDraft(Draft):
    """If we make this change for this audience, this effect follows, because of this."""

    change: Text = ""
    audience: Text = ""
    effect: Text = ""
    because: Text = ""


class GuardrailDraft(Draft):
    """A metric that must not get worse by more than its margin, relative to the control.

    Without a margin here, the metric's own one holds.
    """

    metric: Key
    margin: float | None = Field(default=None, gt=0, lt=10)


class RolesDraft(Draft):
    """Which metrics decide, which must hold, and which explain."""

    primary: tuple[Key, ...] = Field(min_length=1, max_length=5)
    secondary: tuple[Key, ...] = ()
    guardrails: tuple[GuardrailDraft, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All metrics, in the order primary, guardrails, secondary."""
        return (*self.primary, *(each.metric for each in self.guardrails), *self.secondary)

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        twice = sorted({key for key in self.keys if self.keys.count(key) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} has two roles; give each metric one")
        return self


class CupedDraft(Draft):
    """What is known of units from before their exposure, for taking it out of the metrics.

    Each metric is adjusted for itself, counted over so many days before a unit's first exposure; ``metrics``
    names others that all are adjusted for as well.
    """

    days: int = Field(default=14, ge=1, le=365, strict=True)
    metrics: tuple[Key, ...] = Field(default=(), max_length=20)


class BotsDraft(Draft):
    """Which units are no people: more events on one day than a limit, or attributes that say so."""

    events_per_day: int | None = Field(default=None, ge=1, strict=True)
    where: Filter | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.events_per_day is None and self.where is None:
            raise ValueError("expected events_per_day, or where with a condition on attributes, or both")
        return self


class PlanDraft(Draft):
    """How sure, how large and how long, fixed before the start."""

    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    inference: Literal["sequential", "always_valid", "fixed", "group_sequential", "bayesian"] | None = None
    correction: Literal["holm", "benjamini_hochberg", "none"] = "holm"
    power: float = Field(default=0.8, gt=0, lt=1)
    mde: float | None = Field(default=None, gt=0, lt=10)
    size: int | None = Field(default=None, ge=2)
    days: int | None = Field(default=None, ge=1, le=3_650)
    looks: tuple[float, ...] = Field(default=(), max_length=200)
    prior_sd: float | None = Field(default=None, gt=0, lt=100)
    cuped: Annotated[bool, Field(strict=True)] | CupedDraft = False
    bots: BotsDraft | None = None
    session_gap: int = Field(default=30, ge=1, le=1_440, strict=True)
    """Minutes without an event that end a session."""
    channel: Property | None = None
    """The property of events that names a channel, for crediting conversions; no credits without it."""

    @property
    def covariates(self) -> CupedDraft | None:
        """What to adjust for; None for nothing."""
        if isinstance(self.cuped, CupedDraft):
            return self.cuped
        return CupedDraft() if self.cuped else None

    @property
    def chosen_inference(self) -> str:
        """The inference asked for, or the one that suits the plan."""
        return self.inference or ("sequential" if self.size else "always_valid")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.inference in ("sequential", "group_sequential") and self.size is None:
            raise ValueError(f"{self.inference} inference needs size, the planned number of units")
        rising = list(self.looks) == sorted(set(self.looks))
        if self.looks and not (rising and self.looks[0] > 0 and self.looks[-1] <= 1):
            raise ValueError("looks: expected rising shares of the planned size, such as [0.25, 0.5, 1]")
        return self


class ExperimentDraft(Draft):
    """One question with variants, allocation, metrics and dates."""

    key: Key
    name: Name = ""
    description: Text = ""
    owner: Name = ""
    tags: tuple[Name, ...] = ()
    hypothesis: HypothesisDraft = HypothesisDraft()
    assignment: Literal["internal", "external"] = "internal"
    unit: Literal["user_id", "anonymous_id"] = "user_id"
    variants: tuple[VariantDraft, ...] = Field(min_length=2, max_length=50)
    control: Key
    traffic: int = Field(default=10_000, ge=0, le=10_000, strict=True)
    targeting: Annotated[dict[str, JsonValue], AfterValidator(keepable)] | None = None
    overrides: dict[UnitId, Key] = Field(default_factory=dict)
    layer: Key | None = None
    slots: tuple[tuple[int, int], ...] = ()
    holdouts: tuple[Key, ...] | None = None
    status: Literal["draft", "running", "stopped"] = "draft"
    starts: Instant | None = None
    ends: Instant | None = None
    stops_at_end: bool = False
    metrics: RolesDraft
    segments: tuple[Property, ...] = Field(default=(), max_length=20)
    plan: PlanDraft = PlanDraft()
    source: Text = ""

    @property
    def title(self) -> str:
        """The name, or the key where there is none."""
        return self.name or self.key

    @field_validator("targeting")
    @classmethod
    def _readable(cls, targeting: dict[str, Any] | None) -> dict[str, Any] | None:
        if targeting is not None:
            condition_from_json(targeting)
        return targeting

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [variant.key for variant in self.variants]
        if len(set(keys)) < len(keys):
            raise ValueError("variants: two have the same key")
        if self.control not in keys:
            raise ValueError(f"control: {self.control!r} is not among the variants {', '.join(keys)}")
        weights = {variant.key: variant.weight for variant in self.variants}
        if not weights[self.control] or sum(weight > 0 for weight in weights.values()) < 2:
            raise ValueError("variants: the control and at least one other need a weight above 0")
        strangers = sorted(set(self.overrides.values()) - set(keys))
        if strangers:
            raise ValueError(f"overrides: {strangers[0]!r} is not among the variants")
        if (self.layer is None) != (not self.slots):
            raise ValueError(
                "slots: an experiment in a layer holds slots such as [[0, 5000]], any other none"
            )
        if any(not 0 <= start < end <= BUCKETS for start, end in self.slots):
            raise ValueError(f"slots: expected ranges [start, end) within 0 … {BUCKETS}")
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValueError("ends: must be later than starts")
        if self.stops_at_end and self.ends is None:
            raise ValueError("ends: expected the moment at which it stops by itself")
        return self


class LayerDraft(Draft):
    """A namespace in which experiments exclude each other."""

    key: Key
    name: Name = ""
    description: Text = ""


class HoldoutDraft(Draft):
    """Units kept out of the experiments that honour it; ``share`` in basis points."""

    key: Key
    name: Name = ""
    description: Text = ""
    share: int = Field(ge=1, le=5_000, strict=True)


class SegmentDraft(Draft):
    """A named condition on attributes: for targeting, and as a reporting cut."""

    key: Key
    name: Name = ""
    description: Text = ""
    condition: Annotated[dict[str, JsonValue], AfterValidator(keepable)]

    @field_validator("condition")
    @classmethod
    def _readable(cls, condition: dict[str, Any]) -> dict[str, Any]:
        condition_from_json(condition)
        return condition


class TrackingModeDraft(Draft):
    """How strictly the tracking plan is meant."""

    mode: Mode


class Definitions(Draft):
    """A file of definitions."""

    tracking: TrackingModeDraft | None = None
    events: tuple[EventDraft, ...] = ()

    layers: tuple[LayerDraft, ...] = ()
    holdouts: tuple[HoldoutDraft, ...] = ()
    segments: tuple[SegmentDraft, ...] = ()
    ready_made: ReadyMadeDraft | None = None
    metrics: tuple[MetricDraft, ...] = ()
    experiments: tuple[ExperimentDraft, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for kind in Definitions.model_fields.keys() - {"tracking", "ready_made"}:
            keys = [each.key for each in getattr(self, kind)]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"{kind}: {twice[0]!r} is defined twice")
        return self


def parse_definitions(text: bytes, *, form: Literal["json", "toml"]) -> Definitions:
    """Read a file of definitions, or name everything that is wrong with it.

    Raises
    ------
    InvalidInput
        With one problem for each place.
    """
    try:
        if form == "json":
            return Definitions.model_validate_json(text)
        return Definitions.model_validate(tomllib.loads(text.decode()))
    except UnicodeDecodeError as problem:
        raise InvalidInput.at("", f"the file is not UTF-8 text (byte {problem.start})") from problem
    except ValidationError as problem:
        raise invalid(problem) from problem
    except (ValueError, RecursionError) as problem:  # a damaged file, endless digits, endless brackets
        raise InvalidInput.at("", f"not TOML: {problem}") from problem


def parse_experiment(document: dict[str, Any]) -> ExperimentDraft:
    """Read one experiment, or name everything that is wrong with it."""
    try:
        return ExperimentDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_metric(document: dict[str, Any]) -> MetricDraft:
    """Read one metric, or name everything that is wrong with it."""
    try:
        return MetricDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_segment(document: dict[str, Any]) -> SegmentDraft:
    """Read one segment, or name everything that is wrong with it."""
    try:
        return SegmentDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_layer(document: dict[str, Any]) -> LayerDraft:
    """Read one layer, or name everything that is wrong with it."""
    try:
        return LayerDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def parse_holdout(document: dict[str, Any]) -> HoldoutDraft:
    """Read one holdout, or name everything that is wrong with it."""
    try:
        return HoldoutDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def restore_experiment(stored: str) -> ExperimentDraft:
    """Read back a definition that was validated when it was stored."""
    return ExperimentDraft.model_validate_json(stored)


def store_form(draft: Draft) -> str:
    """Write a draft as the text that is stored; equal drafts give equal texts."""
    return json.dumps(draft.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))


def invalid(error: ValidationError) -> InvalidInput:
    """Turn a validation error into problems that name their places."""
    return InvalidInput(
        [
            Problem(
                ".".join(str(part) for part in each["loc"]),
                each["msg"].removeprefix("Value error, "),
                each["loc"],
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    )
