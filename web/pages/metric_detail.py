"""Metric detail: one metric with its definition, its changes, its days and its raw numbers."""

from flask import Response, abort, render_template

from experiments import readouts
from experiments.registry import find_version
from web import deployment
from web.charts import intervals_chart
from web.looking import Look
from web.pages.looking import attached, drawn, look_at
from web.pages.site import site
from web.reporting.days import days_csv, days_table
from web.reporting.explored import ages_of, segments_of
from web.reporting.exported import BYTE_ORDER_MARK
from web.reporting.results import detail_of, over_time_of
from web.scorecard import lines_of
from web.wording.methods import interval_note
from web.wording.metrics import definition_terms, raw_table, version_terms
from web.wording.readings import overall


@site.get("/experiments/<key>/results/<metric>", endpoint="metric_detail")
def show_metric(key: str, metric: str) -> str:
    """One metric of an experiment."""
    look = look_at(key)
    if metric not in look.metrics:
        abort(404)
    if look.snapshot_id is None:
        return render_template("no_results.html", look=look)
    body = drawn(look, "metric", lambda: _body(look, metric), metric)
    return render_template("metric_detail.html", look=look, metric=look.metrics[metric], body=body)


@site.get("/experiments/<key>/results/<metric>/days.csv", endpoint="metric_days")
def export_days(key: str, metric: str) -> Response:
    """One metric day by day, as a file."""
    look = look_at(key)
    if metric not in look.metrics:
        abort(404)
    snapshot = look.snapshot()
    with deployment.current().store.read() as session:
        observation = readouts.observation_of(session=session, snapshot=snapshot)
    content = BYTE_ORDER_MARK + days_csv(observation, snapshot.readout, metric)
    return attached(content, f"evenhand-{key}-{metric}-days.csv", "text/csv; charset=utf-8")


def _body(look: Look, metric: str) -> str:
    snapshot, names = look.snapshot(), look.subject.names
    readout = snapshot.readout
    versions = {each.key: each.version for each in readout.plan.metrics}
    with deployment.current().store.read() as session:
        observation = readouts.observation_of(session=session, snapshot=snapshot)
        counted = find_version(session=session, key=metric, version=versions.get(metric))
    lines = lines_of(readout, names, metric=metric)
    series = [each for each in readout.series if each.metric == metric and each.points]
    return render_template(
        "_metric_body.html",
        subject=look.subject,
        readout=readout,
        interval_note=interval_note(readout),
        lines=lines,
        intervals=intervals_chart(lines),
        definition=(
            *definition_terms(counted.definition),
            *version_terms(counted, look.metrics[metric]),
        ),
        details=[detail_of(readout, names, each) for each in overall(readout) if each.metric == metric],
        over_time=[
            shown
            for place, each in enumerate(series)
            if (shown := over_time_of(readout, names, each, name=f"lift-{place}")) is not None
        ],
        metric=metric,
        days=days_table(observation, readout, metric, names),
        raw=raw_table(observation, readout, metric, names),
        segments=segments_of(readout, names, metric=metric),
        ages=ages_of(readout, names, metric=metric),
    )
