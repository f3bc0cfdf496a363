"""Funnels and returns: how far units came and who came back, each difference with its interval."""

from collections.abc import Sequence

from analysis import Interval, Readout
from analysis.readout import Funnel, Return
from web.wording import numbers
from web.wording.language import gettext
from web.wording.legibility import legible
from web.wording.names import Names, clipped
from web.wording.tables import Table

TOLD_DAYS = (1, 3, 7, 14, 30)
"""Days after the exposure that people compare by habit."""

LAST_DAY = TOLD_DAYS[-1]
"""Later days are left out: few units are that old."""


def points_change(difference: Interval | None) -> str:
    """Write a difference of shares in points of per cent, with its interval."""
    if difference is None:
        return "–"
    decimals = numbers.decimals_of(numbers.half_width(difference) * 100, digits=2, most=2)
    size, low, high = (
        numbers.signed_number(value * 100, decimals)
        for value in (difference.estimate, difference.low, difference.high)
    )
    if not difference.bounded:
        return gettext("%(size)s points, not limited by the data", size=size)
    return gettext("%(size)s points (%(low)s to %(high)s)", size=size, low=low, high=high)


def funnel_table(readout: Readout, funnel: Funnel, names: Names) -> Table:
    """Each step: reached of all exposed units, by variant, with the differences."""
    variants, treatments = list(readout.plan.weights), readout.plan.treatments
    head = (
        gettext("Step"),
        *(names.variant(each) for each in variants),
        *(gettext("Difference, %(name)s", name=names.variant(each)) for each in treatments),
    )
    rows = [
        (
            clipped(legible(step.name)),
            *(_reached(step.reached.get(each, 0), step.share.get(each)) for each in variants),
            *(points_change(step.difference.get(each)) for each in treatments),
        )
        for step in funnel.steps
    ]
    return Table(gettext("Units that reached each step"), head, tuple(rows))


def told_returns(days: Sequence[Return]) -> list[Return]:
    """The days that are compared by habit, as far as units are old enough; else all."""
    chosen = [each for each in days if each.day in TOLD_DAYS]
    return chosen or list(days)


def returns_table(readout: Readout, days: Sequence[Return], names: Names) -> Table:
    """Who was active on the days after the exposure, of those who are old enough."""
    variants, treatments = list(readout.plan.weights), readout.plan.treatments
    head = (
        gettext("Day after exposure"),
        gettext("Old enough"),
        *(names.variant(each) for each in variants),
        *(gettext("Difference, %(name)s", name=names.variant(each)) for each in treatments),
    )
    rows = [
        (
            day_word(each.day),
            numbers.whole(sum(each.old_enough.values())),
            *(_share(each.share.get(name)) for name in variants),
            *(points_change(each.difference.get(name)) for name in treatments),
        )
        for each in told_returns(days)
    ]
    return Table(gettext("Active on the days after exposure"), head, tuple(rows))


def returns_note(readout: Readout, days: Sequence[Return]) -> str:
    """Say how many units are old enough to count on the last day that people ask for."""
    last = told_returns(days)[-1]
    return gettext(
        "%(day)s: %(old)s of %(all)s units are old enough. Younger ones are left out, not counted as absent.",
        day=day_word(last.day),
        old=numbers.whole(sum(last.old_enough.values())),
        all=numbers.whole(sum(readout.units.values())),
    )


def day_word(day: float) -> str:
    """Name a day after the exposure."""
    return gettext("D%(day)s", day=numbers.whole(day))


def _reached(count: int, share: float | None) -> str:
    return gettext("%(count)s (%(share)s)", count=numbers.whole(count), share=_share(share))


def _share(share: float | None) -> str:
    return "–" if share is None else numbers.percent(share, 1)
