"""Fields: the types that definitions are made of, and what each accepts."""

import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from experiments.storable import unstorable

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
_DURATION = re.compile(r"([1-9]\d{0,3})(h|d|w)")
MAX_VALUE_BYTES = 64 * 1024
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def clean(text: str) -> str:
    """Trim a text, refusing what no database keeps."""
    if "\0" in text or any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        raise ValueError("holds a character that cannot be stored (NUL or a lone surrogate)")
    return text.strip()


def spoken(text: str) -> str:
    """Refuse an empty text."""
    if not text:
        raise ValueError("expected a text")
    return text


def keepable(value: Any) -> Any:
    """Refuse a value that not every database keeps, or that is very large."""
    if problem := unstorable(value):
        raise ValueError(problem)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_VALUE_BYTES:
        raise ValueError(f"larger than {MAX_VALUE_BYTES} bytes")
    return value


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a number and h, d or w, such as 14d")
    return text


def _utc(moment: Any) -> Any:
    """Take a time without an offset as UTC, and a date as its midnight."""
    if isinstance(moment, int | float):
        raise ValueError("expected a date or a time such as 2026-03-15T09:30:00Z")
    if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", moment):
        moment += "T00:00:00Z"
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if isinstance(moment, str) and re.fullmatch(r"[^Zz+]*T[^Zz+-]*", moment):
        moment += "Z"
    if isinstance(moment, str):
        with suppress(ValueError):  # what is no time is told by the type
            moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment


def _in_utc(moment: datetime) -> datetime:
    """One way to write each moment, so that equal drafts give equal texts."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError("expected a year from 1970 to 9000")
    return moment.astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """The time zone of a name such as Asia/Shanghai.

    Raises
    ------
    ValueError
        If this machine knows none of that name.
    """
    if name == "UTC":  # also on machines without a database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as problem:
        raise ValueError("expected the name of a time zone, such as Asia/Shanghai or UTC") from problem


def _zone(name: str) -> str:
    zone_of(name)
    return name


def _site(address: str) -> str:
    """An address that a browser may be sent to; one without a path is that of its first page."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        plain = parts.scheme in ("https", "http") and parts.hostname and not parts.username
        usable = plain and parts.port != 0 and address.isprintable() and " " not in address
    except ValueError:
        usable = False
    if not usable or "\\" in address:
        raise ValueError("expected an address such as https://shop.example")
    return parts._replace(path=parts.path or "/", query="", fragment="").geturl()


Key = Annotated[str, Field(pattern=KEY_PATTERN)]
Text = Annotated[str, Field(max_length=2_000), AfterValidator(clean)]
Name = Annotated[str, Field(max_length=200), AfterValidator(clean)]
Duration = Annotated[str, AfterValidator(_duration)]
Instant = Annotated[AwareDatetime, BeforeValidator(_utc), AfterValidator(_in_utc)]
Site = Annotated[str, Field(max_length=2_000), AfterValidator(clean), AfterValidator(_site)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
Value = Annotated[JsonValue, AfterValidator(keepable)]
UnitId = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(keepable)]


def length_of(duration: str) -> timedelta:
    """Turn a duration such as ``14d`` into a length of time."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r}: expected a number and h, d or w, such as 14d")
    return int(found[1]) * _UNITS[found[2]]


class Draft(BaseModel):
    """A shape that we own: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
