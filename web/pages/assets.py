"""Assets: our own stylesheet and scripts, and BokehJS from the installed package.

Addresses carry the content's digest or the package's version, so browsers may keep them for good and never
show a page with yesterday's script.
"""

import bokeh
from flask import Response, abort, request, url_for

from web.files import BOKEH, STATIC, Asset, load
from web.pages.site import open_to_all, site

FOR_GOOD = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """Where a static file of ours lives."""
    return url_for("pages.asset", digest=load(STATIC / name).digest, name=name)


def bokeh_address() -> str:
    """Where BokehJS lives; it always has the version that made the figures."""
    return url_for("pages.vendor_bokeh", version=bokeh.__version__)


@site.get("/assets/<digest>/<name>")
@open_to_all
def asset(digest: str, name: str) -> Response:
    """One of our own files."""
    if name not in {path.name for path in STATIC.iterdir() if path.is_file()}:
        abort(404)
    found = load(STATIC / name)
    return _send(found, FOR_GOOD if digest == found.digest else "no-cache")


@site.get("/vendor/bokeh/<version>/bokeh.min.js")
@open_to_all
def vendor_bokeh(version: str) -> Response:
    """BokehJS."""
    if version != bokeh.__version__:
        abort(404)
    return _send(load(BOKEH), FOR_GOOD)


def _send(found: Asset, keep: str) -> Response:
    packed = request.accept_encodings.quality("gzip") > 0
    answer = Response(found.packed if packed else found.plain, mimetype=found.media_type)
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.vary.add("Accept-Encoding")
    answer.headers["Cache-Control"] = keep
    return answer
