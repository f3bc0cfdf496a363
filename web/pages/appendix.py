"""The appendix: what the engine is asked for each metric, and what was changed since the start."""

from flask import render_template

from web import deployment
from web.appended import find_appendix
from web.looking import Look
from web.pages.looking import drawn, look_at
from web.pages.site import site
from web.reporting.appendix import appendix_body


@site.get("/experiments/<key>/appendix", endpoint="appendix")
def show_appendix(key: str) -> str:
    """The SQL behind each metric, and the log of changes while the experiment runs."""
    look = look_at(key)
    return render_template("appendix.html", look=look, body=drawn(look, "appendix", lambda: _body(look)))


def _body(look: Look) -> str:
    """The statements as they were asked for the newest readout."""
    current = deployment.current()
    asked_at = current.now() if look.snapshot_id is None else look.snapshot().readout.as_of
    found = find_appendix(
        store=current.store, settings=current.settings, key=look.experiment.key, now=asked_at
    )
    return appendix_body(found, look.subject.names)
