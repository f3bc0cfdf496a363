"""Adjusting: what knowing units from before their exposure gained, told without promising anything."""

from collections.abc import Iterable

from analysis import Finding
from web.wording import numbers
from web.wording.language import gettext

NOTABLE = 0.01
"""A smaller share of the variance leaves an interval as it was, to the eye."""

_SMALLEST = 0.0001


def adjustment_sentence(reduction: float) -> str:
    """Say what share of the variance went away, and what that is worth."""
    if reduction <= 0:
        return gettext("No variance went away: what was known before says nothing about this metric.")
    if reduction < NOTABLE:
        share = numbers.percent(max(reduction, _SMALLEST), 2)
        told = gettext("less than %(share)s", share=share) if reduction < _SMALLEST else share
        return gettext(
            "%(share)s less variance, which is practically nothing: what was known before says hardly "
            "anything about this metric, and the interval is as wide as without it.",
            share=told,
        )
    more = numbers.percent(1 / (1 - reduction) - 1) if reduction < 1 else "–"
    return gettext(
        "%(share)s less variance, as if %(more)s more units had come.",
        share=numbers.percent(reduction),
        more=more,
    )


def method_sentence(findings: Iterable[Finding]) -> str:
    """Say how comparisons were adjusted, and whether any of them gained from it; empty where none was."""
    gained = [each.variance_reduction for each in findings if each.variance_reduction is not None]
    if not gained:
        return ""
    told = gettext("For what was known before the exposure; changes refer to the unadjusted control.")
    if max(gained) >= NOTABLE:
        return told
    # An adjustment that was planned and gained nothing is no reason to expect narrower intervals.
    return gettext("%(told)s Here it took away practically no variance.", told=told)
