"""The tracking plan: which events and properties may be stored, and what for.

A plan lists events with their properties. Its mode says what becomes of the rest:

======= ===================================== ===================================================
mode    an event that is not listed           a property that is not listed, or of the wrong type
======= ===================================== ===================================================
observe is stored, and counted as unknown     is stored, and counted
filter  is stored without any property        is dropped, and counted
enforce is rejected                           its event is rejected
======= ===================================== ===================================================

In every mode, addresses of the network and names of browsers are stored only where the plan lists them.
Exposures are never rejected, because an experiment that misses some of them is biased: `enforce` treats their
attributes as `filter` does. Calls that only say who somebody is carry no properties and need no listing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from experiments.fields import Draft, Duration, Name, Text, spoken
from experiments.store.tallies import EXPOSURE


class Mode(StrEnum):
    """How strictly the plan is meant."""

    OBSERVE = "observe"
    FILTER = "filter"
    ENFORCE = "enforce"


class PropertyType(StrEnum):
    """What a property may be."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "list"
    ANY = "any"


_TYPES: Mapping[PropertyType, tuple[type, ...]] = {
    PropertyType.TEXT: (str,),
    PropertyType.NUMBER: (int, float),
    PropertyType.BOOLEAN: (bool,),
    PropertyType.OBJECT: (dict,),
    PropertyType.LIST: (list,),
}

PropertyName = Annotated[Name, AfterValidator(spoken)]


class PropertyDraft(Draft):
    """A fact that an event may carry."""

    name: PropertyName
    type: PropertyType = PropertyType.ANY
    required: bool = False
    purpose: Text = ""

    def accepts(self, value: Any) -> bool:
        """Whether a value is of the property's type; nothing at all is of every type."""
        if value is None or self.type is PropertyType.ANY:
            return True
        if isinstance(value, bool):
            return self.type is PropertyType.BOOLEAN
        return isinstance(value, _TYPES[self.type])


class EventDraft(Draft):
    """An event that may be stored, what for and for how long."""

    event: PropertyName
    purpose: Text = ""
    retention: Duration | None = None
    properties: tuple[PropertyDraft, ...] = Field(default=(), max_length=500)

    @property
    def key(self) -> str:
        """What it is known by."""
        return self.event

    @cached_property
    def by_name(self) -> Mapping[str, PropertyDraft]:
        """The properties by their names."""
        return {each.name: each for each in self.properties}

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if len(self.by_name) < len(self.properties):
            raise ValueError("properties: two have the same name")
        return self


class TrackingDraft(Draft):
    """A whole plan."""

    mode: Mode = Mode.OBSERVE
    events: tuple[EventDraft, ...] = Field(default=(), max_length=2_000)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [each.event for each in self.events]
        if len(set(names)) < len(names):
            raise ValueError("events: two have the same name")
        return self


class Unplanned(Exception):
    """A message that the plan does not allow."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Admission(NamedTuple):
    """What may be stored of a message, and what there is to say about it."""

    properties: Mapping[str, Any]
    notes: tuple[str, ...] = ()


_UNLISTED = EventDraft(event="-")
_SPOKEN = frozenset({"identify", "alias", "group"})
_NETWORK = {"ip", "ipaddress", "ipv4", "ipv6", "clientip", "userip", "remoteip", "remoteaddr"}
_NETWORK |= {"remoteaddress", "xforwardedfor", "forwardedfor", "useragent", "rawuseragent", "httpuseragent"}


_NESTED = frozenset({dict, list})


@dataclass(frozen=True)
class TrackingPlan:
    """The plan in force, as the doors hold it in memory."""

    version: int = 0
    draft: TrackingDraft = field(default_factory=TrackingDraft)

    @cached_property
    def events(self) -> Mapping[str, EventDraft]:
        """The listed events by name."""
        return {each.event: each for each in self.draft.events}

    @cached_property
    def is_blank(self) -> bool:
        """Whether nothing is planned yet, so that nothing is out of plan."""
        return self.draft.mode is Mode.OBSERVE and not self.draft.events

    def lists(self, event: str, name: str) -> bool:
        """Whether a property of an event is listed."""
        return name in self.events.get(event, _UNLISTED).by_name

    def admit(self, event: str, properties: Mapping[str, Any]) -> Admission:
        """Judge a message.

        Raises
        ------
        Unplanned
            If the plan is enforced and does not allow it.
        """
        if self.is_blank:
            kept, dropped = _without_network(properties, _UNLISTED)
            return Admission(kept, ("dropped",) * dropped)
        mode = self.draft.mode
        if event == EXPOSURE and mode is Mode.ENFORCE:
            mode = Mode.FILTER
        listed = self.events.get(event)
        if listed is None and mode is Mode.ENFORCE and event not in _SPOKEN:
            raise Unplanned("unplanned_event", f"event: {event!r} is not in the tracking plan")
        kept, dropped = _without_network(properties, listed or _UNLISTED)
        notes = ["dropped"] * dropped
        if listed is None and event not in _SPOKEN and event != EXPOSURE:
            notes.append("unknown")
        wrong = list(_wrong(listed or _UNLISTED, kept))
        if wrong and mode is Mode.ENFORCE:
            code, name, detail = wrong[0]
            raise Unplanned(f"{code}_property", f"properties.{name}: {detail}")
        if mode is Mode.OBSERVE:
            return Admission(kept, (*notes, *(code for code, _, _ in wrong)))
        gone = {name for code, name, _ in wrong if code != "missing"}
        notes += ["dropped"] * len(gone) + ["missing" for code, _, _ in wrong if code == "missing"]
        return Admission({name: value for name, value in kept.items() if name not in gone}, tuple(notes))


def _wrong(listed: EventDraft, properties: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name the properties that are out of plan: the kind of problem, the name, and what is expected."""
    for name, value in properties.items():
        planned = listed.by_name.get(name)
        if planned is None:
            yield "unplanned", name, "is not in the tracking plan"
        elif not planned.accepts(value):
            yield "mistyped", name, f"expected a {planned.type}"
    for planned in listed.properties:
        if planned.required and properties.get(planned.name) is None:
            yield "missing", planned.name, "is required by the tracking plan"


def _without_network(properties: Mapping[str, Any], listed: EventDraft) -> tuple[Mapping[str, Any], int]:
    """Leave out what says where somebody is or which browser they use, however deep it lies."""
    if _NESTED.isdisjoint(map(type, properties.values())) and not any(map(_of_network, properties)):
        return properties, 0
    kept: dict[str, Any] = {}
    dropped = 0
    for name, value in properties.items():
        if _of_network(name) and name not in listed.by_name:
            dropped += 1
            continue
        if isinstance(value, dict | list):
            kept[name], below = _cleaned(value)
            dropped += below
        else:
            kept[name] = value
    return kept, dropped


def _cleaned(value: Any) -> tuple[Any, int]:
    if isinstance(value, dict):
        return _without_network(value, _UNLISTED)
    if isinstance(value, list):
        parts = [_cleaned(each) for each in value]
        return [part for part, _ in parts], sum(dropped for _, dropped in parts)
    return value, 0


@lru_cache(4_096)
def _of_network(name: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _NETWORK
