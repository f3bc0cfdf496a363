"""Assets: our own stylesheet and scripts, and BokehJS from the installed package.

Addresses carry the content's digest or the package's version, so browsers may keep them for good and never
show a page with yesterday's script.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bokeh
from flask import Response, abort, request, url_for

from web.pages.site import open_to_all, site

STATIC = Path(__file__).resolve().parent.parent / "static"
BOKEH = Path(bokeh.__file__).resolve().parent / "server" / "static" / "js" / "bokeh.min.js"
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, ready to be sent."""

    digest: str
    plain: bytes
    packed: bytes
    media_type: str


@cache
def load(path: Path) -> Asset:
    """Read and pack a file, once for each process."""
    plain = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(hashlib.sha256(plain).hexdigest()[:12], plain, gzip.compress(plain, 6, mtime=0), media_type)


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
