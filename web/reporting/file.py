"""The file: a report in one HTML file that opens anywhere and fetches nothing.

Scripts and styles are written into it, and its own policy lets nothing else run: every script is named by its
digest, and no address may be asked. It is sent as an attachment and never shown under our own origin.
"""

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from flask import render_template
from markupsafe import Markup

from web.files import BOKEH, STATIC, load
from web.reporting.appendix import appendix_body
from web.reporting.report import Report, report_body

if TYPE_CHECKING:
    from experiments.appendix import Appendix

_SCRIPTS = (STATIC / "theme.js", STATIC / "page.js", BOKEH, STATIC / "figures.js")
_STYLES = (STATIC / "evenhand.css", STATIC / "results.css")
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def html_file(report: Report, appendix: "Appendix | None" = None) -> str:
    """Write a report as a file; without its appendix to be printed, where nothing can be opened."""
    behind = "" if appendix is None else appendix_body(appendix, report.subject.names)
    scripts = [_script(load(path).plain.decode()) for path in _SCRIPTS]
    styles = "\n".join(load(path).plain.decode() for path in _STYLES)
    return render_template(
        "report_file.html",
        report=report,
        body=Markup(report_body(report) + behind),  # noqa: S704 - our own templates' output
        policy=POLICY.format(scripts=" ".join(_digest(each) for each in scripts)),
        styles=Markup(styles),  # noqa: S704 - our own file
        head_script=Markup(scripts[0]),  # noqa: S704 - our own file
        scripts=[Markup(each) for each in scripts[1:]],  # noqa: S704 - our own files and BokehJS
    )


def _script(text: str) -> str:
    """A script that cannot end its own element."""
    return re.sub(r"</(script)|<!--", lambda found: found[0].replace("<", "\\x3c"), text, flags=re.IGNORECASE)


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
