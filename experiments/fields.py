"""Fields: the types that definitions are made of, and what each accepts."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
_DURATION = re.compile(r"^(\d{1,5})(h|d|w)$")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def clean(text: str) -> str:
    """Trim a text, refusing what no database keeps."""
    if "\0" in text or any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        raise ValueError("holds a character that cannot be stored (NUL or a lone surrogate)")
    return text.strip()


def _duration(text: str) -> str:
    if not _DURATION.match(text):
        raise ValueError("expected a number and h, d or w, such as 14d")
    return text


def _utc(moment: Any) -> Any:
    """Take a time without an offset as UTC, and a date as its midnight."""
    if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", moment):
        moment += "T00:00:00Z"
    if isinstance(moment, str) and re.fullmatch(r"[^Zz+]*T[^Zz+-]*", moment):
        moment += "Z"
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment


Key = Annotated[str, Field(pattern=KEY_PATTERN)]
Text = Annotated[str, Field(max_length=2_000), AfterValidator(clean)]
Name = Annotated[str, Field(max_length=200), AfterValidator(clean)]
Duration = Annotated[str, AfterValidator(_duration)]
Instant = Annotated[AwareDatetime, BeforeValidator(_utc)]


def length_of(duration: str) -> timedelta:
    """Turn a duration such as ``14d`` into a length of time."""
    found = _DURATION.match(duration)
    if found is None:
        raise ValueError(f"{duration!r}: expected a number and h, d or w, such as 14d")
    return int(found[1]) * _UNITS[found[2]]


class Draft(BaseModel):
    """A shape that we own: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
