"""The subject: what a report says beside its numbers. A shared link carries it as it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.catalog import Experiment
from experiments.definition import HypothesisDraft
from experiments.registry import Metric
from experiments.reports import ReportDraft
from web.wording import Names
from web.wording.language import html_tag
from web.wording.measures import Measure
from web.wording.names import measure_of


@dataclass(frozen=True, slots=True)
class Subject:
    """An experiment's names and words."""

    key: str
    title: str
    hypothesis: HypothesisDraft
    source: str
    metrics: Mapping[str, Mapping[str, str]]
    variants: Mapping[str, str]
    texts: ReportDraft

    @property
    def names(self) -> Names:
        """What to call everything, in the reader's language."""
        title = "title_zh" if html_tag().startswith("zh") else "title"
        return Names(
            metrics={key: each[title] or each["title"] for key, each in self.metrics.items()},
            variants=self.variants,
            measures={key: Measure(each["format"], each["unit"]) for key, each in self.metrics.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        return {
            "key": self.key,
            "title": self.title,
            "hypothesis": self.hypothesis.model_dump(mode="json"),
            "source": self.source,
            "metrics": {key: dict(each) for key, each in self.metrics.items()},
            "variants": dict(self.variants),
            "texts": self.texts.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Subject":
        """Read what `to_json` wrote."""
        return cls(
            document["key"],
            document["title"],
            HypothesisDraft.model_validate(document["hypothesis"]),
            document["source"],
            document["metrics"],
            document["variants"],
            ReportDraft.model_validate(document["texts"]),
        )


def subject_of(experiment: Experiment, metrics: Mapping[str, Metric], texts: ReportDraft) -> Subject:
    """Collect what there is to say about an experiment now."""
    definition = experiment.definition
    return Subject(
        key=experiment.key,
        title=experiment.title,
        hypothesis=definition.hypothesis,
        source=definition.source,
        metrics={key: _told(metric) for key, metric in metrics.items()},
        variants={each.key: each.name or each.key for each in definition.variants},
        texts=texts,
    )


def _told(metric: Metric) -> dict[str, str]:
    measure, definition = measure_of(metric), metric.definition
    return {
        "title": definition.title,
        "title_zh": definition.title_in("zh"),
        "format": measure.format,
        "unit": measure.unit,
    }
