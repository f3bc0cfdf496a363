"""Exploring: funnel, retention, segments and channels, for ideas and never for decisions."""

from flask import render_template, request

from analysis import Readout
from web.looking import Look
from web.pages.looking import drawn, look_at
from web.pages.site import site
from web.reporting.explored import (
    ages_of,
    funnels_of,
    lasting_of,
    mixes_of,
    retention_of,
    segments_of,
)
from web.wording import Names
from web.wording.channels import credit_tables
from web.wording.cohorts import heats_of
from web.wording.language import gettext

TABS = ("funnel", "retention", "segments", "channels")


@site.get("/experiments/<key>/explore", endpoint="explore")
def show_explored(key: str) -> str:
    """One of four ways to look closer."""
    look, wanted = look_at(key), request.args.get("tab", "")
    tab = wanted if wanted in TABS else TABS[0]
    if look.snapshot_id is None:
        return render_template("no_results.html", look=look)
    body = drawn(look, "explore", lambda: _body(look, tab), tab)
    return render_template("explore.html", look=look, body=body, tab=tab, tabs=_tabs())


def _body(look: Look, tab: str) -> str:
    readout, names = look.snapshot().readout, look.subject.names
    return render_template(
        "_explore_body.html", readout=readout, names=names, tab=tab, **_shown(tab, readout, names)
    )


def _shown(tab: str, readout: Readout, names: Names) -> dict[str, object]:
    match tab:
        case "funnel":
            return {"funnels": funnels_of(readout, names)}
        case "retention":
            return {
                "retained": retention_of(readout, names),
                "heats": heats_of(readout, names),
                "ages": ages_of(readout, names),
                "lastings": lasting_of(readout, names),
            }
        case "segments":
            return {"tables": segments_of(readout, names)}
    return {"mixes": mixes_of(readout, names), "credits": credit_tables(readout, names)}


def _tabs() -> list[tuple[str, str]]:
    words = (gettext("Funnel"), gettext("Retention"), gettext("Segments"), gettext("Channels"))
    return list(zip(TABS, words, strict=True))
