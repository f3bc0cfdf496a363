"""The appendix: what the engine is asked for each metric, and what was changed since the start, in words."""

from typing import TYPE_CHECKING, Any

from flask import render_template

from web.wording import Names
from web.wording.history import Changed, definition_change, fields_told
from web.wording.metric_history import changed

if TYPE_CHECKING:
    from experiments.appendix import Appendix, DefinitionChange


def appendix_body(appendix: "Appendix", names: Names) -> str:
    """The appendix as HTML, in the reader's language."""
    return render_template(
        "_appendix_body.html",
        statements=[(names.metric(each.metric), each) for each in appendix.statements],
        changes=[_told(each, names) for each in appendix.changes],
    )


def statements_json(appendix: "Appendix") -> list[dict[str, Any]]:
    """The SQL behind each metric, for programs."""
    return [
        {"metric": each.metric, "version": each.version, "sql": each.text} for each in appendix.statements
    ]


def _told(change: "DefinitionChange", names: Names) -> tuple["DefinitionChange", str, tuple[Changed, ...]]:
    fields = fields_told(change.changes) if change.metric is None else tuple(map(changed, change.changes))
    return change, definition_change(change, names), fields
