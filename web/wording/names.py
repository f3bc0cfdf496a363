"""Names: what a reader calls the metrics and variants of an experiment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.catalog import Experiment
from experiments.registry import Metric
from web.wording.language import gettext, html_tag
from web.wording.legibility import legible
from web.wording.measures import Measure

LONGEST_IN_SENTENCE = 40
"""A name longer than this would drown a sentence; its key stands in."""


@dataclass(frozen=True, slots=True)
class Names:
    """Full names by key, and short ones for sentences, tables and canvases."""

    metrics: Mapping[str, str]
    variants: Mapping[str, str]
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def measure(self, key: str) -> Measure:
        """What a metric's values are counted in."""
        return self.measures.get(key, Measure())

    def metric(self, key: str) -> str:
        """What to call a metric."""
        return _short(self.metrics.get(key, key), key)

    def variant(self, key: str) -> str:
        """What to call a variant."""
        return _short(self.variants.get(key, key), key)

    def segment(self, name: str, value: str | None) -> str:
        """What to call the units with one value of a segment."""
        words = gettext("unknown") if value is None or value == "" else clipped(legible(value)) or "–"
        return gettext("%(segment)s: %(value)s", segment=clipped(legible(name)), value=words)

    def long_variant(self, key: str) -> str:
        """The full name of a variant where the short one hides it; otherwise nothing."""
        name = legible(self.variants.get(key, key))
        return "" if name == self.variant(key) else name


def names_of(experiment: Experiment, metrics: Mapping[str, Metric]) -> Names:
    """Collect the names that an experiment's readout needs."""
    return Names(
        metrics={key: metric_title(metric) for key, metric in metrics.items()},
        variants={each.key: each.name or each.key for each in experiment.definition.variants},
        measures={key: measure_of(metric) for key, metric in metrics.items()},
    )


def metric_title(metric: Metric) -> str:
    """What a metric is called in the reader's language."""
    return metric.definition.title_in(html_tag())


def reading_order(title: str) -> list[tuple[bool, int, str]]:
    """Where a title stands in a list that people read: numbers in it count by their size."""
    parts = [part for part in re.split(r"([0-9]{1,9})", title.casefold()) if part]
    counts = [part.isascii() and part.isdecimal() for part in parts]
    return [(not count, int(part) if count else 0, part) for part, count in zip(parts, counts, strict=True)]


def measure_of(metric: Metric) -> Measure:
    """What a metric's values are counted in; times until an event are counted in milliseconds."""
    if metric.definition.kind == "time_to_event":
        return Measure("span")
    return Measure(metric.definition.shown_as, legible(metric.definition.unit))


def clipped(text: str) -> str:
    """A text that no sentence drowns in; what is cut off is marked."""
    return text if len(text) <= LONGEST_IN_SENTENCE else text[: LONGEST_IN_SENTENCE - 1] + "…"


def _short(name: str, key: str) -> str:
    readable = legible(name)
    return readable if readable and len(name) <= LONGEST_IN_SENTENCE else key
