"""Metric trees in words: what a total is made of, and which factor moved it."""

from dataclasses import dataclass

from experiments.trees import FREQUENCY, SHARE, VISITORS, WORTH, Branch, Tree
from web.wording import numbers
from web.wording.language import gettext, html_tag, joined
from web.wording.measures import Measure
from web.wording.tables import Table

SMALL = 0.001
"""A factor that moved by less than this stayed as it was."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A factor's contribution, as drawn: its name, what it added, the same in words, and the metric's key."""

    name: str
    value: float
    told: str
    key: str


def factor_names() -> dict[str, str]:
    """What the factors of a total are called."""
    return {
        VISITORS: gettext("Visitors"),
        SHARE: gettext("Share that does it"),
        FREQUENCY: gettext("Times for each"),
        WORTH: gettext("Worth of each time"),
    }


def tree_formula(tree: Tree) -> str:
    """Write the total as a product."""
    told = " × ".join(factor_names()[each.name] for each in tree.branches)
    if not told:
        return ""
    name = tree.root.definition.title_in(html_tag())
    return gettext("Total of “%(metric)s” = %(factors)s", metric=name, factors=told)


def tree_sentence(tree: Tree) -> str:
    """Say how the total moved, and what moved it."""
    words = {"before": _total(tree, tree.before), "after": _total(tree, tree.after)}
    name = tree.root.definition.title_in(html_tag())
    if not tree.branches:
        return gettext(
            "“%(metric)s” added up over all units: %(before)s in the four weeks before, %(after)s in the "
            "last four. A factor was nought in one of them, so the change cannot be shared out.",
            metric=name,
            **words,
        )
    change = numbers.signed_percent(tree.change / tree.before, 1)
    moved = gettext(
        "“%(metric)s” added up over all units went from %(before)s in the four weeks before to %(after)s in "
        "the last four (%(change)s).",
        metric=name,
        change=change,
        **words,
    )
    return joined(moved, _cause(tree))


def _cause(tree: Tree) -> str:
    sign = -1 if tree.change < 0 else 1
    most = max(tree.branches, key=lambda each: each.contribution * sign)
    if all(abs(each.change) < SMALL for each in tree.branches):
        return gettext("All of its factors stayed as they were.")
    told = gettext(
        "The largest part of that comes from “%(factor)s” (%(change)s), which contributed %(amount)s.",
        factor=factor_names()[most.name],
        change=numbers.signed_percent(most.change, 1),
        amount=_signed(tree, most.contribution),
    )
    against = [each for each in tree.branches if each.contribution * most.contribution < 0]
    against = [each for each in against if abs(each.change) >= SMALL]
    if not against:
        return told
    names = numbers.listed([factor_names()[each.name] for each in against])
    return joined(told, gettext("The other way went: %(factors)s.", factors=names))


def tree_table(tree: Tree) -> Table:
    """Every factor before and after, and what it contributed."""
    head = (
        gettext("Factor"),
        gettext("Four weeks before"),
        gettext("Last four weeks"),
        gettext("Change"),
        gettext("Contribution"),
    )
    rows = [_row(tree, each) for each in tree.branches]
    whole = numbers.signed_percent(tree.change / tree.before, 1) if tree.before else "–"
    last = (gettext("Total"), _total(tree, tree.before), _total(tree, tree.after), whole)
    rows.append((*last, _signed(tree, tree.change)))
    return Table(gettext("What the total is made of"), head, tuple(rows))


def bars_of(tree: Tree) -> tuple[Bar, ...]:
    """The contributions, as they are drawn."""
    names = factor_names()
    return tuple(
        Bar(
            names[each.name],
            each.contribution,
            _signed(tree, each.contribution),
            each.metric.key if each.metric else "",
        )
        for each in tree.branches
    )


def _row(tree: Tree, branch: Branch) -> tuple[str, ...]:
    levels = (_level(tree, branch.name, branch.before), _level(tree, branch.name, branch.after))
    change = numbers.signed_percent(branch.change, 1)
    return (factor_names()[branch.name], *levels, change, _signed(tree, branch.contribution))


def _level(tree: Tree, name: str, value: float) -> str:
    if name == VISITORS:
        return numbers.whole(value)
    if name == SHARE:
        return numbers.percent(value, numbers.value_decimals(value * 100))
    plain = numbers.number(value, numbers.value_decimals(value))
    return _measure(tree).beside(plain) if name == WORTH else plain


def _total(tree: Tree, value: float) -> str:
    return _measure(tree).beside(numbers.number(value, numbers.value_decimals(value)))


def _signed(tree: Tree, value: float) -> str:
    sign = "" if value == 0 else numbers.MINUS if value < 0 else "+"
    return sign + _total(tree, abs(value))


def _measure(tree: Tree) -> Measure:
    """A sum is counted in what its values are; how many did it, and how often, are plain numbers."""
    root = tree.root.definition
    return (
        Measure(root.shown_as, root.unit) if root.kind == "mean" and root.aggregation == "sum" else Measure()
    )
