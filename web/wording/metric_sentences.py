"""Metrics in one sentence each: how it is counted, and which way is better."""

from collections.abc import Callable, Mapping

from experiments.metrics import MetricDraft
from web.wording import numbers
from web.wording.language import gettext, joined


def metric_sentence(metric: MetricDraft) -> str:
    """Say how a metric is counted, and which way is better."""
    more = gettext("More is better.") if metric.direction == "increase" else gettext("Less is better.")
    counted = _KINDS[metric.kind](metric)
    if metric.window is None:
        return joined(counted, more)
    window = gettext("Counted for %(window)s after the exposure.", window=metric.window)
    return joined(counted, window, more)


def _proportion(metric: MetricDraft) -> str:
    if metric.at_least == 1:
        return gettext("Share of units with at least one “%(event)s”.", event=metric.event)
    return gettext(
        "Share of units with “%(event)s” at least %(count)s times.", event=metric.event, count=metric.at_least
    )


def _mean(metric: MetricDraft) -> str:
    words: Mapping[str, Callable[[], str]] = {
        "sum": lambda: _sum(metric),
        "count": lambda: gettext("Number of “%(event)s” for each unit.", event=metric.event),
        "count_distinct": lambda: gettext(
            "Number of different values of %(value)s in “%(event)s” for each unit.",
            value=metric.value,
            event=metric.event,
        ),
        "max": lambda: gettext("Largest value of “%(event)s” for each unit.", event=metric.event),
        "last": lambda: gettext("Latest value of “%(event)s” for each unit.", event=metric.event),
        "days": lambda: gettext("Number of days with %(event)s for each unit.", event=_event_or_any(metric)),
        "sessions": lambda: gettext(
            "Number of sessions with %(event)s for each unit.", event=_event_or_any(metric)
        ),
    }
    return words[metric.aggregation]()


def _sum(metric: MetricDraft) -> str:
    if metric.value == "value":
        return gettext("Sum of the values of “%(event)s” for each unit.", event=metric.event)
    return gettext("Sum of %(value)s of “%(event)s” for each unit.", value=metric.value, event=metric.event)


def _ratio(metric: MetricDraft) -> str:
    return gettext(
        "%(numerator)s divided by %(denominator)s, over all units together.",
        numerator=metric.numerator,
        denominator=metric.denominator,
    )


def _retention(metric: MetricDraft) -> str:
    words = {"first": metric.from_, "last": metric.to, "event": _event_or_any(metric)}
    if metric.lost:
        return gettext(
            "Share of units without %(event)s from %(first)s to %(last)s after their exposure.", **words
        )
    return gettext("Share of units with %(event)s from %(first)s to %(last)s after their exposure.", **words)


def _quantile(metric: MetricDraft) -> str:
    level = numbers.tick_share(metric.quantile or 0.5)
    words = {"share": level, "value": metric.value, "event": metric.event}
    if metric.per == "unit":
        return gettext("What %(share)s of the units stay below with %(value)s of their “%(event)s”.", **words)
    return gettext("What %(share)s of all “%(event)s” stay below with their %(value)s.", **words)


def _funnel(metric: MetricDraft) -> str:
    steps = " → ".join(metric.steps)
    return gettext("Share of units that go through all steps in order: %(steps)s.", steps=steps)


def _time_to_event(metric: MetricDraft) -> str:
    return gettext("Time from the exposure to the first “%(event)s”.", event=metric.event)


def _event_or_any(metric: MetricDraft) -> str:
    if metric.event is None:
        return gettext("any event")
    return gettext("“%(event)s”", event=metric.event)


_KINDS: Mapping[str, Callable[[MetricDraft], str]] = {
    "proportion": _proportion,
    "mean": _mean,
    "ratio": _ratio,
    "retention": _retention,
    "quantile": _quantile,
    "funnel": _funnel,
    "time_to_event": _time_to_event,
}
