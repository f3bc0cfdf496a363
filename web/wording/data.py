"""Words about the quality of data and the tracking plan."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from analysis.figures import LatenessBar
from experiments.messages import UNREADABLE
from experiments.quality import Message, Quality
from experiments.reconciliation import Difference
from experiments.store.tallies import EXPOSURE, LATE
from experiments.tracking import Mode, PropertyType
from web.wording import numbers
from web.wording.language import gettext
from web.wording.readings import Chip
from web.wording.tables import Table


def lateness_bars(counts: Sequence[tuple[str, int]]) -> list[LatenessBar]:
    """The spans with their names."""
    return [LatenessBar(_LAGS[lag](), count, numbers.whole(count), lag in LATE) for lag, count in counts]


def lateness_table(bars: Sequence[LatenessBar]) -> Table:
    """The same as a table."""
    head = (gettext("Came after"), gettext("Events"))
    return Table(gettext("Lateness"), head, tuple((bar.name, bar.told) for bar in bars))


def days_table(days: Sequence[tuple[date, Sequence[Quality]]]) -> Table:
    """What became of the messages by day and event."""
    head = (
        gettext("Day"),
        gettext("Event"),
        gettext("Stored"),
        gettext("Duplicates"),
        gettext("Rejected"),
        gettext("Late"),
        gettext("Clock corrected"),
        gettext("Unknown"),
    )
    rows = tuple(_day(day, each) for day, found in days for each in found)
    return Table(gettext("By day and event"), head, rows)


def _day(day: date, quality: Quality) -> tuple[str, ...]:
    counts = (
        quality.count("accepted"),
        quality.count("duplicate"),
        quality.rejected,
        quality.late,
        quality.count("skewed"),
        quality.count("unknown"),
    )
    return numbers.day(day), event_name(quality.event), *(numbers.whole(count) for count in counts)


def event_name(name: str) -> str:
    """The name that an event came with, or what stands for one that could not be read."""
    return gettext("(unreadable)") if name == UNREADABLE else name


def oddities(quality: Quality) -> list[str]:
    """What there is to look into about an event, one sentence each."""
    known = {**_ODDITIES, **(_ODDITIES_OF_EXPOSURES if quality.event == EXPOSURE else {})}
    told = [
        say(numbers.whole(quality.count(outcome))) for outcome, say in known.items() if quality.count(outcome)
    ]
    rejected = (
        gettext("rejected as %(code)s: %(count)s", code=code, count=numbers.whole(count))
        for code, count in quality.reasons.items()
    )
    return [*told, *rejected]


def message_chip(message: Message) -> Chip:
    """What became of a message."""
    if message.kind == "rejected":
        return Chip("worse", "✗", message.mark)
    if message.mark:
        return Chip("quiet", "●", message.mark)
    return Chip("safe", "✓", gettext("stored"))


def difference_told(difference: Difference) -> str:
    """How far we are from the other system."""
    if difference.share is None:
        return gettext("they counted nothing") if difference.ours else "0"
    return numbers.signed_percent(difference.share, 1)


def modes() -> dict[str, tuple[str, str]]:
    """The modes of the plan: their names and what they do."""
    return {
        Mode.OBSERVE: (gettext("Observe"), gettext("Everything is stored; what is out of plan is counted.")),
        Mode.FILTER: (
            gettext("Filter"),
            gettext("Properties that are not listed are dropped and counted; every event is stored."),
        ),
        Mode.ENFORCE: (
            gettext("Enforce"),
            gettext("Events that are not listed, or carry what is not listed, are rejected."),
        ),
    }


def types() -> dict[str, str]:
    """The types of properties."""
    return {
        PropertyType.ANY: gettext("anything"),
        PropertyType.TEXT: gettext("text"),
        PropertyType.NUMBER: gettext("number"),
        PropertyType.BOOLEAN: gettext("yes or no"),
        PropertyType.OBJECT: gettext("object"),
        PropertyType.LIST: gettext("list"),
    }


_LAGS: Mapping[str, Callable[[], str]] = {
    "lag:0": lambda: gettext("under a minute"),
    "lag:1m": lambda: gettext("1 minute to 1 hour"),
    "lag:1h": lambda: gettext("1 to 6 hours"),
    "lag:6h": lambda: gettext("6 to 24 hours"),
    "lag:1d": lambda: gettext("1 to 7 days"),
    "lag:7d": lambda: gettext("over 7 days"),
}

_ODDITIES: Mapping[str, Callable[[str], str]] = {
    "unknown": lambda count: gettext("not in the tracking plan: %(count)s", count=count),
    "mismatch": lambda count: gettext("not the variant that we would have given: %(count)s", count=count),
    "override": lambda count: gettext("of units placed by hand: %(count)s", count=count),
    "dropped": lambda count: gettext("properties dropped: %(count)s", count=count),
    "unplanned": lambda count: gettext("properties out of plan: %(count)s", count=count),
    "mistyped": lambda count: gettext("properties of the wrong type: %(count)s", count=count),
    "missing": lambda count: gettext("required properties missing: %(count)s", count=count),
    "outdated": lambda count: gettext("older than what was forgotten, and ignored: %(count)s", count=count),
    "unsent": lambda count: gettext(
        "time of sending unreadable, clock not corrected: %(count)s", count=count
    ),
}

_ODDITIES_OF_EXPOSURES: Mapping[str, Callable[[str], str]] = {
    "unknown": lambda count: gettext("of an experiment that does not exist: %(count)s", count=count),
}
