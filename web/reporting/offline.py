"""Offline: a report's file without a server, for the command line."""

from typing import TYPE_CHECKING

import flask_babel
from flask import Flask

from analysis import Readout
from web import pages
from web.reporting.file import html_file
from web.reporting.report import report_of
from web.reporting.subject import Subject
from web.wording.language import READERS

if TYPE_CHECKING:
    from experiments.appendix import Appendix


def report_file(subject: Subject, readout: Readout, appendix: "Appendix", *, language: str) -> str:
    """Write a report as a file, in one of the two languages."""
    app = Flask("web")
    pages.register(app)
    with app.app_context(), flask_babel.force_locale(READERS[language]):
        return html_file(report_of(subject, readout), appendix)
