"""Exported: a readout as a file, for whichever door hands it out."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from experiments.readouts import Snapshot
from experiments.store import Store
from web.appended import find_appendix
from web.reporting.appendix import statements_json
from web.reporting.comparisons import comparisons_csv
from web.reporting.file import html_file
from web.reporting.printing import find_chromium, print_pdf
from web.reporting.report import report_of
from web.reporting.sentences import sentences_of
from web.reporting.subject import Subject
from web.settings import Settings

if TYPE_CHECKING:
    from experiments.appendix import Appendix

Form = Literal["csv", "html", "json", "pdf"]

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Spreadsheets read a file as UTF-8 only when it begins with it."""

CONFINED = "sandbox; default-src 'none'"
"""The policy of a download: whatever a browser makes of it, it never runs under our own origin."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file."""

    name: str
    media_type: str
    content: str | bytes


class NoPrinter(Exception):
    """There is no browser here that prints."""


def export_readout(
    subject: Subject,
    snapshot: Snapshot,
    form: Form,
    *,
    store: Store,
    settings: Settings,
) -> Exported:
    """Write a readout as a file, in the reader's language where it has words.

    Raises
    ------
    NoPrinter
        If a PDF is asked for and there is no browser.
    Unavailable
        If the browser fails, or is busy for too long; or if the engine is away.
    """

    def appendix() -> "Appendix":
        as_of = snapshot.readout.as_of
        return find_appendix(store=store, settings=settings, key=subject.key, now=as_of)

    content: str | bytes
    match form:
        case "csv":
            content = BYTE_ORDER_MARK + comparisons_csv(snapshot.document)
        case "html":
            content = html_file(report_of(subject, snapshot.readout), appendix())
        case "json":
            content = _json(subject, snapshot, appendix())
        case "pdf":
            content = _pdf(subject, snapshot, settings.chromium)
    return Exported(exported_name(subject, snapshot, form), _TYPES[form], content)


def exported_name(subject: Subject, snapshot: Snapshot, ending: str) -> str:
    """What such a file is called."""
    return f"evenhand-{subject.key}-{snapshot.readout.as_of.date().isoformat()}.{ending}"


def _pdf(subject: Subject, snapshot: Snapshot, chosen: str) -> bytes:
    chromium = find_chromium(chosen)
    if chromium is None:
        raise NoPrinter
    return print_pdf(html_file(report_of(subject, snapshot.readout)), chromium=chromium)


def _json(subject: Subject, snapshot: Snapshot, appendix: "Appendix") -> str:
    document = {
        "title": subject.title,
        "texts": subject.texts.model_dump(),
        "sentences": sentences_of(snapshot.readout, subject.names),
        "readout": dict(snapshot.document),
        "statements": statements_json(appendix),
    }
    return json.dumps(document, ensure_ascii=False)
