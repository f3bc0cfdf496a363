"""Files: our own stylesheets and scripts, and BokehJS from the installed package, read once."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bokeh

STATIC = Path(__file__).resolve().parent / "static"
BOKEH = Path(bokeh.__file__).resolve().parent / "server" / "static" / "js" / "bokeh.min.js"


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
