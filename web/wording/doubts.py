"""Doubts: what a careful reader should know beside a number, one sentence each."""

from analysis.flags import Doubt, Flag
from web.wording import numbers
from web.wording.language import gettext


def doubt_sentence(flag: Flag) -> str:
    """Say a doubt. It stands beside the number and never replaces it."""
    value, limit = numbers.number(flag.value, 0), numbers.number(flag.limit, 0)
    match flag.kind:
        case Doubt.FEW_EVENTS:
            return gettext(
                "A variant has only %(count)s successes or failures; below %(limit)s the interval is rough.",
                count=value,
                limit=limit,
            )
        case Doubt.TOO_GOOD:
            return gettext("Too good to be true is usually a bug: look at the logging before you believe it.")
        case Doubt.IDENTICAL_ARMS:
            return gettext("Both variants have exactly the same value: they may be the same data.")
        case Doubt.SKEWED_ALLOCATION:
            return gettext("A few units hold much of this metric and the split is uneven: cap the metric.")
        case Doubt.DOMINANT_UNIT:
            share = numbers.percent(flag.value, 0)
            return gettext("A single unit holds %(share)s of the metric's total.", share=share)
        case Doubt.COVARIATE_DIFFERS:
            return gettext("The groups differed before the exposure: the assignment or a join is broken.")
        case Doubt.DENOMINATOR_MOVED:
            return gettext(
                "The change moved the denominator, so the ratio alone does not say who is better off."
            )
        case Doubt.PEEKED:
            return gettext("It was looked at before its planned end, which makes false alarms more likely.")
        case Doubt.SUDDEN_JUMP:
            return gettext("One day departs sharply from all the others.")
