"""What analysis says when it cannot compute.

::

    Exception
    └── ValueError
        └── InvalidInput       the caller broke a documented limit; the message names the argument

A result that the *data* do not allow is not an error but a value: `NotEstimable`, with a typed `Cause`.
"""

from dataclasses import dataclass
from enum import StrEnum


class InvalidInput(ValueError):
    """An argument is outside its documented limits."""


class Cause(StrEnum):
    """Why a number cannot be given."""

    NO_UNITS = "no_units"
    TOO_FEW_UNITS = "too_few_units"
    NO_VARIATION = "no_variation"
    NOT_FINITE = "not_finite"
    NOT_MATURED = "not_matured"
    ZERO_DENOMINATOR = "zero_denominator"
    TOO_FEW_EVENTS = "too_few_events"
    TOO_FEW_CLUSTERS = "too_few_clusters"
    COLLINEAR = "collinear"


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A result that the data do not allow, with the reason.

    Attributes
    ----------
    cause
        The typed reason.
    detail
        One sentence for the log; pages word the cause themselves.
    """

    cause: Cause
    detail: str = ""
