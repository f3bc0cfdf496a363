"""Health: whether the data can be trusted, check by check, and where units were left out."""

from flask import render_template

from web.looking import Look
from web.pages.looking import drawn, look_at
from web.pages.site import site
from web.reporting.results import split_of
from web.wording.health import (
    diagnose,
    health_sentence,
    mix_sentence,
    mix_table,
    quality_terms,
    stages_table,
)


@site.get("/experiments/<key>/health", endpoint="health")
def show_health(key: str) -> str:
    """Every check on the newest readout's data."""
    look = look_at(key)
    if look.snapshot_id is None:
        return render_template("no_results.html", look=look)
    return render_template("health.html", look=look, body=drawn(look, "health", lambda: _body(look)))


def _body(look: Look) -> str:
    readout, names = look.snapshot().readout, look.subject.names
    return render_template(
        "_health_body.html",
        readout=readout,
        names=names,
        sentence=health_sentence(readout),
        diagnoses=diagnose(readout, names),
        split=split_of(readout, names),
        stages=stages_table(readout, names),
        mixes=[(mix_table(mix, readout, names), mix_sentence(mix), mix.passed) for mix in readout.mixes],
        quality=quality_terms(readout, names),
    )
