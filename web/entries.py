"""Entries: an experiment on one line, with how it stands, for every page that lists experiments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis import Finding, Readout, Recommendation
from analysis.figures.strips import Strip, strip_of
from experiments.catalog import Experiment
from experiments.readouts import Snapshot
from experiments.registry import Metric
from web.wording import Conclusion, conclude, numbers, tone_of
from web.wording.checks import days_run, planned_days
from web.wording.names import names_of
from web.wording.verdict import goal_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list."""

    experiment: Experiment
    readout: Readout | None = None
    conclusion: Conclusion | None = None
    goal: Finding | None = None
    tone: str = "quiet"
    goal_name: str = ""
    goal_text: str = ""
    goal_interval: str = ""
    strip: Strip | None = None

    @property
    def healthy(self) -> bool | None:
        """Whether the data can be trusted; None as long as there are none."""
        if self.readout is None or not any(self.readout.units.values()):
            return None
        return not self.readout.failed

    @property
    def days(self) -> tuple[int, int | None] | None:
        """Days run, and days planned."""
        return None if self.readout is None else (days_run(self.readout), planned_days(self.readout))


def entries_of(
    experiments: Sequence[Experiment], newest: Mapping[str, Snapshot], metrics: Mapping[str, Metric]
) -> list[Entry]:
    """Put the newest readout beside each experiment."""
    found = {key: snapshot.readout for key, snapshot in newest.items()}
    return [entry_of(each, found.get(each.key), metrics) for each in experiments]


def entry_of(
    experiment: Experiment,
    readout: Readout | None,
    metrics: Mapping[str, Metric],
    *,
    about: str | None = None,
) -> Entry:
    """Word one line; an untrusted result shows no number.

    Parameters
    ----------
    about
        The variant whose number is shown; by default the one that the verdict is about.
    """
    if readout is None:
        return Entry(experiment)
    names = names_of(experiment, metrics)
    conclusion = conclude(readout, names)
    goal = goal_of(readout, about or readout.verdict.variant)
    if readout.verdict.recommendation is Recommendation.DO_NOT_READ or goal is None or goal.lift is None:
        return Entry(experiment, readout, conclusion)
    return Entry(
        experiment,
        readout,
        conclusion,
        goal,
        tone_of(readout, goal),
        names.metric(goal.metric),
        numbers.lift(goal.lift),
        numbers.lift_range(goal.lift),
        strip_of(goal.lift),
    )
