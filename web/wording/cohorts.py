"""Cohorts: who came back by the week of the exposure, as tables whose cells are shaded and carry numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from analysis import Readout
from analysis.figures.heat import lean, reach_of, warmth
from analysis.readout import CohortDay
from web.wording import numbers
from web.wording.funnels import day_word, points_change
from web.wording.language import gettext
from web.wording.names import Names

FEWEST = 30
"""With fewer units in a variant a cell is told in grey, and its shade says nothing about the others."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is written, how it is shaded, and what a pointer is told."""

    text: str
    shade: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of weeks by days."""

    caption: str
    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def heats_of(readout: Readout, names: Names) -> tuple[Heat, ...]:
    """A table of rates for each variant, and one of differences for each treatment."""
    if len({each.day for each in readout.cohorts}) < 2:
        return ()
    return (
        *(_rates(readout, names, variant) for variant in readout.plan.weights),
        *(_differences(readout, names, treatment) for treatment in readout.plan.treatments),
    )


def _rates(readout: Readout, names: Names, variant: str) -> Heat:
    firm = [each.share[variant] for each in readout.cohorts if _firm(each, (variant,))]
    largest = max(firm, default=0.0)

    def cell(each: CohortDay) -> Cell:
        if variant not in each.share:
            return Cell("–")
        shade = f"heat-{warmth(each.share[variant], largest=largest)}"
        told = gettext(
            "%(share)s of %(count)s units",
            share=numbers.percent(each.share[variant], 1),
            count=numbers.whole(each.old_enough[variant]),
        )
        firm = _firm(each, (variant,))
        return Cell(numbers.percent(each.share[variant]), shade if firm else "few", told)

    return _laid_out(readout, names.variant(variant), cell)


def _differences(readout: Readout, names: Names, treatment: str) -> Heat:
    pair = (treatment, readout.plan.control)
    firm = [
        each.difference[treatment].estimate
        for each in readout.cohorts
        if treatment in each.difference and _firm(each, pair)
    ]
    reach = reach_of(firm)

    def cell(each: CohortDay) -> Cell:
        difference = each.difference.get(treatment)
        if difference is None:
            return Cell("–")
        step = lean(difference.estimate, reach=reach)
        shade = f"lean-{'less' if step < 0 else 'more'}-{abs(step)}" if _firm(each, pair) else "few"
        return Cell(numbers.signed_number(difference.estimate * 100, 1), shade, points_change(difference))

    caption = gettext("Difference, %(name)s (points)", name=names.variant(treatment))
    return _laid_out(readout, caption, cell)


def _laid_out(readout: Readout, caption: str, cell: Callable[[CohortDay], Cell]) -> Heat:
    days = sorted({each.day for each in readout.cohorts})
    weeks = sorted({each.week for each in readout.cohorts})
    found = {(each.week, each.day): each for each in readout.cohorts}
    rows = tuple((numbers.short_day(week), tuple(_row(week, days, found, cell))) for week in weeks)
    return Heat(caption, tuple(day_word(day) for day in days), rows)


def _row(
    week: date,
    days: Sequence[int],
    found: dict[tuple[date, int], CohortDay],
    cell: Callable[[CohortDay], Cell],
) -> Iterator[Cell]:
    for day in days:
        yield cell(found[week, day]) if (week, day) in found else Cell("")


def _firm(each: CohortDay, variants: Sequence[str]) -> bool:
    return all(each.old_enough.get(name, 0) >= FEWEST for name in variants)
