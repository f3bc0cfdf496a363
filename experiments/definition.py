"""Definitions: what people write down, as a form, an API body or a file, in one validated shape.

Every door parses into these drafts, so a draft that exists is right in itself; what it can clash with
(keys in use, metrics that are missing) is for the use cases.
"""

import json
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from assignment import EXCLUDED, condition_from_json
from experiments.errors import InvalidInput, Problem
from experiments.storable import unstorable

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
_DURATION = re.compile(r"([1-9]\d{0,3})(h|d|w)")
MAX_VALUE_BYTES = 64 * 1024
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def _clean(text: str) -> str:
    if "\0" in text or any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        raise ValueError("holds a character that cannot be stored (NUL or a lone surrogate)")
    return text.strip()


def _spoken(text: str) -> str:
    if not text:
        raise ValueError("expected a text")
    return text


def _keepable(value: Any) -> Any:
    if problem := unstorable(value):
        raise ValueError(problem)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_VALUE_BYTES:
        raise ValueError(f"larger than {MAX_VALUE_BYTES} bytes")
    return value


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a number and h, d or w, such as 14d")
    return text


def _utc(moment: Any) -> Any:
    """Take a time without an offset as UTC, and a date as its midnight."""
    if isinstance(moment, int | float):
        raise ValueError("expected a date or a time such as 2026-03-15T09:30:00Z")
    if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", moment):
        moment += "T00:00:00Z"
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if isinstance(moment, str) and re.fullmatch(r"[^Zz+]*T[^Zz+-]*", moment):
        moment += "Z"
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment


def _in_utc(moment: datetime) -> datetime:
    """One way to write each moment, so that equal drafts give equal texts."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError("expected a year from 1970 to 9000")
    return moment.astimezone(UTC)


Key = Annotated[str, Field(pattern=KEY_PATTERN)]
Text = Annotated[str, Field(max_length=2_000), AfterValidator(_clean)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
Duration = Annotated[str, AfterValidator(_duration)]
Instant = Annotated[AwareDatetime, BeforeValidator(_utc), AfterValidator(_in_utc)]
Value = Annotated[JsonValue, AfterValidator(_keepable)]
UnitId = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_keepable)]


def length_of(duration: str) -> timedelta:
    """Turn a duration such as ``14d`` into a length of time."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r}: expected a number and h, d or w, such as 14d")
    return int(found[1]) * _UNITS[found[2]]


class Draft(BaseModel):
    """A shape that we own: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CapDraft(Draft):
    """Where to cut off extreme values: at a quantile of the pooled units."""

    quantile: float = Field(gt=0.5, lt=1)


class MetricDraft(Draft):
    """A rule that turns events into one number per unit."""

    key: Key
    name: Name = ""
    description: Text = ""
    kind: Literal["proportion", "mean"]
    event: Annotated[Name, AfterValidator(_spoken)]
    aggregation: Literal["sum", "count"] = "sum"
    value: Literal["value"] = "value"
    direction: Literal["increase", "decrease"] = "increase"
    window: Duration | None = None
    cap: CapDraft | None = None

    @property
    def title(self) -> str:
        """The name, or the key where there is none."""
        return self.name or self.key

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "proportion" and self.cap is not None:
            raise ValueError("a proportion counts units once and has nothing to cap")
        return self


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
    """A metric that must not get worse by more than its margin, relative to the control."""

    metric: Key
    margin: float = Field(gt=0, lt=10)


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


class PlanDraft(Draft):
    """How sure, how large and how long, fixed before the start."""

    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    inference: Literal["sequential", "always_valid", "fixed"] | None = None
    correction: Literal["holm", "benjamini_hochberg", "none"] = "holm"
    power: float = Field(default=0.8, gt=0, lt=1)
    mde: float | None = Field(default=None, gt=0, lt=10)
    size: int | None = Field(default=None, ge=2)
    days: int | None = Field(default=None, ge=1, le=3_650)
    cuped: Literal[False] = False

    @property
    def chosen_inference(self) -> str:
        """The inference asked for, or the one that suits the plan."""
        return self.inference or ("sequential" if self.size else "always_valid")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.inference == "sequential" and self.size is None:
            raise ValueError("sequential inference needs size, the planned number of units")
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
    targeting: Annotated[dict[str, JsonValue], AfterValidator(_keepable)] | None = None
    overrides: dict[UnitId, Key] = Field(default_factory=dict)
    layer: None = None
    status: Literal["draft", "running", "stopped"] = "draft"
    starts: Instant | None = None
    ends: Instant | None = None
    metrics: RolesDraft
    segments: tuple[Name, ...] = ()
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
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValueError("ends: must be later than starts")
        return self


class Definitions(Draft):
    """A file of definitions."""

    metrics: tuple[MetricDraft, ...] = ()
    experiments: tuple[ExperimentDraft, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for kind in ("metrics", "experiments"):
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
            Problem(".".join(str(part) for part in each["loc"]), each["msg"].removeprefix("Value error, "))
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    )
