"""Results: the conclusion first, then health, metrics, time, split, and how it was computed."""

from dataclasses import dataclass

from flask import render_template, request

from analysis import Readout
from experiments import readouts
from experiments.readouts import Snapshot
from experiments.roles import Scope
from web import auth, deployment
from web.looking import Look
from web.pages.looking import drawn, look_at
from web.pages.site import site
from web.reporting.compared import compared_of
from web.reporting.explored import funnels_of, retention_of, segments_of
from web.reporting.report import texts_of
from web.reporting.results import results_of
from web.wording.health import stages_table
from web.wording.verdict import recommendation_word


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader chose to see: another baseline, one segment, another curve, an earlier readout."""

    against: str
    segment: str
    show: str
    snapshot: int | None


@site.get("/experiments/<key>/results", endpoint="results")
def show_results(key: str) -> str:
    """A readout of an experiment, or a calm word that there is none yet."""
    look = look_at(key, snapshot_id=_number("snapshot"))
    if look.snapshot_id is None:
        return render_template("no_results.html", look=look)
    asked = _asked()
    if asked.against and asked.against != look.experiment.definition.control:
        body = drawn(look, "against", lambda: _seen_against(look, asked), asked)
    else:
        writes = auth.asking().may(Scope.WRITE)  # the texts have a link for those who may change them
        body = drawn(look, "results", lambda: _body(look, asked), asked, writes)
    return render_template("results.html", look=look, body=body, older=asked.snapshot)


@site.get("/experiments/<key>/snapshots", endpoint="snapshots")
def show_snapshots(key: str) -> str:
    """The readouts of an experiment, day by day, to look at or to compare with."""
    look = look_at(key)
    with deployment.current().store.read() as session:
        lines = readouts.list_snapshots(session=session, key=key)
    return render_template("snapshots.html", look=look, lines=lines, recommendation=recommendation_word)


@site.get("/experiments/<key>/snapshots/<int:first>/<int:second>", endpoint="compare_snapshots")
def compare_snapshots(key: str, first: int, second: int) -> str:
    """Two readouts of an experiment beside each other."""
    look = look_at(key)
    with deployment.current().store.read() as session:
        earlier = readouts.find_snapshot(session=session, key=key, id=min(first, second))
        later = readouts.find_snapshot(session=session, key=key, id=max(first, second))
    compared = compared_of(earlier.readout, later.readout, look.subject.names)
    return render_template("compared.html", look=look, compared=compared, earlier=earlier.id, later=later.id)


def _body(look: Look, asked: Asked) -> str:
    readout, subject = look.snapshot().readout, look.subject
    names = subject.names
    return render_template(
        "_results_body.html",
        subject=subject,
        asked=asked,
        results=results_of(readout, names, wanted=asked.show, segment=asked.segment),
        funnels=funnels_of(readout, names, most=1),
        segments=segments_of(readout, names)[:1],
        retained=retention_of(readout, names),
        stages=stages_table(readout, names),
        texts=texts_of(subject, readout),
        baselines=_baselines(look, readout),
    )


def _seen_against(look: Look, asked: Asked) -> str:
    readout, names = _turned(look.snapshot(), asked.against), look.subject.names
    return render_template(
        "_against_body.html",
        subject=look.subject,
        asked=asked,
        results=results_of(readout, names, segment=asked.segment),
        planned=names.variant(look.experiment.definition.control),
        baselines=_baselines(look, readout),
    )


def _turned(snapshot: Snapshot, control: str) -> Readout:
    with deployment.current().store.read() as session:
        return readouts.against(session=session, snapshot=snapshot, control=control)


def _baselines(look: Look, readout: Readout) -> list[tuple[str, str]]:
    return [(key, look.subject.names.variant(key)) for key in readout.plan.weights]


def _asked() -> Asked:
    told = request.args
    return Asked(told.get("against", ""), told.get("segment", ""), told.get("show", ""), _number("snapshot"))


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else None
