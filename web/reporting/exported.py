"""Exported: a readout as a file, for whichever door hands it out."""

import json
from dataclasses import dataclass
from typing import Literal

from experiments.readouts import Snapshot
from web.reporting.comparisons import comparisons_csv
from web.reporting.file import html_file
from web.reporting.printing import find_chromium, print_pdf
from web.reporting.report import report_of
from web.reporting.sentences import sentences_of
from web.reporting.subject import Subject

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


def export_readout(subject: Subject, snapshot: Snapshot, form: Form, *, chromium: str = "") -> Exported:
    """Write a readout as a file, in the reader's language where it has words.

    Parameters
    ----------
    chromium
        The browser that prints, where one was chosen.

    Raises
    ------
    NoPrinter
        If a PDF is asked for and there is no browser.
    Unavailable
        If the browser fails, or is busy for too long.
    """
    content: str | bytes
    if form == "pdf":
        content = _pdf(subject, snapshot, chromium)
    else:
        content = {"csv": _csv, "html": _html, "json": _json}[form](subject, snapshot)
    return Exported(exported_name(subject, snapshot, form), _TYPES[form], content)


def exported_name(subject: Subject, snapshot: Snapshot, ending: str) -> str:
    """What such a file is called."""
    return f"evenhand-{subject.key}-{snapshot.readout.as_of.date().isoformat()}.{ending}"


def _csv(_: Subject, snapshot: Snapshot) -> str:
    return BYTE_ORDER_MARK + comparisons_csv(snapshot.document)


def _html(subject: Subject, snapshot: Snapshot) -> str:
    return html_file(report_of(subject, snapshot.readout))


def _pdf(subject: Subject, snapshot: Snapshot, chosen: str) -> bytes:
    chromium = find_chromium(chosen)
    if chromium is None:
        raise NoPrinter
    return print_pdf(_html(subject, snapshot), chromium=chromium)


def _json(subject: Subject, snapshot: Snapshot) -> str:
    document = {
        "title": subject.title,
        "texts": subject.texts.model_dump(),
        "sentences": sentences_of(snapshot.readout, subject.names),
        "readout": dict(snapshot.document),
    }
    return json.dumps(document, ensure_ascii=False)
