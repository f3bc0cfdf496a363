"""Pasts in words: a metric's level over its last weeks."""

from experiments.metrics import MetricDraft
from web.wording import numbers

SHARES = frozenset({"proportion", "retention", "funnel"})


def past_value(metric: MetricDraft, value: float) -> str:
    """Write a level of a metric: a share in per cent, anything else as a number."""
    if metric.kind in SHARES:
        return numbers.percent(value, numbers.decimals_of(abs(value) * 100, digits=3))
    return numbers.number(value, numbers.decimals_of(abs(value), digits=3))
