"""The report: a readout between the words of its authors, in the order that people expect.

Summary, background and goal, data, analysis, insight, actions, appendix.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup

from analysis import Readout
from web.reporting.explored import Explored, explored_of
from web.reporting.markdown import Fill, to_html
from web.reporting.placeholders import PLACEHOLDER, unknown_in, values_of
from web.reporting.results import Results, results_of
from web.reporting.subject import Subject
from web.wording.hypothesis import hypothesis_sentence
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Texts:
    """What the authors wrote, with its numbers filled in; ``unknown`` names what nothing stands for."""

    background: Markup
    insight: Markup
    actions: Markup
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows."""

    subject: Subject
    hypothesis: str
    results: Results
    explored: Explored
    texts: Texts


def report_of(subject: Subject, readout: Readout) -> Report:
    """Put words and numbers together, in the reader's language."""
    return Report(
        subject=subject,
        hypothesis=hypothesis_sentence(subject.hypothesis),
        results=results_of(readout, subject.names),
        explored=explored_of(readout, subject.names),
        texts=texts_of(subject, readout),
    )


def texts_of(subject: Subject, readout: Readout) -> Texts:
    """Fill the numbers into what the authors wrote."""
    texts = subject.texts
    written = "\n".join((texts.background, texts.insight, texts.actions))
    values = values_of(readout, subject.names) if PLACEHOLDER.search(written) else {}
    fill = _filling(values)
    return Texts(
        to_html(texts.background, fill),
        to_html(texts.insight, fill),
        to_html(texts.actions, fill),
        unknown_in(written, values),
    )


def report_body(report: Report) -> str:
    """The report as HTML, without what stands around it."""
    return render_template("_report_body.html", report=report)


def _filling(values: Mapping[str, str]) -> Fill:
    def fill(name: str) -> Markup:
        if name in values:
            return Markup('<span class="filled">{}</span>').format(values[name])
        told = gettext("unknown number: %(name)s", name=name)
        return Markup('<mark class="wrong">{}</mark>').format(told)

    return fill
