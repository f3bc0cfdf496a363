"""Channels: conversions credited by a rule, for explaining. A credit is no effect of the change."""

from analysis import Readout
from web.wording import numbers
from web.wording.language import gettext
from web.wording.legibility import legible
from web.wording.names import Names, clipped
from web.wording.tables import Table


def credit_tables(readout: Readout, names: Names) -> tuple[Table, ...]:
    """One table for each rule: conversions and what they were worth, by channel and variant."""
    return tuple(_table(readout, names, rule) for rule in dict.fromkeys(c.rule for c in readout.credits))


def rule_word(rule: str) -> str:
    """Name a rule of attribution."""
    words = {
        "first_touch": gettext("First touch"),
        "last_touch": gettext("Last touch"),
        "linear": gettext("Shared alike"),
        "position": gettext("By position"),
        "time_decay": gettext("By closeness in time"),
    }
    return words.get(rule, clipped(legible(rule)).replace("_", " "))


def _table(readout: Readout, names: Names, rule: str) -> Table:
    given = [each for each in readout.credits if each.rule == rule]
    found = {(each.channel, each.variant): each for each in given}
    variants = list(readout.plan.weights)
    head = (gettext("Channel"), *(names.variant(each) for each in variants))

    def cell(channel: str, variant: str) -> str:
        credit = found.get((channel, variant))
        if credit is None:
            return "–"
        return gettext(
            "%(count)s conversions, worth %(value)s",
            count=numbers.number(credit.conversions, 0 if credit.conversions.is_integer() else 1),
            value=numbers.number(credit.value, 0),
        )

    rows = tuple(
        (clipped(legible(channel)) or gettext("unknown"), *(cell(channel, variant) for variant in variants))
        for channel in dict.fromkeys(each.channel for each in given)
    )
    return Table(rule_word(rule), head, rows)
