"""What was decided, in words: choices, their chips, and whether a gain held."""

from collections.abc import Callable

from analysis import Recommendation
from experiments.choices import Choice
from experiments.concluded import Conclusion, Held
from web.wording import numbers
from web.wording.language import gettext
from web.wording.names import Names
from web.wording.readings import Chip


def outcome_chip(choice: Choice) -> Chip:
    """Say in a word how an experiment ended."""
    return _OUTCOMES[choice]()


def held_chip(held: Held) -> Chip:
    """Say in a word whether a gain held."""
    return _HELD[held]()


def choice_words(choice: Choice) -> tuple[str, str]:
    """What a choice is called, and what it does."""
    words: dict[Choice, Callable[[], tuple[str, str]]] = {
        Choice.SHIP: lambda: (
            gettext("Ship a variant"),
            gettext("Everybody gets it from now on."),
        ),
        Choice.ROLL_BACK: lambda: (
            gettext("Roll back"),
            gettext("The change did harm. Everybody gets the control."),
        ),
        Choice.STOP: lambda: (
            gettext("Stop and keep the control"),
            gettext("There was no gain worth the change. Everybody gets the control."),
        ),
        Choice.CONTINUE: lambda: (
            gettext("Continue"),
            gettext("It goes on until another day; nothing is concluded yet."),
        ),
    }
    return words[choice]()


def decision_sentence(conclusion: Conclusion, names: Names) -> str:
    """Tell what was decided, with the shares."""
    match conclusion.choice:
        case Choice.SHIP:
            return _shipped(conclusion, names.variant(conclusion.variant or ""))
        case Choice.ROLL_BACK:
            return gettext("It was rolled back: everybody has the control.")
        case Choice.STOP:
            return gettext("It was stopped: everybody has the control.")
        case Choice.CONTINUE:
            day = "" if conclusion.until is None else numbers.day(conclusion.until.date())
            return gettext("It goes on until %(day)s.", day=day)


def departs(conclusion: Conclusion) -> bool:
    """Whether another decision was made than the verdict recommended."""
    agreeing = {
        Recommendation.SHIP: Choice.SHIP,
        Recommendation.ROLL_BACK: Choice.ROLL_BACK,
        Recommendation.STOP: Choice.STOP,
        Recommendation.KEEP_RUNNING: Choice.CONTINUE,
    }
    said = conclusion.recommendation
    return said is None or agreeing.get(Recommendation(said)) is not conclusion.choice


def recommendation_word(recommendation: str) -> str:
    """Name a recommendation."""
    words: dict[str, Callable[[], str]] = {
        Recommendation.SHIP: lambda: gettext("Ship"),
        Recommendation.ROLL_BACK: lambda: gettext("Roll back"),
        Recommendation.STOP: lambda: gettext("Stop"),
        Recommendation.KEEP_RUNNING: lambda: gettext("Keep running"),
        Recommendation.DO_NOT_READ: lambda: gettext("Do not read yet"),
    }
    found = words.get(recommendation)
    return found() if found else ""


def _shipped(conclusion: Conclusion, name: str) -> str:
    if conclusion.rollout == 10_000 and not conclusion.holdout:
        return gettext("%(name)s was shipped to everybody.", name=name)
    share = numbers.tick_share(conclusion.rollout / 10_000)
    if not conclusion.holdout:
        return gettext("%(name)s was shipped, planned for %(share)s.", name=name, share=share)
    without = numbers.tick_share(conclusion.holdout / 10_000)
    return gettext(
        "%(name)s was shipped, planned for %(share)s; %(without)s stay without it.",
        name=name,
        share=share,
        without=without,
    )


_OUTCOMES: dict[Choice, Callable[[], Chip]] = {
    Choice.SHIP: lambda: Chip("good", "▲", gettext("Shipped")),
    Choice.ROLL_BACK: lambda: Chip("worse", "▼", gettext("Rolled back")),
    Choice.STOP: lambda: Chip("quiet", "■", gettext("Stopped, control kept")),
    Choice.CONTINUE: lambda: Chip("quiet", "●", gettext("Continues")),
}
_HELD: dict[Held, Callable[[], Chip]] = {
    Held.YES: lambda: Chip("safe", "✓", gettext("The gain held")),
    Held.PARTLY: lambda: Chip("quiet", "◐", gettext("Part of the gain held")),
    Held.NO: lambda: Chip("worse", "✗", gettext("The gain did not hold")),
}
