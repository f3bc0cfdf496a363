"""The question: what to count, and which variables stand for each metric."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from assignment.targeting import Condition, Segments
from experiments.fields import length_of
from experiments.metrics import ONE_NUMBER, MetricDraft

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SEEN = "seen_before"
"""The covariate that says whether a unit was seen before its exposure at all."""

LIFECYCLE, RFM = "lifecycle", "rfm"
HISTORIC = frozenset({LIFECYCLE, RFM})
"""The segments that are counted from what happened before the exposure."""

ADDING = frozenset({"sum", "count", "max"})
"""The aggregations whose level after a day follows from the levels before it and the day's own events."""

BUNDLE = 8
"""Metrics that share a pass: their numbers stand side by side in one row, and every row is as wide."""

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Bots:
    """Which units are no people."""

    events_per_day: int | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What to count.

    Attributes
    ----------
    since, until
        The phase, in milliseconds: exposures in [since, until); events up to ``horizon``.
    horizon
        The present moment of the analysis, in milliseconds: what happened later has not happened yet.
    earliest
        No exposure from before this moment is looked at, in milliseconds; None for any.
    others
        Metrics that are not asked for themselves: parts of ratios, and covariates.
    back
        Milliseconds before a unit's first exposure over which covariates are counted; 0 for none.
    also
        Keys of metrics that every metric is adjusted for besides itself.
    segments
        The planned segments: names of attributes, keys of ``saved`` ones, and the historic ones.
    saved
        Saved segments by key, and those that they name.
    gap
        Milliseconds without an event that end a session.
    aged
        Keys of the metrics whose gains are wanted day by day since the exposure.
    channel
        The property that names the channel of an event; None for no credits.
    beside
        Other experiments by the name of a segment: its values are their variants.
    past
        Whether there was no experiment: every unit that did anything in the phase counts, as if it had been
        exposed with the first thing that it did.
    ours
        Whether our own rules assign the units, so that an exposure can disagree with them.
    """

    experiment: str
    unit_type: str
    variants: Sequence[str]
    metrics: Sequence[MetricDraft]
    since: int
    until: int
    horizon: int
    others: Sequence[MetricDraft] = ()
    back: int = 0
    also: Sequence[str] = ()
    segments: Sequence[str] = ()
    saved: Segments = field(default_factory=dict)
    bots: Bots | None = None
    gap: int = 30 * 60_000
    aged: frozenset[str] = frozenset()
    channel: str | None = None
    beside: Mapping[str, "Question"] = field(default_factory=dict)
    earliest: int | None = None
    past: bool = False
    ours: bool = False

    @property
    def counted(self) -> tuple[MetricDraft, ...]:
        """Every metric that events are counted for, ratios left out."""
        everyone = {each.key: each for each in (*self.metrics, *self.others)}
        return tuple(each for each in everyone.values() if each.kind != "ratio")

    @property
    def by_key(self) -> Mapping[str, MetricDraft]:
        """All definitions."""
        return {each.key: each for each in (*self.others, *self.metrics)}

    @property
    def before_keys(self) -> frozenset[str]:
        """Keys of the metrics whose values before the exposure are covariates of any."""
        return frozenset(key for metric in self.metrics for key in self.predecessors(metric))

    @property
    def historic(self) -> bool:
        """Whether anything from before the exposure is wanted that covariates do not reach."""
        return not HISTORIC.isdisjoint(self.segments)

    def parts(self, metric: MetricDraft) -> tuple[MetricDraft, ...]:
        """The counted metrics that a metric is made of; itself when it is no ratio."""
        if metric.kind != "ratio":
            return (metric,)
        return tuple(self.by_key[key] for key in metric.parts)

    def predecessors(self, metric: MetricDraft) -> tuple[str, ...]:
        """Keys of the metrics whose values before the exposure a metric is adjusted for."""
        return predecessors(metric, self.back, self.also)

    def width(self, metric: MetricDraft) -> int:
        """How many variables the metric's moments have."""
        own = len(metric.steps) if metric.kind == "funnel" else len(self.parts(metric))
        return own + len(covariates(metric, self.back, self.also))

    def by_first(self, metric: MetricDraft) -> bool:
        """Whether a growing metric's level on each day follows from when its event happened first."""
        return metric.kind == "proportion" and metric.at_least == 1 and self.runs(metric)

    def bundles(self) -> list[tuple[MetricDraft, ...]]:
        """Metrics that are added up in one pass: those of the same span, some at a time."""
        spans: dict[int, list[MetricDraft]] = {}
        for metric in self.metrics:
            if metric.kind != "quantile":
                spans.setdefault(self.span(metric), []).append(metric)
        return [bundle for same in spans.values() for bundle in in_bundles(same)]

    def span(self, metric: MetricDraft) -> int:
        """Milliseconds after its exposure until a unit counts for the metric."""
        return span_of(self.parts(metric))

    def grows(self, metric: MetricDraft) -> bool:
        """Whether units count from their arrival, and their values grow day by day."""
        return all(_span(part) == 0 for part in self.parts(metric))

    def runs(self, metric: MetricDraft) -> bool:
        """Whether a growing metric's level on each day can be followed."""
        adding = all(
            part.kind == "proportion" or (part.kind == "mean" and part.aggregation in ADDING)
            for part in self.parts(metric)
        )
        return adding and self.grows(metric)


def in_bundles(metrics: Sequence[MetricDraft]) -> list[tuple[MetricDraft, ...]]:
    """Some metrics at a time: an answer's row holds the numbers of them all."""
    return [tuple(metrics[start : start + BUNDLE]) for start in range(0, len(metrics), BUNDLE)]


def predecessors(metric: MetricDraft, back: int, also: Sequence[str]) -> tuple[str, ...]:
    """Keys of the metrics whose values before the exposure a metric is adjusted for."""
    if not back or metric.kind not in (*ONE_NUMBER, "ratio"):
        return ()
    return tuple(dict.fromkeys((*(metric.parts or (metric.key,)), *also)))


def covariates(metric: MetricDraft, back: int, also: Sequence[str]) -> tuple[str, ...]:
    """Names of the variables that follow a metric's own."""
    keys = predecessors(metric, back, also)
    return (*(f"{key}_before" for key in keys), SEEN) if keys else ()


def reach(metric: MetricDraft) -> tuple[int, int | None]:
    """From and to which age, in milliseconds since the exposure, events count; None for no end."""
    if metric.from_ is not None and metric.to is not None:
        return millis(metric.from_), millis(metric.to)
    return 0, None if metric.window is None else millis(metric.window)


def millis(duration: str) -> int:
    """A duration such as ``14d`` in milliseconds."""
    return length_of(duration) // _MILLISECOND


def span_of(parts: Iterable[MetricDraft]) -> int:
    """Milliseconds after its exposure until a unit counts for a metric that is made of these."""
    return max(_span(part) for part in parts)


def _span(metric: MetricDraft) -> int:
    return reach(metric)[1] or 0
