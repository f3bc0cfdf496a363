"""Looking: what every door about a readout begins with."""

from collections.abc import Hashable
from dataclasses import dataclass

from experiments import catalog, readouts, registry, reports
from experiments.catalog import Experiment
from experiments.errors import NotFound
from experiments.interruptions import Interruption, find_interruption
from experiments.readouts import Snapshot
from experiments.registry import Metric
from experiments.reports import Report
from experiments.store import Session
from web import deployment
from web.reporting.subject import Subject, subject_of
from web.wording.hypothesis import hypothesis_sentence


@dataclass(frozen=True, slots=True)
class Look:
    """An experiment, what people wrote about it, and which of its readouts is looked at.

    ``snapshot_id`` is None before the first analysis. The readout itself is only fetched to draw it. An
    ``interruption`` says that there is no fresher one, and why.
    """

    experiment: Experiment
    metrics: dict[str, Metric]
    report: Report
    snapshot_id: int | None
    interruption: Interruption | None = None

    @property
    def hypothesis(self) -> str:
        """What is believed, as a sentence."""
        return hypothesis_sentence(self.experiment.definition.hypothesis)

    @property
    def subject(self) -> Subject:
        """What there is to say beside the numbers."""
        return subject_of(self.experiment, self.metrics, self.report.texts)

    @property
    def state(self) -> tuple[Hashable, ...]:
        """What all that is drawn of it depends on, beside the language."""
        versions = tuple((metric.key, metric.version) for metric in self.metrics.values())
        revisions = (self.experiment.revision, self.report.revision)
        return (self.snapshot_id, self.experiment.key, *revisions, versions)

    def snapshot(self) -> Snapshot:
        """Fetch the readout, in a transaction of its own.

        Raises
        ------
        NotFound
            If there is none yet.
        """
        with deployment.current().store.read() as session:
            return self.snapshot_in(session)

    def snapshot_in(self, session: Session) -> Snapshot:
        """Fetch the readout.

        Raises
        ------
        NotFound
            If there is none yet.
        """
        if self.snapshot_id is None:
            raise NotFound(f"{self.experiment.key} has not been analysed yet")
        return readouts.find_snapshot(session=session, key=self.experiment.key, id=self.snapshot_id)


def look_at(*, session: Session, key: str, snapshot_id: int | None = None) -> Look:
    """Look at the newest readout of an experiment, or at the one of that number."""
    experiment = catalog.find_experiment(session=session, key=key)
    metrics = registry.find_metrics(session=session, keys=experiment.definition.metrics.keys)
    report = reports.find_report(session=session, key=key)
    if snapshot_id is None:
        snapshot_id = readouts.latest_id(session=session, key=key)
    interruption = find_interruption(session=session, key=key)
    return Look(experiment, metrics, report, snapshot_id, interruption)
