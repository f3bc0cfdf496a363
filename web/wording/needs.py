"""Needs in words: why an experiment asks for somebody, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for

from experiments.attention import Item, Need
from web.wording import numbers
from web.wording.decided import recommendation_word
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Call:
    """One line of "needs you": a mark, what it is about, and where to go."""

    state: str
    symbol: str
    title: str
    text: str
    action: str
    address: str


def call_of(item: Item, said: str = "") -> Call:
    """Word one need.

    Parameters
    ----------
    said
        What the metric of an alert is called, or what the verdict says in a few words.
    """
    words: dict[Need, Callable[[Item, str], Call]] = {
        Need.ALERT: _alert,
        Need.HEALTH: _health,
        Need.DECIDE: _decide,
        Need.NOT_STARTED: _not_started,
        Need.ENDS_TODAY: _ends,
        Need.REVIEW: _review,
        Need.RETROSPECTIVE: _retrospective,
        Need.FOLLOW_UP: _follow_up,
    }
    return words[item.need](item, said)


def _alert(item: Item, metric: str) -> Call:
    text = gettext("%(metric)s is beyond its harm limit.", metric=metric or item.about)
    return _call(item, ("bad", "▼"), text, gettext("Look closer"), "results")


def _health(item: Item, _: str) -> Call:
    text = gettext("The data cannot be trusted: do not read the results before this is understood.")
    return _call(item, ("bad", "✗"), text, gettext("Look closer"), "results")


def _decide(item: Item, said: str) -> Call:
    said = said or recommendation_word(item.recommendation)
    text = gettext("Ready to decide. The numbers say: %(verdict)s.", verdict=said) if said else ""
    text = text or gettext("It has ended without a readout; say how it ends.")
    return _call(item, ("good", "●"), text, gettext("Decide"), "decide")


def _not_started(item: Item, _: str) -> Call:
    text = gettext("It could not start by itself; its history says why.")
    return _call(item, ("bad", "✗"), text, gettext("Look closer"), "design")


def _ends(item: Item, _: str) -> Call:
    return _call(item, ("open", "◔"), gettext("Ends today."), gettext("Results"), "results")


def _review(item: Item, _: str) -> Call:
    who = item.experiment.definition.owner
    text = gettext("%(who)s asks for a review.", who=who) if who else gettext("Waits for a review.")
    return _call(item, ("open", "○"), text, gettext("Review"), "design")


def _retrospective(item: Item, _: str) -> Call:
    day = "" if item.day is None else numbers.day(item.day)
    text = gettext("Shipped on %(day)s. Did the gain hold?", day=day)
    return _call(item, ("open", "↺"), text, gettext("Look back"), "retrospective")


def _follow_up(item: Item, _: str) -> Call:
    day = "" if item.day is None else numbers.short_day(item.day)
    text = gettext("To do by %(day)s: %(task)s", day=day, task=item.about)
    return _call(item, ("open", "□"), text, gettext("Open"), "decide")


def _call(item: Item, mark: tuple[str, str], text: str, action: str, page: str) -> Call:
    state, symbol = mark
    address = url_for(f"pages.{page}", key=item.experiment.key)
    return Call(state, symbol, item.experiment.title, text, action, address)
