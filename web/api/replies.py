"""Replies: what a handler of the management API says, and how that becomes an answer."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from pydantic import Field

from experiments.fields import Draft
from experiments.stored_answers import Answer
from web.api.errors import BadQuery
from web.reporting.exported import CONFINED, Exported

T = TypeVar("T")
Place = list[Any]
"""Where in a list something stands: numbers and texts that are compared one after the other."""

MOST = 200


class Page(Draft):
    """Which part of a list is wanted."""

    limit: int = Field(default=50, ge=1, le=MOST, description="How many at most.")
    cursor: str = Field(default="", max_length=1_000, description="Where to go on: next of the page before.")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said.

    ``etag`` is the version of what is shown, ``location`` where a new thing lives, ``following`` the cursor
    of the next page, ``secrets`` the members that are shown once and never kept, and ``language`` that of
    sentences in it.
    """

    document: Mapping[str, Any]
    status: int = 200
    etag: str | None = None
    location: str | None = None
    following: str | None = None
    secrets: tuple[str, ...] = ()
    language: str | None = None

    def answer(self) -> Answer:
        """The reply as it goes over the wire."""
        return Answer(self.status, self._headers(), _written(self.document))

    def kept(self) -> Answer:
        """The reply as it may be kept: without what is shown once."""
        shown = {name: None if name in self.secrets else value for name, value in self.document.items()}
        return Answer(self.status, self._headers(), _written(shown))

    def _headers(self) -> dict[str, str]:
        headers = {} if self.etag is None else {"ETag": f'"{self.etag}"'}
        if self.location is not None:
            headers["Location"] = self.location
        if self.following is not None:
            headers["Link"] = f'<{_address(self.following)}>; rel="next"'
        if self.language is not None:
            headers |= {"Content-Language": self.language, "Vary": "Accept-Language"}
        return headers


@dataclass(frozen=True, slots=True)
class FileReply:
    """A file, in the reader's language where it has words.

    ``state`` is what its content depends on; the bytes of a figure may differ while it shows the same.
    """

    exported: Exported
    language: str
    state: Hashable

    def answer(self) -> Answer:
        """The reply as it goes over the wire."""
        etag = hashlib.sha256(repr((self.state, self.exported.name, self.language)).encode()).hexdigest()[:16]
        headers = {
            "ETag": f'"{etag}"',
            "Content-Language": self.language,
            "Vary": "Accept-Language",
            "Content-Type": self.exported.media_type,
            "Content-Disposition": f'attachment; filename="{self.exported.name}"',
            "Content-Security-Policy": CONFINED,
        }
        return Answer(200, headers, self.exported.content)

    def kept(self) -> Answer:
        """The reply as it may be kept: nothing in it is shown once."""
        return self.answer()


def respond(answer: Answer, **headers: str) -> Response:
    """Send an answer; briefly, where the client prefers that, and not at all where it has it already."""
    response = Response(answer.body, answer.status, {**answer.headers, **headers})
    response.content_type = answer.headers.get("Content-Type", "application/json")
    response.headers["Cache-Control"] = "private, no-cache" if request.method == "GET" else "no-store"
    if request.method == "GET":
        response.make_conditional(request)
    elif "return=minimal" in request.headers.get("Prefer", "").replace(" ", "").split(","):
        response.set_data(b"")
        response.status_code = 204 if answer.status == 200 else answer.status
        response.headers["Preference-Applied"] = "return=minimal"
    return response


def page_of(
    found: Sequence[T],
    wanted: Page,
    *,
    name: str,
    place: Callable[[T], Place],
    shown: Callable[[T], Mapping[str, Any]],
) -> Reply:
    """Cut the page that is wanted out of a whole list.

    Parameters
    ----------
    place
        Where something stands in the list, unique and comparable; the list is sorted by it here.
    """
    after = cursor_place(wanted, name)
    rest = sorted((each for each in found if after is None or _behind(place(each), after)), key=place)
    return listed(rest[: wanted.limit + 1], wanted, name=name, place=place, shown=shown)


def listed(
    found: Sequence[T],
    wanted: Page,
    *,
    name: str,
    place: Callable[[T], Place],
    shown: Callable[[T], Mapping[str, Any]],
) -> Reply:
    """Show a page of what was looked up, with the cursor of the next: one more than wanted was looked up."""
    page, more = found[: wanted.limit], len(found) > wanted.limit
    following = _cursor(name, place(page[-1])) if more else None
    return Reply({name: [shown(each) for each in page], "next": following}, following=following)


def cursor_place(wanted: Page, name: str) -> Place | None:
    """Where a cursor of this list points; None at the beginning.

    Raises
    ------
    BadQuery
        If it is not a cursor that this list gave out.
    """
    if not wanted.cursor:
        return None
    try:
        document = json.loads(base64.urlsafe_b64decode(wanted.cursor.encode() + b"=="))
    except (binascii.Error, ValueError, RecursionError):
        document = None
    match document:
        case [str(made_for), *parts] if made_for == name and parts:
            if all(isinstance(part, str | int) for part in parts):
                return list(parts)
    raise BadQuery.at("cursor", "expected the member next of a page of this list")


def cursor_id(wanted: Page, name: str) -> int | None:
    """Where a cursor points in a list that is ordered by numbers alone."""
    place = cursor_place(wanted, name)
    if place is None:
        return None
    if len(place) != 1 or not isinstance(place[0], int) or not 0 <= place[0] < 2**63:
        raise BadQuery.at("cursor", "expected the member next of a page of this list")
    return place[0]


def _behind(place: Place, after: Place) -> bool:
    try:
        return place > after
    except TypeError as problem:
        raise BadQuery.at("cursor", "expected the member next of a page of this list") from problem


def _cursor(name: str, place: Place) -> str:
    return base64.urlsafe_b64encode(_written([name, *place]).encode()).decode().rstrip("=")


def _address(following: str) -> str:
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': following})}"


def _written(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
