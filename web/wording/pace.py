"""The programme in words: how often experiments win, how much of it lasts, and how the work goes."""

from analysis.programme import Impact
from experiments.choices import Choice
from experiments.programme import Programme
from web.wording import numbers
from web.wording.facts import Fact
from web.wording.language import gettext, ngettext


def programme_facts(programme: Programme) -> tuple[Fact, ...]:
    """The facts to know before reading on."""
    guarded, started = programme.guarded
    recent = [each.concluded for each in programme.months[-3:]]
    return (
        _wins(programme),
        Fact(gettext("Decided"), numbers.whole(programme.concluded), _outcomes(programme)),
        Fact(
            gettext("Decided a month"),
            numbers.number(sum(recent) / len(recent), 1),
            gettext("in three months"),
        ),
        Fact(
            gettext("Usual length"),
            "–" if programme.days is None else _days(programme.days),
            "" if programme.days is None else gettext("half are shorter"),
        ),
        Fact(
            gettext("With a guardrail"),
            numbers.percent(guarded / started) if started else "–",
            gettext("of all that started"),
        ),
    )


def impact_sentence(impact: Impact, metric: str) -> str:
    """Tell what was shipped for one metric together, measured and expected."""
    decimals = numbers.decimals_of(abs(impact.expected) * 100, digits=2, most=1)
    return ngettext(
        "%(metric)s: %(num)s shipped variant measured %(measured)s; about %(expected)s is expected to last.",
        "%(metric)s: %(num)s shipped variants measured %(measured)s together; about %(expected)s is expected "
        "to last.",
        impact.shipped,
        metric=metric,
        measured=numbers.signed_percent(impact.measured, decimals),
        expected=numbers.signed_percent(impact.expected, decimals),
    )


def _wins(programme: Programme) -> Fact:
    if programme.wins is None:
        return Fact(gettext("Shipped"), "–")
    low, high = numbers.percent(programme.wins.low), numbers.percent(programme.wins.high)
    return Fact(
        gettext("Shipped"),
        numbers.percent(programme.wins.estimate),
        gettext("likely %(low)s to %(high)s", low=low, high=high),
    )


def _outcomes(programme: Programme) -> str:
    held, answered = programme.held.get("yes", 0), sum(programme.held.values())
    if not answered:
        shipped = programme.outcomes[Choice.SHIP]
        return gettext("%(count)s shipped", count=numbers.whole(shipped))
    return gettext("%(held)s of %(all)s gains held", held=numbers.whole(held), all=numbers.whole(answered))


def _days(days: float) -> str:
    return ngettext("%(num)s day", "%(num)s days", round(days))
