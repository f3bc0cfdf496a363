"""The appendix: what the engine is asked for each metric, and what was changed since the start."""

from typing import TYPE_CHECKING

from flask import render_template

from web import deployment
from web.engine import engine_of
from web.looking import Look
from web.pages.looking import drawn, look_at
from web.pages.site import site
from web.wording.history import Changed, definition_change, fields_told
from web.wording.metric_history import changed

if TYPE_CHECKING:
    from experiments.appendix import DefinitionChange


@site.get("/experiments/<key>/appendix", endpoint="appendix")
def show_appendix(key: str) -> str:
    """The SQL behind each metric, and the log of changes while the experiment runs."""
    look = look_at(key)
    return render_template("appendix.html", look=look, body=drawn(look, "appendix", lambda: _body(look)))


def _body(look: Look) -> str:
    """The statements as they were asked for the newest readout."""
    from experiments.appendix import appendix_of  # the statement's builder is loaded late

    current, names = deployment.current(), look.subject.names
    asked_at = current.now() if look.snapshot_id is None else look.snapshot().readout.as_of
    engine = engine_of(current.settings, current.store)
    with current.store.read() as session:
        appendix = appendix_of(session=session, engine=engine, key=look.experiment.key, now=asked_at)
    return render_template(
        "_appendix_body.html",
        statements=[(names.metric(each.metric), each) for each in appendix.statements],
        changes=[_told(look, each) for each in appendix.changes],
    )


def _told(look: Look, change: "DefinitionChange") -> tuple["DefinitionChange", str, tuple[Changed, ...]]:
    fields = fields_told(change.changes) if change.metric is None else tuple(map(changed, change.changes))
    return change, definition_change(change, look.subject.names), fields
