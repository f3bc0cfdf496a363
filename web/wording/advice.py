"""Advice: what each check on the data is called, where it fails, and what to do then."""

from collections.abc import Callable, Mapping

from analysis.sample_ratio import SRM_LEVEL
from analysis.soundness import CROSSOVER_LIMIT, LATE_LIMIT, MISMATCH_LIMIT
from web.wording import numbers
from web.wording.language import gettext
from web.wording.legibility import legible

Words = tuple[str, str, str]


def check_words(name: str) -> Words:
    """Title, threshold and advice of a check; one that is not known by name still has its numbers."""
    found = _WORDS.get(name)
    return found() if found else (legible(name).replace("_", " "), "", "")


def _chance() -> str:
    return gettext("p of at least %(level)s", level=numbers.number(SRM_LEVEL, 3))


def _shared_chance() -> str:
    return gettext("p of at least %(level)s over all of them", level=numbers.number(SRM_LEVEL, 3))


def _at_most(share: float, decimals: int = 0) -> str:
    return gettext("at most %(limit)s", limit=numbers.percent(share, decimals))


_WORDS: Mapping[str, Callable[[], Words]] = {
    "srm": lambda: (
        gettext("Split between the variants"),
        _chance(),
        gettext("Look for the first day, platform or step whose split is off; the fault lies there."),
    ),
    "srm_sequential": lambda: (
        gettext("Split while it runs, valid at every look"),
        _chance(),
        gettext("The day that is named is when the split left its range; see what was released then."),
    ),
    "srm_daily": lambda: (
        gettext("Split on each day"),
        _shared_chance(),
        gettext("Look at what was released or broken on the day that is named."),
    ),
    "srm_segments": lambda: (
        gettext("Split in each segment"),
        _shared_chance(),
        gettext("The segment that is named loses units of one variant: look at its client or its page."),
    ),
    "srm_stages": lambda: (
        gettext("Split after each step"),
        _chance(),
        gettext("The step that is named takes more units out of one variant than out of the others."),
    ),
    "crossover": lambda: (
        gettext("Units seen in two variants"),
        _at_most(CROSSOVER_LIMIT),
        gettext("Check that the unit's id stays the same at sign-in and on every device."),
    ),
    "exposures": lambda: (
        gettext("Units have arrived"),
        gettext("at least one"),
        gettext("Check that a program asks for the variant with a server key, or sends the exposure."),
    ),
    "metrics": lambda: (
        gettext("Primary metrics are recorded"),
        gettext("an event in some variant"),
        gettext("Compare the event's name in the metric with the name that is sent."),
    ),
    "silent_metrics": lambda: (
        gettext("All other metrics are recorded"),
        gettext("an event in some variant"),
        gettext("Compare the event's name in the metric with the name that is sent."),
    ),
    "pre_period": lambda: (
        gettext("Groups were alike before the start"),
        _shared_chance(),
        gettext("The groups differed before anything was changed: the assignment or a join is broken."),
    ),
    "mix": lambda: (
        gettext("Segments are spread alike"),
        _shared_chance(),
        gettext("Segments are fixed before the exposure: look for a fault in the split or the recording."),
    ),
    "arrivals": lambda: (
        gettext("Days on which nobody arrived"),
        gettext("none"),
        gettext("See whether assignment or recording was off on these days."),
    ),
    "late_data": lambda: (
        gettext("Events that came more than a day late"),
        _at_most(LATE_LIMIT),
        gettext("Wait until the newest days have filled up before reading them."),
    ),
    "future": lambda: (
        gettext("Records of a moment that has not come"),
        gettext("none"),
        gettext("A sender's clock is wrong; these records are left out until their time comes."),
    ),
    "unreadable": lambda: (
        gettext("Values that could not be read"),
        gettext("none"),
        gettext("The value or a filtered property is not of its type; correct the sender."),
    ),
    "mismatched": lambda: (
        gettext("Variants that our rules do not give"),
        _at_most(MISMATCH_LIMIT, 1),
        gettext("Another system or old rules also assign variants; find who sends these exposures."),
    ),
    "sensitivity": lambda: (
        gettext("Readings under other choices"),
        gettext("the same"),
        gettext(
            "The result hangs on a choice such as the cap, or on one unit: read the comparison's detail."
        ),
    ),
}
