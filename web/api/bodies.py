"""Bodies: reading what a client sent, whole or not at all."""

import zlib
from typing import BinaryIO

MAX_BODY = 1024 * 1024
MAX_UNPACKED = 8 * 1024 * 1024
_GZIP = b"\x1f\x8b"


class BodyRefused(Exception):
    """A body that is not taken."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def announced_length(header: str | None) -> int | None:
    """Read a Content-Length header; None where there is none.

    Raises
    ------
    BodyRefused
        400 if it is no number.
    """
    if not header:
        return None
    if not header.isascii() or not header.isdigit() or len(header) > 18:
        raise BodyRefused(400, "Content-Length: expected a whole number")
    return int(header)


def read_body(stream: BinaryIO, announced: int | None) -> bytes:
    """Read a request's body, unpacking gzip whatever the headers say.

    Parameters
    ----------
    stream
        The request's input.
    announced
        The Content-Length; None when the body ends where the stream does.

    Raises
    ------
    BodyRefused
        400 if the body is shorter than announced or its compression is damaged: servers hand on a body that
        was cut off as if it were complete, and half a batch must never be acknowledged. 413 if it is over a
        limit, packed or unpacked.
    """
    require_bearable(announced)
    return complete(_read(stream, MAX_BODY + 1 if announced is None else announced), announced)


def require_bearable(announced: int | None) -> None:
    """Refuse what is announced to be too long, before any of it is read.

    Raises
    ------
    BodyRefused
        413 if it is.
    """
    if announced is not None and announced > MAX_BODY:
        raise BodyRefused(413, f"the body is larger than {MAX_BODY} bytes")


def complete(body: bytes, announced: int | None) -> bytes:
    """What a client sent, unpacked, once it is known to be all of it.

    Raises
    ------
    BodyRefused
        As `read_body`.
    """
    if len(body) > MAX_BODY:
        raise BodyRefused(413, f"the body is larger than {MAX_BODY} bytes")
    if announced is not None and len(body) < announced:
        raise BodyRefused(400, f"the body ended after {len(body)} of {announced} bytes")
    return unpack(body) if body.startswith(_GZIP) else body


def _read(stream: BinaryIO, size: int) -> bytes:
    """Read until there is enough or the stream ends: one call may give less than it was asked for."""
    part = stream.read(size)
    if len(part) == size:
        return part
    parts = [part]
    size -= len(part)
    while part and size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def unpack(body: bytes) -> bytes:
    """Unpack gzip up to the limit: a small body can hold a very large one."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_UNPACKED + 1)
    except zlib.error as problem:
        raise BodyRefused(400, f"the compressed body is damaged: {problem}") from problem
    if len(unpacked) > MAX_UNPACKED:
        raise BodyRefused(413, f"the body unpacks to more than {MAX_UNPACKED} bytes")
    if unpacker.unused_data:
        raise BodyRefused(400, "more bytes follow the compressed body")
    if not unpacker.eof:
        raise BodyRefused(400, "the compressed body is cut off")
    return unpacked
