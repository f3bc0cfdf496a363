"""Compared: two readouts of one experiment beside each other, as each of them said it."""

from dataclasses import dataclass

from analysis import Finding, Readout
from web.wording import Chip, Names, chip_of, conclude, numbers
from web.wording.readings import heading, overall


@dataclass(frozen=True, slots=True)
class Side:
    """One comparison as one readout said it."""

    change: str
    interval: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A comparison then and now; None where it was not made."""

    name: str
    then: Side | None
    now: Side | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two readouts: their moments, sizes and verdicts, and every comparison of either.

    Attributes
    ----------
    days
        What their columns are called: the days, or the moments where both are of one day.
    """

    moments: tuple[str, str]
    days: tuple[str, str]
    units: tuple[str, str]
    verdicts: tuple[str, str]
    same_phase: bool
    lines: tuple[ComparedLine, ...]


def compared_of(then: Readout, now: Readout, names: Names) -> Compared:
    """Lay two readouts side by side."""
    both = (then, now)
    findings = {(f.metric, f.variant): f for readout in both for f in overall(readout)}
    several = len({variant for _, variant in findings}) > 1
    moments = (numbers.moment(then.as_of), numbers.moment(now.as_of))
    days = (numbers.day(then.as_of.date()), numbers.day(now.as_of.date()))
    return Compared(
        moments=moments,
        days=days if days[0] != days[1] else moments,
        units=(numbers.whole(sum(then.units.values())), numbers.whole(sum(now.units.values()))),
        verdicts=(conclude(then, names).headline, conclude(now, names).headline),
        same_phase=then.phase == now.phase,
        lines=tuple(
            ComparedLine(
                heading(names, finding) if several else names.metric(finding.metric),
                _side(then, then.finding(*place)),
                _side(now, now.finding(*place)),
            )
            for place, finding in findings.items()
        ),
    )


def _side(readout: Readout, finding: Finding | None) -> Side | None:
    if finding is None:
        return None
    known = finding.lift is not None and finding.not_estimable is None
    change = numbers.lift(finding.lift) if finding.lift is not None and known else "–"
    interval = numbers.lift_range(finding.lift) if finding.lift is not None and known else ""
    return Side(change, interval, chip_of(readout, finding))
