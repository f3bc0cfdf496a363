"""The appendix: what the engine is asked for each metric, and what was changed since the start."""

from typing import TYPE_CHECKING

from flask import render_template

from web import deployment
from web.engine import engine_of
from web.looking import Look
from web.pages.looking import look_at
from web.pages.site import site
from web.wording.history import Changed, definition_change, fields_told

if TYPE_CHECKING:
    from experiments.appendix import DefinitionChange


@site.get("/experiments/<key>/appendix", endpoint="appendix")
def show_appendix(key: str) -> str:
    """The SQL behind each metric, and the log of changes while the experiment runs."""
    from experiments.appendix import appendix_of  # the statement's builder is loaded late

    look, current = look_at(key), deployment.current()
    engine = engine_of(current.settings, current.store)
    with current.store.read() as session:
        appendix = appendix_of(session=session, engine=engine, key=key, now=current.now())
    names = look.subject.names
    return render_template(
        "appendix.html",
        look=look,
        statements=[(names.metric(each.metric), each) for each in appendix.statements],
        changes=[_told(look, each) for each in appendix.changes],
    )


def _told(look: Look, change: "DefinitionChange") -> tuple["DefinitionChange", str, tuple[Changed, ...]]:
    return change, definition_change(change, look.subject.names), fields_told(change.changes)
