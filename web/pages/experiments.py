"""The list: every experiment on one line, with how it stands."""

from dataclasses import dataclass

from flask import render_template, request

from analysis import Finding, Readout, Recommendation
from experiments import catalog, readouts
from experiments.catalog import Experiment, Metric
from experiments.legibility import list_illegible
from experiments.lifecycle import Status
from web import deployment
from web.charts import Chart, sparklines_chart
from web.pages.site import site
from web.wording import Conclusion, conclude, numbers, tone_of
from web.wording.checks import days_run, planned_days
from web.wording.names import names_of
from web.wording.states import status_chip
from web.wording.verdict import goal_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    experiment: Experiment
    readout: Readout | None = None
    conclusion: Conclusion | None = None
    goal: Finding | None = None
    tone: str = "quiet"
    goal_text: str = ""
    goal_interval: str = ""

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


@site.get("/experiments", endpoint="experiments")
def show_list() -> str:
    """The list, narrowed by search words and status."""
    text, status = request.args.get("q", "").strip(), _status(request.args.get("status", ""))
    with deployment.current().store.read() as session:
        found = catalog.list_experiments(session=session, status=status, text=text)
        illegible = [each.key for each in list_illegible(session=session)]
        newest = readouts.latest_of_all(session=session)
        metrics = {metric.key: metric for metric in catalog.list_metrics(session=session)}
    entries = [_entry(each, newest.get(each.key), metrics) for each in found]
    return render_template(
        "experiments.html",
        entries=entries,
        illegible=illegible,
        text=text,
        status=status,
        statuses=[(each, status_chip(each).word) for each in Status],
        chip=status_chip,
        chart=_chart(entries),
    )


def _status(wanted: str) -> Status | None:
    return Status(wanted) if wanted in set(Status) else None


def _entry(experiment: Experiment, snapshot: readouts.Snapshot | None, metrics: dict[str, Metric]) -> Entry:
    if snapshot is None:
        return Entry(experiment)
    readout = snapshot.readout
    conclusion = conclude(readout, names_of(experiment, metrics))
    goal = goal_of(readout, readout.verdict.variant)
    if readout.verdict.recommendation is Recommendation.DO_NOT_READ or goal is None or goal.lift is None:
        return Entry(experiment, readout, conclusion)
    return Entry(
        experiment,
        readout,
        conclusion,
        goal,
        tone_of(readout, goal),
        numbers.lift(goal.lift),
        numbers.lift_range(goal.lift),
    )


def _chart(entries: list[Entry]) -> Chart | None:
    if not any(entry.goal for entry in entries):
        return None
    return sparklines_chart([(entry.goal, entry.tone) for entry in entries])
