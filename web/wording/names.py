"""Names: what a reader calls the metrics and variants of an experiment."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.catalog import Experiment, Metric

LONGEST_IN_SENTENCE = 40
"""A name longer than this would drown a sentence; its key stands in."""


@dataclass(frozen=True, slots=True)
class Names:
    """Full names by key, and short ones for sentences, tables and canvases."""

    metrics: Mapping[str, str]
    variants: Mapping[str, str]

    def metric(self, key: str) -> str:
        """What to call a metric."""
        return _short(self.metrics.get(key, key), key)

    def variant(self, key: str) -> str:
        """What to call a variant."""
        return _short(self.variants.get(key, key), key)

    def long_variant(self, key: str) -> str:
        """The full name of a variant where the short one hides it; otherwise nothing."""
        name = self.variants.get(key, key)
        return "" if name == self.variant(key) else name


def names_of(experiment: Experiment, metrics: Mapping[str, Metric]) -> Names:
    """Collect the names that an experiment's readout needs."""
    return Names(
        metrics={key: metric.definition.title for key, metric in metrics.items()},
        variants={each.key: each.name or each.key for each in experiment.definition.variants},
    )


def _short(name: str, key: str) -> str:
    return name if len(name) <= LONGEST_IN_SENTENCE else key
