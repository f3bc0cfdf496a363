"""Times of messages: when something happened, by a client's clock that may be wrong.

A client says when the event happened and when it sent the message, both by its own clock. We know when the
message came; the difference between the last two is how far that clock is off, and the event is moved by it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from experiments.store.instants import to_millis

FUTURE_LIMIT = timedelta(hours=24)
"""An event further in the future than this is dated at its arrival, and marked."""

SKEW_LIMIT = timedelta(seconds=2)
"""A client's clock that is off by less than this is left alone."""

UNSENT = "unsent"
"""The mark of an event whose time of sending cannot be read: its clock is taken at its word."""

_SKEWED = ("skewed",)
_NONE = timedelta()


class Arrival(NamedTuple):
    """When messages came, as a time and in milliseconds since 1970, and the latest date of their events."""

    at: datetime
    millis: int
    latest: datetime

    @classmethod
    def of(cls, at: datetime) -> Self:
        """Make one of a time."""
        return cls(at, to_millis(at), at + FUTURE_LIMIT)


class Moment(NamedTuple):
    """When a message's event happened, in milliseconds since 1970, and what there is to say about it."""

    millis: int
    mark: str | None = None
    notes: tuple[str, ...] = ()


def moment_of(message: Mapping[str, Any], envelope: Mapping[str, Any], arrival: Arrival) -> Moment | None:
    """When it happened: the client's time, moved by how far its clock was off; None if it cannot be read.

    A time of sending that cannot be read says nothing about the clock; it spoils no event.
    """
    claimed = message.get("originalTimestamp") or message.get("timestamp") or envelope.get("timestamp")
    if claimed is None:
        return Moment(arrival.millis)
    happened = parse_time(claimed)
    if happened is None:
        return None
    sent = message.get("sentAt") or envelope.get("sentAt")
    if not sent and happened <= arrival.latest:
        return Moment(to_millis(happened))
    return _corrected(happened, sent, arrival)


def _corrected(happened: datetime, sent: Any, arrival: Arrival) -> Moment:
    """Move a time by how far the clock was off, if the client says when it sent the message."""
    sent_at = parse_time(sent) if sent else None
    mark, notes = (UNSENT, (UNSENT,)) if sent and sent_at is None else (None, ())
    skew = _NONE if sent_at is None else arrival.at - sent_at
    skewed = abs(skew) > SKEW_LIMIT
    moved = _shifted(happened, skew) if skewed else happened
    if moved <= arrival.latest:
        return Moment(to_millis(moved), mark, _SKEWED if skewed else notes)
    return Moment(arrival.millis, "clamped", (*_SKEWED, *notes))


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def parse_time(text: Any) -> datetime | None:
    """Read an ISO 8601 time, one without an offset as UTC; None when it is not one."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if 1970 <= moment.year <= 9000 else None
