"""Numbers and dates in the reader's language, rounded to their uncertainty."""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache

from babel.dates import format_date, format_interval, format_skeleton, get_datetime_format
from babel.numbers import parse_pattern
from flask_babel import format_time, get_locale

from analysis import Interval
from experiments.fields import zone_of
from web.wording.language import gettext

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
RANGE = " … "

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, decimals: int = 0) -> str:
    """Write a plain number."""
    return _written(value, "#,##0" + _fraction(decimals))


def percent(value: float, decimals: int = 0) -> str:
    """Write a share as per cent."""
    return _written(value, f"#,##0{_fraction(decimals)}%")


def signed_percent(value: float, decimals: int = 0) -> str:
    """Write a relative change with its sign; what rounds to nothing has none."""
    if round(value, decimals + 2) == 0:
        return percent(0.0, decimals)
    pattern = f"#,##0{_fraction(decimals)}%"
    return _written(value, f"+{pattern};-{pattern}")


def signed_number(value: float, decimals: int = 0) -> str:
    """Write an absolute change with its sign."""
    if round(value, decimals) == 0:
        return number(0.0, decimals)
    pattern = "#,##0" + _fraction(decimals)
    return _written(value, f"+{pattern};-{pattern}")


def tick_percent(value: float) -> str:
    """Write a lift on an axis: as few decimals as the round number needs."""
    if value == 0:
        return "0"
    return _written(value, "+#,##0.###%;-#,##0.###%")


def tick_signed(value: float) -> str:
    """Write a change on an axis, without its unit."""
    return "0" if value == 0 else _written(value, "+#,##0.###;-#,##0.###")


def tick_number(value: float) -> str:
    """Write a count on an axis."""
    return _written(value, "#,##0.##")


def tick_share(value: float) -> str:
    """Write a share on an axis."""
    return _written(value, "#,##0.###%")


def decimals_of(uncertainty: float, *, digits: int, most: int = 4) -> int:
    """Decimals at which a number keeps this many digits of its uncertainty."""
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return min(digits, most)
    return min(most, max(0, digits - 1 - math.floor(math.log10(uncertainty))))


def value_decimals(value: float) -> int:
    """Decimals at which a value of unknown precision keeps three digits; nothing needs none."""
    return decimals_of(abs(value), digits=3) if value else 0


def half_width(interval: Interval) -> float:
    """Half the length of an interval; infinite where the data do not limit it."""
    return (interval.high - interval.low) / 2


def lift_decimals(lift: Interval) -> int:
    """Decimals for a relative change in per cent."""
    return decimals_of(half_width(lift) * 100, digits=2, most=2) if lift.bounded else 0


def lift(interval: Interval) -> str:
    """Write a relative change."""
    return signed_percent(interval.estimate, lift_decimals(interval))


def lift_range(interval: Interval) -> str:
    """Write the ends of a relative change, or say that the data do not limit it."""
    if not interval.bounded:
        return gettext("not limited by the data")
    decimals = lift_decimals(interval)
    return signed_percent(interval.low, decimals) + RANGE + signed_percent(interval.high, decimals)


def level_decimals(values: Sequence[float], differences: Sequence[Interval], *, as_share: bool) -> int:
    """Decimals for the levels of a metric: fine enough to tell them and their differences, no finer.

    Every level keeps two digits, so that a reader can check the relative change against them.
    """
    scale = 100 if as_share else 1
    spreads = [half_width(each) * scale for each in differences]
    least = min((abs(value) * scale for value in values if value), default=1.0)
    fine = (
        decimals_of(spread / 2, digits=1) if as_share else decimals_of(spread, digits=2) for spread in spreads
    )
    wanted = [decimals_of(least, digits=2), *fine]
    largest = max((abs(value) * scale for value in values), default=1.0)
    return min(max(wanted), max(0, 4 - _digits_before_point(largest)))


def level(value: float, decimals: int, *, as_share: bool) -> str:
    """Write one level of a metric."""
    return percent(value, decimals) if as_share else number(value, decimals)


def whole(value: float) -> str:
    """Write a count of units."""
    return number(round(value))


def p_value(value: float) -> str:
    """Write a p-value with two digits; the very small ones as a power of ten."""
    if value <= 0:
        return number(0)
    if value >= 0.0001:
        return number(value, decimals_of(value, digits=2, most=5))
    # Written out and read back: what rounds up to ten belongs to the next power.
    mantissa, exponent = f"{value:.1e}".split("e")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return f"{number(float(mantissa), 1)}{NO_BREAK}×{NO_BREAK}{power}"


def p_equals(value: float) -> str:
    """Write a p-value with its name, which no line tears apart."""
    return f"p{NO_BREAK}={NO_BREAK}{p_value(value)}"


def day(value: date, *, style: str = "medium") -> str:
    """Write a day."""
    return format_date(value, style, locale=get_locale())


def days(first: date, last: date) -> str:
    """Write a stretch of days; what its ends share is said once."""
    return str(format_interval(first, last, "yMMMd", locale=get_locale()))


def short_day(value: date) -> str:
    """Write a day without its year."""
    return format_skeleton("MMMd", datetime(value.year, value.month, value.day), locale=get_locale())  # noqa: DTZ001 - a day has no time zone


def day_in(days: Sequence[date]) -> Callable[[date], str]:
    """How to write days that stand in a list: without the year that all of them share."""
    return short_day if len({each.year for each in days}) == 1 else day


def month(value: date) -> str:
    """Write a month with its year."""
    return format_skeleton("yMMM", datetime(value.year, value.month, value.day), locale=get_locale())  # noqa: DTZ001 - a month has no time zone


def moment(value: datetime) -> str:
    """Write a moment, in UTC."""
    return gettext("%(moment)s UTC", moment=_to_the_minute(value))


def moment_in(value: datetime, zone: str) -> str:
    """Write a moment in a time zone, and name the zone."""
    if zone == "UTC":
        return moment(value)
    local = value.astimezone(zone_of(zone))
    return gettext("%(moment)s (%(zone)s)", moment=_to_the_minute(local), zone=zone)


def clock(value: datetime) -> str:
    """Write the time of day of a moment, in UTC."""
    return gettext("%(moment)s UTC", moment=_time(value))


def _time(value: datetime) -> str:
    return str(format_time(value, "short", rebase=False))


def _to_the_minute(value: datetime) -> str:
    day, time = format_date(value, "medium", locale=get_locale()), _time(value)
    return str(get_datetime_format("medium", locale=get_locale())).replace("{1}", day).replace("{0}", time)


def span(millis: float) -> str:
    """Write a span of time in the unit that suits it."""
    hours = millis / 3_600_000
    if hours < 48:
        return gettext("%(count)s h", count=number(hours, 0 if hours >= 10 or hours == 0 else 1))
    days = hours / 24
    return gettext("%(count)s days", count=number(days, 0 if float(days).is_integer() else 1))


def listed(names: Sequence[str]) -> str:
    """Write names as a list: "B, C and D"."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s and %(last)s", names=gettext(", ").join(names[:-1]), last=names[-1])


def listed_or(names: Sequence[str]) -> str:
    """Write names as alternatives: "B, C or D"."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s or %(last)s", names=gettext(", ").join(names[:-1]), last=names[-1])


def _digits_before_point(value: float) -> int:
    return math.floor(math.log10(value)) + 1 if value >= 1 else 0


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""


def _written(value: float, pattern: str) -> str:
    """Write a number: as Babel's ``format_decimal`` does, which reads the pattern anew each time."""
    return str(_pattern(pattern).apply(value, get_locale())).replace("-", MINUS)


_pattern = cache(parse_pattern)
