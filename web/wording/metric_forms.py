"""Metrics in words: their kinds, the fields of each, and what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.metrics import MetricDraft
from web.wording import numbers
from web.wording.conditions import condition_sentence
from web.wording.language import gettext

TEXTS = ("key", "name", "name_zh", "description", "description_zh", "owner", "unit", "format")
FIELDS = (
    *TEXTS,
    *("kind", "event", "aggregation", "value", "at_least", "numerator", "denominator", "from", "to", "lost"),
    *("quantile", "per", "steps", "where", "match", "window", "cap", "scale"),
    *("direction", "margin", "minimum"),
)

_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "proportion": ("event", "at_least", "window", "where"),
    "mean": ("event", "aggregation", "value", "window", "cap", "where"),
    "ratio": ("numerator", "denominator"),
    "retention": ("event", "from", "to", "lost", "where"),
    "quantile": ("event", "value", "quantile", "per", "window", "where"),
    "funnel": ("steps", "window", "where"),
    "time_to_event": ("event", "window", "where"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of metric is called, and what it answers."""

    name: str
    question: str


def kinds() -> dict[str, Kind]:
    """All kinds, in the order in which they are offered."""
    return {
        "proportion": Kind(gettext("Share"), gettext("How many of the units do it at all?")),
        "mean": Kind(gettext("Mean"), gettext("How often, how much or how many for each unit?")),
        "ratio": Kind(gettext("Ratio"), gettext("One metric for each of another, such as value per order?")),
        "retention": Kind(gettext("Retention"), gettext("Who comes back in a window of days?")),
        "quantile": Kind(gettext("Quantile"), gettext("How slow are the slowest, or what is the median?")),
        "funnel": Kind(gettext("Funnel"), gettext("Who goes through all steps in order?")),
        "time_to_event": Kind(gettext("Time to event"), gettext("How long until it happens?")),
    }


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields that a kind has beside its texts."""
    return _FIELDS_OF.get(kind, ())


def labels() -> dict[str, tuple[str, str]]:
    """What each field is called, and what it is for."""
    return {
        "key": (gettext("Key"), gettext("Permanent: letters, digits, dots, dashes, underscores.")),
        "name": (gettext("Name"), ""),
        "name_zh": (gettext("Name in Chinese"), ""),
        "description": (gettext("Description"), ""),
        "description_zh": (gettext("Description in Chinese"), ""),
        "owner": (gettext("Owner"), ""),
        "unit": (gettext("Counted in"), gettext("such as CNY, ms or orders")),
        "format": (gettext("Written as"), ""),
        "event": (gettext("Event"), gettext("the name under which it is recorded")),
        "aggregation": (gettext("For each unit"), ""),
        "value": (gettext("Value"), gettext("value, or the name of a property such as cart.total")),
        "at_least": (gettext("At least so many times"), ""),
        "numerator": (gettext("This metric"), ""),
        "denominator": (gettext("for each of this one"), ""),
        "from": (gettext("From"), gettext("after the exposure, such as 7d")),
        "to": (gettext("to"), gettext("such as 8d")),
        "lost": (gettext("Count those who do not come back (churn)"), ""),
        "quantile": (gettext("Quantile, per cent"), gettext("50 is the median")),
        "per": (gettext("Taken over"), ""),
        "steps": (gettext("Steps"), gettext("events in their order, separated by commas")),
        "window": (
            gettext("Counted for so long after the exposure"),
            gettext("such as 14d; empty for no end"),
        ),
        "cap": (
            gettext("Cut off above this quantile, per cent"),
            gettext("such as 99.9, so that one unit cannot decide"),
        ),
        "where": (gettext("Only events for which"), ""),
        "direction": (gettext("Better is"), ""),
        "margin": (gettext("Harm limit as a guardrail, per cent"), ""),
        "minimum": (gettext("Say nothing below so many units in an arm"), ""),
    }


def choices() -> dict[str, list[tuple[str, str]]]:
    """The options of fields that have some."""
    return {
        "aggregation": [
            ("sum", gettext("sum of its values")),
            ("count", gettext("number of events")),
            ("count_distinct", gettext("number of different values")),
            ("max", gettext("largest value")),
            ("last", gettext("last value")),
            ("days", gettext("number of days with it")),
            ("sessions", gettext("number of sessions")),
        ],
        "per": [("event", gettext("events")), ("unit", gettext("units"))],
        "direction": [("increase", gettext("more")), ("decrease", gettext("less"))],
        "format": [
            ("", gettext("as its kind suggests")),
            ("number", gettext("a number")),
            ("percent", gettext("per cent")),
            ("currency", gettext("money")),
            ("duration", gettext("a duration")),
        ],
        "lost": [("", gettext("no")), ("yes", gettext("yes"))],
    }


def facts(metric: MetricDraft) -> list[tuple[str, str]]:
    """A definition as terms and texts, for its page."""
    named = labels()
    stored = metric.model_dump(mode="json", by_alias=True)
    options = {name: dict(pairs) for name, pairs in choices().items()}
    told = [(gettext("Kind"), kinds()[metric.kind].name)]
    for name in (*fields_of(metric.kind), "direction", "unit", "owner"):
        value = stored.get(name)
        if value in (None, "", [], False):
            continue
        told.append((named[name][0], _told(name, value, options)))
    if metric.scale != 1:
        told.append((gettext("Multiplied by"), numbers.number(metric.scale, 4).rstrip("0")))
    if metric.margin is not None:
        told.append((named["margin"][0], numbers.tick_share(metric.margin)))
    if metric.minimum:
        told.append((named["minimum"][0], numbers.whole(metric.minimum)))
    return told


def roles() -> dict[str, str]:
    """What a metric is for in an experiment."""
    return {
        "primary": gettext("primary"),
        "secondary": gettext("secondary"),
        "guardrail": gettext("guardrail"),
        "covariate": gettext("narrows the intervals of the others"),
    }


def _told(name: str, value: object, options: Mapping[str, Mapping[str, str]]) -> str:
    if name == "where" and isinstance(value, dict):
        return condition_sentence(value)
    if name in options:
        return options[name].get(str(value), str(value))
    if name == "cap" and isinstance(value, dict):
        return numbers.tick_share(value["quantile"])
    if name == "quantile" and isinstance(value, float):
        return numbers.tick_share(value)
    if value is True:
        return gettext("yes")
    return " → ".join(map(str, value)) if isinstance(value, list) else str(value)
