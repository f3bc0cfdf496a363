"""Exploring: funnel, retention, segments and channels, for ideas and never for decisions."""

from flask import render_template, request

from web.pages.looking import Look, drawn, look_at
from web.pages.site import site
from web.reporting.explored import explored_of
from web.wording.language import gettext

TABS = ("funnel", "retention", "segments", "channels")


@site.get("/experiments/<key>/explore", endpoint="explore")
def show_explored(key: str) -> str:
    """One of four ways to look closer."""
    look, wanted = look_at(key), request.args.get("tab", "")
    tab = wanted if wanted in TABS else TABS[0]
    if look.snapshot_id is None:
        return render_template("no_results.html", experiment=look.experiment, hypothesis=look.hypothesis)
    body = drawn(look, "explore", lambda: _body(look, tab), tab)
    return render_template("explore.html", look=look, body=body, tab=tab, tabs=_tabs())


def _body(look: Look, tab: str) -> str:
    readout, names = look.snapshot().readout, look.subject.names
    return render_template(
        "_explore_body.html", readout=readout, names=names, explored=explored_of(readout, names), tab=tab
    )


def _tabs() -> list[tuple[str, str]]:
    words = (gettext("Funnel"), gettext("Retention"), gettext("Segments"), gettext("Channels"))
    return list(zip(TABS, words, strict=True))
