"""The subject: what a report says beside its numbers. A shared link carries it as it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.catalog import Experiment, Metric
from experiments.definition import HypothesisDraft
from experiments.reports import ReportDraft
from web.wording import Names
from web.wording.names import names_of


@dataclass(frozen=True, slots=True)
class Subject:
    """An experiment's names and words."""

    key: str
    title: str
    hypothesis: HypothesisDraft
    source: str
    names: Names
    texts: ReportDraft

    def to_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        return {
            "key": self.key,
            "title": self.title,
            "hypothesis": self.hypothesis.model_dump(mode="json"),
            "source": self.source,
            "metrics": dict(self.names.metrics),
            "variants": dict(self.names.variants),
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
            Names(document["metrics"], document["variants"]),
            ReportDraft.model_validate(document["texts"]),
        )


def subject_of(experiment: Experiment, metrics: Mapping[str, Metric], texts: ReportDraft) -> Subject:
    """Collect what there is to say about an experiment now."""
    definition = experiment.definition
    names = names_of(experiment, metrics)
    return Subject(experiment.key, experiment.title, definition.hypothesis, definition.source, names, texts)
