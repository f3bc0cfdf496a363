"""Bodies: reading what a client sent, whole or not at all."""

import zlib

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

MAX_BODY = 1024 * 1024
MAX_UNPACKED = 8 * 1024 * 1024
_GZIP = b"\x1f\x8b"


def read_body(request: Request) -> bytes:
    """Read a request's body, unpacking gzip whatever the headers say.

    Raises
    ------
    BadRequest
        If the body is shorter than announced or its compression is damaged: servers hand on a body that was
        cut off as if it were complete, and half a batch must never be acknowledged.
    RequestEntityTooLarge
        If it is over a limit, packed or unpacked.
    """
    announced = request.content_length
    if announced is not None and announced > MAX_BODY:
        raise RequestEntityTooLarge(f"the body is larger than {MAX_BODY} bytes")
    body = request.stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge(f"the body is larger than {MAX_BODY} bytes")
    if announced is not None and len(body) < announced:
        raise BadRequest(f"the body ended after {len(body)} of {announced} bytes")
    return unpack(body) if body.startswith(_GZIP) else body


def unpack(body: bytes) -> bytes:
    """Unpack gzip up to the limit: a small body can hold a very large one."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_UNPACKED + 1)
    except zlib.error as problem:
        raise BadRequest(f"the compressed body is damaged: {problem}") from problem
    if len(unpacked) > MAX_UNPACKED:
        raise RequestEntityTooLarge(f"the body unpacks to more than {MAX_UNPACKED} bytes")
    if not unpacker.eof:
        raise BadRequest("the compressed body is cut off")
    return unpacked
