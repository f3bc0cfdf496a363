"""Limits: what the data say about a guardrail's harm limit, in one sentence that every place repeats."""

from analysis import Finding, Reading
from web.wording import numbers
from web.wording.language import gettext


def limit_text(limit: float) -> str:
    """Write a harm limit, as people set it."""
    return numbers.tick_percent(limit) if limit else numbers.percent(0.0)


def limit_sentence(finding: Finding) -> str:
    """Say whether harm up to the limit is ruled out; nothing where no limit was set."""
    if finding.harm_limit is None or finding.reading is Reading.NOT_ESTIMABLE:
        return ""
    limit = limit_text(finding.harm_limit)
    match finding.reading:
        case Reading.SAFE:
            return gettext("The harm limit of %(limit)s is ruled out.", limit=limit)
        case Reading.HARMFUL:
            return gettext("The whole interval lies beyond the harm limit of %(limit)s.", limit=limit)
    return gettext("Harm up to %(limit)s cannot be ruled out yet.", limit=limit)
