"""Metrics: rules that turn events into one number per unit, as people write them down.

What each kind needs and may have beside its texts:

============= ======================================================================================
kind          fields
============= ======================================================================================
proportion    ``event``; ``at_least`` so many times; ``where``, ``window``
mean          ``event``, ``aggregation``, ``value``; ``where``, ``window``, ``cap``, ``scale``
ratio         ``numerator`` and ``denominator``, the keys of metrics that give each unit one number
retention     ``from`` and ``to``; ``event`` (any, when it is left out), ``where``, ``lost``
quantile      ``event``, ``value``, ``quantile``, ``per``; ``aggregation`` per unit, ``where``, ``window``
funnel        ``steps``; ``where``, ``window``
time_to_event ``event`` and ``window``; ``where``
============= ======================================================================================

A property of an event is read as senders mean it, whatever type they wrote it in: ``"12.50"`` is the number
12.5 where a number is compared or added, and 12 is the text ``12`` where a text is compared. What is no
number where one is needed leaves its event out of the metric, and is counted as unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from assignment import condition_from_json
from assignment.operators import OPERATORS
from assignment.targeting import Condition, InSegment, Test, parts_of
from experiments.fields import Draft, Duration, Key, Name, Text, keepable, length_of, spoken

Kind = Literal["proportion", "mean", "ratio", "retention", "quantile", "funnel", "time_to_event"]
Aggregation = Literal["sum", "count", "count_distinct", "max", "last", "days", "sessions"]

ONE_NUMBER = frozenset({"proportion", "mean", "retention"})
"""The kinds that give each unit one number; ratios are made of them, and covariates."""

COUNTABLE = frozenset(name for name in OPERATORS if not name.startswith("version_"))
"""The operators that every engine can count by. The order of versions is no order that SQL knows."""

ORDERED = frozenset({"gt", "ge", "lt", "le"})

_ALLOWED: Mapping[str, frozenset[str]] = {
    "proportion": frozenset({"event", "at_least", "where", "window"}),
    "mean": frozenset({"event", "aggregation", "value", "where", "window", "cap", "scale"}),
    "ratio": frozenset({"numerator", "denominator"}),
    "retention": frozenset({"event", "from", "to", "where", "lost"}),
    "quantile": frozenset({"event", "value", "quantile", "per", "aggregation", "where", "window"}),
    "funnel": frozenset({"steps", "where", "window"}),
    "time_to_event": frozenset({"event", "where", "window"}),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "proportion": ("event",),
    "mean": (),
    "ratio": ("numerator", "denominator"),
    "retention": ("from", "to"),
    "quantile": ("event", "quantile"),
    "funnel": ("steps",),
    "time_to_event": ("event", "window"),
}
_PROPERTY = re.compile(r"""[^."'`\\$\[\]*?@\s]([^."'`\\$\[\]*?@]*[^."'`\\$\[\]*?@\s])?""")


def _property(path: str) -> str:
    """Refuse a path that engines read differently."""
    names = path.split(".")
    if len(names) > 8 or not all(_PROPERTY.fullmatch(name) for name in names):
        raise ValueError(
            "expected the name of a property such as price or cart.total, without quotes or $[]*?@"
        )
    return path


def countable(condition: Condition, *, of_units: bool = False) -> None:
    """Refuse a condition that cannot be counted by in every engine.

    Parameters
    ----------
    of_units
        Whether it speaks of units, and may name saved segments.

    Raises
    ------
    ValueError
        Naming the part that cannot.
    """
    if isinstance(condition, InSegment) and not of_units:
        raise ValueError("a saved segment speaks of units; name properties of the event")
    if isinstance(condition, Test):
        _property(condition.attribute)
        if condition.operator not in COUNTABLE:
            raise ValueError(f"{condition.operator} cannot be counted by; use {' '.join(sorted(COUNTABLE))}")
        if condition.operator in ORDERED and isinstance(condition.value, str):
            raise ValueError(
                f"{condition.operator} compares with a number; texts have another order everywhere"
            )
    for part in parts_of(condition):
        countable(part, of_units=of_units)


def _filter(document: dict[str, Any]) -> dict[str, Any]:
    countable(condition_from_json(document, place="where"))
    return document


Property = Annotated[Name, AfterValidator(spoken), AfterValidator(_property)]
EventName = Annotated[Name, AfterValidator(spoken)]
Filter = Annotated[dict[str, JsonValue], AfterValidator(keepable), AfterValidator(_filter)]


class CapDraft(Draft):
    """Where to cut off extreme values: at a quantile of the pooled units."""

    quantile: float = Field(gt=0.5, lt=1)


class MetricDraft(Draft):
    """A rule that turns events into one number per unit.

    ``event`` may be left out where any event will do: for a retention, for days and for sessions. ``margin``
    is the harm limit of a guardrail that names none, ``minimum`` the units in an arm below which nothing is
    said, ``unit`` what the number is counted in, and ``owner`` who answers for it.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    key: Key
    name: Name = ""
    description: Text = ""
    name_zh: Name = ""
    description_zh: Text = ""
    owner: Name = ""
    kind: Kind
    event: EventName | None = None
    aggregation: Aggregation = "sum"
    value: Property = "value"
    where: Filter | None = None
    at_least: int = Field(default=1, ge=1, le=1_000, strict=True)
    numerator: Key | None = None
    denominator: Key | None = None
    from_: Duration | None = Field(default=None, alias="from")
    to: Duration | None = None
    lost: bool = Field(default=False, strict=True)
    quantile: float | None = Field(default=None, gt=0, lt=1)
    per: Literal["event", "unit"] = "event"
    steps: tuple[EventName, ...] = Field(default=(), max_length=20)
    direction: Literal["increase", "decrease"] = "increase"
    window: Duration | None = None
    cap: CapDraft | None = None
    scale: float = Field(default=1, ge=1e-9, le=1e9)
    unit: Name = ""
    format: Literal["number", "percent", "currency", "duration"] | None = None
    margin: float | None = Field(default=None, gt=0, lt=10)
    minimum: int = Field(default=0, ge=0, le=1_000_000_000, strict=True)

    @property
    def title(self) -> str:
        """The name, or the key where there is none."""
        return self.name or self.key

    def title_in(self, language: str) -> str:
        """The name in a language, such as ``zh``; the plain one where it has none there."""
        return (self.name_zh if language.startswith("zh") else "") or self.title

    def description_in(self, language: str) -> str:
        """The description in a language, such as ``zh``; the plain one where it has none there."""
        return (self.description_zh if language.startswith("zh") else "") or self.description

    @property
    def shown_as(self) -> str:
        """How its values are written: as asked for, or as its kind suggests."""
        if self.format is not None:
            return self.format
        return "percent" if self.kind in ("proportion", "retention", "funnel") else "number"

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of the metrics that it is made of."""
        return tuple(key for key in (self.numerator, self.denominator) if key is not None)

    @property
    def events(self) -> tuple[str, ...]:
        """The events that it counts itself; none where any will do, and for a ratio."""
        return self.steps or (() if self.event is None else (self.event,))

    @property
    def counts_any_event(self) -> bool:
        """Whether every event counts, whatever its name."""
        return self.kind != "ratio" and not self.events

    @field_validator("steps")
    @classmethod
    def _some_steps(cls, steps: tuple[str, ...]) -> tuple[str, ...]:
        if len(steps) == 1:
            raise ValueError("expected at least two events, in their order")
        return steps

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self


def _problems(draft: MetricDraft) -> Iterator[str]:
    given = {
        field.alias or name
        for name, field in MetricDraft.model_fields.items()
        if getattr(draft, name) != field.get_default()
    }
    own = frozenset().union(*_ALLOWED.values())
    for name in sorted((given & own) - _ALLOWED[draft.kind]):
        yield f"{name}: a {draft.kind} has none; it has {', '.join(sorted(_ALLOWED[draft.kind]))}"
    for name in _NEEDED[draft.kind]:
        if name not in given:
            yield f"{name}: a {draft.kind} needs one"
    if draft.kind == "mean":
        yield from _mean_problems(draft)
    if draft.kind == "quantile":
        yield from _quantile_problems(draft)
    if draft.kind == "ratio" and draft.numerator == draft.denominator:
        yield "denominator: is the numerator itself; their ratio is always 1"
    if draft.from_ is not None and draft.to is not None and length_of(draft.to) <= length_of(draft.from_):
        yield "to: must be later than from, such as from 7d to 8d"


def _mean_problems(draft: MetricDraft) -> Iterator[str]:
    if draft.event is None and draft.aggregation not in ("days", "sessions"):
        yield f"event: a mean of {draft.aggregation} needs one; only days and sessions count any event"
    if draft.value != "value" and draft.aggregation in ("count", "days", "sessions"):
        yield f"value: {draft.aggregation} counts events and reads no property"


def _quantile_problems(draft: MetricDraft) -> Iterator[str]:
    if draft.per == "event" and draft.aggregation != "sum":
        yield "aggregation: a quantile per event takes each value as it is; say per unit to add them up"
    if draft.per == "unit" and draft.aggregation in ("days", "sessions", "count_distinct"):
        yield "aggregation: a quantile per unit takes sum, count, max or last"


def misfits(draft: MetricDraft, known: Mapping[str, MetricDraft]) -> Iterator[str]:
    """Say why a metric cannot be made of its parts."""
    for place, key in (("numerator", draft.numerator), ("denominator", draft.denominator)):
        if key is None:
            continue
        if key not in known:
            yield f"{place}: there is no metric {key!r}"
        elif known[key].kind not in ONE_NUMBER:
            yield (
                f"{place}: {key!r} is a {known[key].kind}; a ratio is made of "
                f"{', '.join(sorted(ONE_NUMBER))} metrics"
            )
