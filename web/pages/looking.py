"""Looking: what every page about a readout begins with, and how the drawn part of it is kept."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import flask_babel
from markupsafe import Markup

from experiments import catalog, readouts, reports
from experiments.catalog import Experiment, Metric
from experiments.errors import NotFound
from experiments.readouts import Snapshot
from experiments.reports import Report
from web import deployment
from web.reporting.subject import Subject, subject_of
from web.wording.hypothesis import hypothesis_sentence


@dataclass(frozen=True, slots=True)
class Look:
    """An experiment, what people wrote about it, and which of its readouts is looked at.

    ``snapshot_id`` is None before the first analysis. The readout itself is only fetched to draw it.
    """

    experiment: Experiment
    metrics: dict[str, Metric]
    report: Report
    snapshot_id: int | None

    @property
    def hypothesis(self) -> str:
        """What is believed, as a sentence."""
        return hypothesis_sentence(self.experiment.definition.hypothesis)

    @property
    def subject(self) -> Subject:
        """What there is to say beside the numbers."""
        return subject_of(self.experiment, self.metrics, self.report.texts)

    def snapshot(self) -> Snapshot:
        """Fetch the readout.

        Raises
        ------
        NotFound
            If there is none yet.
        """
        if self.snapshot_id is None:
            raise NotFound(f"{self.experiment.key} has not been analysed yet")
        with deployment.current().store.read() as session:
            return readouts.find_snapshot(session=session, key=self.experiment.key, id=self.snapshot_id)


def look_at(key: str, *, snapshot_id: int | None = None) -> Look:
    """Begin a page: the newest readout, or the one of that number."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = catalog.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        report = reports.find_report(session=session, key=key)
        if snapshot_id is None:
            snapshot_id = readouts.latest_id(session=session, key=key)
    return Look(experiment, metrics, report, snapshot_id)


def drawn(look: Look, kind: str, make: Callable[[], str], *about: Hashable) -> Markup:
    """The part of a page that holds nothing of a person: from the shelf, or made now.

    Parameters
    ----------
    about
        What else it depends on, beside the readout, the texts, the names and the language.
    """
    versions = tuple((metric.key, metric.version) for metric in look.metrics.values())
    state = (look.snapshot_id, look.experiment.key, look.experiment.revision, look.report.revision, versions)
    key = (kind, str(flask_babel.get_locale()), state, about)
    return Markup(deployment.current().shelf.get(key, make))  # noqa: S704 - our own templates' output
