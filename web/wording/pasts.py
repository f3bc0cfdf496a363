"""Pasts in words: a metric's level over its last weeks, or why there is none."""

from collections.abc import Callable, Mapping

from experiments.metrics import MetricDraft
from experiments.pasts import NOBODY, Past
from web.wording import numbers
from web.wording.language import gettext
from web.wording.measures import Measure

SHARES = frozenset({"proportion", "retention", "funnel"})

Term = tuple[str, str]


def past_value(metric: MetricDraft, value: float) -> str:
    """Write a level of a metric in what it is counted in: a share in per cent, a time in its own unit."""
    if metric.kind == "time_to_event":
        return numbers.span(value)
    if metric.shown_as == "percent" or metric.kind in SHARES:
        return numbers.percent(value, numbers.value_decimals(value * 100))
    return Measure(metric.shown_as, metric.unit).beside(numbers.number(value, numbers.value_decimals(value)))


def past_terms(metric: MetricDraft, past: Past) -> tuple[Term, ...]:
    """List what the last weeks say; empty where nothing could be estimated."""
    if past.mean is None or past.variance is None:
        return ()
    spread = [(gettext("Spread"), past_value(metric, past.variance**0.5))]
    if metric.kind != "time_to_event":
        variance = numbers.number(past.variance, numbers.decimals_of(past.variance, digits=3, most=6))
        spread.append((gettext("Variance between units"), variance))
    return (
        (gettext("Mean"), past_value(metric, past.mean)),
        *spread,
        (gettext("Units counted"), numbers.whole(past.units)),
        (gettext("New units a day"), numbers.whole(past.daily_units)),
        (gettext("As of"), numbers.moment(past.as_of)),
    )


def missing_sentence(past: Past) -> str:
    """Say why a past has no level, or none to plan with; empty where it has one."""
    if not past.missing and past.variance == 0:
        return _MISSING["no_variation" if past.mean else "no_units"]()
    if not past.missing:
        return ""
    word = _MISSING.get(past.missing)
    return word() if word else gettext("Nothing could be counted: %(reason)s.", reason=past.missing)


_MISSING: Mapping[str, Callable[[], str]] = {
    NOBODY: lambda: gettext(
        "No unit was seen that has been there for long enough. See that events arrive, and that the metric's "
        "window is not longer than your history."
    ),
    "no_units": lambda: gettext(
        "Its event has not happened to anybody. Compare the event's name with what arrives."
    ),
    "zero_denominator": lambda: gettext("What it is divided by has not happened to anybody."),
    "no_variation": lambda: gettext("Every unit has the same value, so there is nothing to plan with."),
    "too_few_units": lambda: gettext("There are too few values to estimate it."),
    "not_finite": lambda: gettext("Its values are too large to be added up. Look for a fault in a sender."),
}
