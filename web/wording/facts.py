"""The facts strip: size, time, split, sensitivity and age of a readout."""

from dataclasses import dataclass

from analysis import Readout, Role
from web.wording import numbers
from web.wording.checks import days_run, planned_days
from web.wording.language import gettext, ngettext
from web.wording.names import Names
from web.wording.readings import overall

LARGEST_TOLD = 10.0
"""A detectable lift beyond this says only that there are far too few units; its digits say nothing more."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, its value, and what was planned."""

    label: str
    value: str
    note: str = ""


def facts_of(readout: Readout, names: Names) -> tuple[Fact, ...]:
    """The five facts to know before reading on."""
    return (
        Fact(gettext("Units"), numbers.whole(sum(readout.units.values()))),
        _time(readout),
        _split(readout, names),
        _could_detect(readout),
        Fact(gettext("Last update"), numbers.day(readout.as_of.date()), numbers.clock(readout.as_of)),
    )


def _time(readout: Readout) -> Fact:
    reached, planned = days_run(readout), planned_days(readout)
    text = ngettext("%(num)s day", "%(num)s days", reached)
    note = "" if planned is None else gettext("of %(planned)s", planned=planned)
    return Fact(gettext("Running time"), text, note)


def _split(readout: Readout, names: Names) -> Fact:
    check, weights = readout.check("srm"), readout.plan.weights
    total, whole = sum(readout.units.values()), sum(weights.values())
    if not total or not whole:
        return Fact(gettext("Split"), "–")
    if len(weights) == 2:
        name = readout.plan.treatments[0]
        planned = numbers.tick_share(round(weights[name] / whole, 4))
        return Fact(
            gettext("Split, %(name)s", name=names.variant(name)),
            numbers.percent(readout.units[name] / total, 2),
            gettext("planned %(share)s", share=planned),
        )
    passed = check is None or check.passed
    text = gettext("as planned") if passed else gettext("not as planned")
    note = ngettext("%(num)s variant", "%(num)s variants", len(weights))
    return Fact(gettext("Split"), text, note)


def _could_detect(readout: Readout) -> Fact:
    """The change that the least certain treatment would show on the first primary metric."""
    first = next((each.key for each in readout.plan.metrics if each.role is Role.PRIMARY), None)
    sizes = [
        finding.detectable_lift
        for finding in overall(readout)
        if finding.metric == first and finding.detectable_lift is not None
    ]
    label, mde = gettext("Could detect"), readout.plan.mde
    note = "" if mde is None else gettext("planned %(share)s", share=numbers.tick_share(mde))
    if not sizes:
        return Fact(label, "–", note)
    size = max(sizes)
    if size > LARGEST_TOLD:
        return Fact(label, gettext("over ±%(size)s", size=numbers.percent(LARGEST_TOLD)), note)
    return Fact(label, "±" + numbers.percent(size, numbers.decimals_of(size * 100, digits=2, most=1)), note)
