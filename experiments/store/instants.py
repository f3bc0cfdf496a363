"""Times: every moment in the database is a whole number of milliseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970 in UTC, rounded down.

    Raises
    ------
    ValueError
        If the time has no offset: guessing one moves events between days.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without an offset cannot be stored")
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + millis * _MILLISECOND


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so all engines store the same whole number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002 - interface
        """Write the number."""
        return None if value is None else to_millis(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - interface
        """Read the moment."""
        return None if value is None else from_millis(value)
