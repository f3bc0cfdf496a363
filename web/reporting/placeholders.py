"""Placeholders: numbers in an author's text, filled in from the readout, so that text cannot drift from data.

``{{metric.variant.lift}}`` and its like. An interval is never split from its estimate: what stands for a
change always carries both.
"""

import re
from collections.abc import Iterator, Mapping

from analysis import Finding, Readout
from web.wording import Names, conclude, numbers
from web.wording.changes import difference_with_range, levels_of, sentence_of
from web.wording.checks import days_run
from web.wording.language import gettext
from web.wording.readings import overall

PLACEHOLDER = re.compile(r"\{\{\s*([^{}\n]{1,300}?)\s*\}\}")


def values_of(readout: Readout, names: Names) -> dict[str, str]:
    """Everything that a text may ask for, as written for the reader."""
    values = dict(_whole(readout, names))
    for finding in overall(readout):
        if finding.segment is None:
            place = f"{finding.metric}.{finding.variant}"
            values |= {f"{place}.{name}": text for name, text in _about(readout, names, finding)}
    return values


def unknown_in(text: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """The placeholders of a text that nothing stands for, each named once."""
    return tuple(dict.fromkeys(name for name in PLACEHOLDER.findall(text) if name not in values))


def _whole(readout: Readout, names: Names) -> Iterator[tuple[str, str]]:
    yield "verdict", conclude(readout, names).headline
    yield "units", numbers.whole(sum(readout.units.values()))
    yield "days", numbers.whole(days_run(readout))
    yield "date", numbers.day(readout.as_of.date())
    for variant, count in readout.units.items():
        yield f"units.{variant}", numbers.whole(count)


def _about(readout: Readout, names: Names, finding: Finding) -> Iterator[tuple[str, str]]:
    levels = levels_of(readout, names, finding)
    yield "sentence", sentence_of(readout, names, finding)
    yield "control", levels.control
    yield "treatment", levels.treatment
    if finding.lift is not None:
        yield "lift", _with_range(numbers.lift(finding.lift), numbers.lift_range(finding.lift))
    if finding.difference is not None:
        yield "difference", difference_with_range(readout, names, finding)
    if finding.detectable_lift is not None:
        yield "could_detect", "±" + numbers.percent(finding.detectable_lift, 1)


def _with_range(estimate: str, ends: str) -> str:
    return gettext("%(estimate)s (%(ends)s)", estimate=estimate, ends=ends)
