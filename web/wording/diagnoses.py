"""Diagnoses: what each check on the data asks, what it tolerates, and what to do when it fails."""

from collections.abc import Callable

from analysis.sample_ratio import SRM_LEVEL
from analysis.soundness import CROSSOVER_LIMIT, LATE_LIMIT, MISMATCH_LIMIT
from web.wording import numbers
from web.wording.language import gettext
from web.wording.legibility import legible

Words = tuple[str, str, str]
"""Title, threshold and advice."""


def words_of(name: str) -> Words:
    """Word a check; one that is not known by name still has its numbers."""
    found = _KNOWN.get(name)
    return found() if found else (legible(name).replace("_", " "), "", "")


def _chance() -> str:
    return gettext("p of at least %(level)s", level=numbers.number(SRM_LEVEL, 3))


def _shared_chance() -> str:
    return gettext("p of at least %(level)s, shared among all", level=numbers.number(SRM_LEVEL, 3))


def _limit(share: float, decimals: int = 0) -> str:
    return gettext("at most %(limit)s", limit=numbers.percent(share, decimals))


def _sensitivity() -> Words:
    return (
        gettext("Readings that hang on one choice"),
        gettext("none"),
        gettext("Say which choice was made before the start; the data alone do not decide this one."),
    )


_KNOWN: dict[str, Callable[[], Words]] = {
    "srm": lambda: (
        gettext("Split between the variants"),
        _chance(),
        gettext("Look for the first day, platform or step whose split is off; the fault lies there."),
    ),
    "srm_sequential": lambda: (
        gettext("Split, watched from day to day"),
        _chance(),
        gettext("The split was off on the day that is named: look at what was changed on it."),
    ),
    "srm_daily": lambda: (
        gettext("Split of each day's arrivals"),
        _shared_chance(),
        gettext("Look at what was released, redirected or switched off on the day that is named."),
    ),
    "srm_segments": lambda: (
        gettext("Split in each segment"),
        _shared_chance(),
        gettext("Look at how these units are assigned and logged; the others may be sound."),
    ),
    "srm_stages": lambda: (
        gettext("Split after each step of the analysis"),
        _chance(),
        gettext("The step that is named keeps more units of one variant: its rule depends on the change."),
    ),
    "mix": lambda: (
        gettext("Segments are spread alike"),
        _chance(),
        gettext("A segment is fixed before the exposure: look for a fault in the split or the recording."),
    ),
    "crossover": lambda: (
        gettext("Units seen in two variants"),
        _limit(CROSSOVER_LIMIT),
        gettext("Check that the unit's id stays the same at sign-in and on every device."),
    ),
    "exposures": lambda: (
        gettext("Units have arrived"),
        gettext("at least one"),
        gettext("Check that a program asks for the variant with a server key, or sends the exposure."),
    ),
    "arrivals": lambda: (
        gettext("Units arrive every day"),
        gettext("no day without arrivals"),
        gettext("Find out what kept exposures away on these days; other records may be missing, too."),
    ),
    "metrics": lambda: (
        gettext("Primary metrics are recorded"),
        gettext("an event in some variant"),
        gettext("Compare the event's name in the metric with the name that is sent."),
    ),
    "silent_metrics": lambda: (
        gettext("The other metrics are recorded"),
        gettext("an event in some variant"),
        gettext("Compare the event's name in the metric with the name that is sent."),
    ),
    "pre_period": lambda: (
        gettext("Groups were alike before the start"),
        _shared_chance(),
        gettext("The groups differed before anything was changed: the assignment or a join is broken."),
    ),
    "late_data": lambda: (
        gettext("Late events"),
        _limit(LATE_LIMIT),
        gettext("Wait until the newest days have filled up before reading them."),
    ),
    "future": lambda: (
        gettext("Records of a later moment"),
        gettext("none"),
        gettext("They are left out. Check the clock of the program that sends them."),
    ),
    "unreadable": lambda: (
        gettext("Values of another type"),
        gettext("none"),
        gettext("They are left out of the metric. Send the value or the property with one type only."),
    ),
    "mismatched": lambda: (
        gettext("Exposures that our rules do not give"),
        _limit(MISMATCH_LIMIT, 1),
        gettext("Another system assigns as well, or a client holds old rules."),
    ),
    "sensitivity": _sensitivity,
}
