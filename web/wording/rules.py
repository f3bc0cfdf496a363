"""Rules: how the verdict was reached, one question after the other, in the order they are asked."""

from dataclasses import dataclass

from analysis import Readout, Recommendation
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the verdict: ``passed`` over, ``decided``, or ``unasked`` because another came first."""

    state: str
    question: str
    answer: str

    @property
    def symbol(self) -> str:
        """The shape of the state."""
        return {"passed": "↓", "decided": "●", "unasked": "○"}[self.state]


def rules_of(readout: Readout) -> tuple[Rule, ...]:
    """Say which rule decided, and which were asked before it."""
    decisive = _decisive(readout)
    return tuple(
        Rule(_state(place, decisive), question, answer) for place, (question, answer) in enumerate(_rules())
    )


def _decisive(readout: Readout) -> int:
    codes = {ground.code for ground in readout.verdict.grounds}
    match readout.verdict.recommendation:
        case Recommendation.DO_NOT_READ:
            return 0
        case Recommendation.ROLL_BACK:
            return 1
        case Recommendation.SHIP:
            return 3
        case Recommendation.STOP:
            return 5
        case Recommendation.KEEP_RUNNING:
            if "before_planned_end" in codes:
                return 2
            return 4 if "limit_open" in codes else 6


def _state(place: int, decisive: int) -> str:
    if place == decisive:
        return "decided"
    return "passed" if place < decisive else "unasked"


def _rules() -> tuple[tuple[str, str], ...]:
    return (
        (gettext("Can the data not be trusted?"), gettext("Do not read yet")),
        (gettext("Does a treatment do harm, while none is ready to ship?"), gettext("Roll back")),
        (
            gettext("Does the plan allow one look only, and has its end not come?"),
            gettext("Keep running"),
        ),
        (
            gettext("Did the goal improve, with every harm limit ruled out?"),
            gettext("Ship the treatment that gains most"),
        ),
        (
            gettext("Did the goal improve, while a harm limit is still open?"),
            gettext("Keep running; at the end people decide"),
        ),
        (gettext("Has the planned end come without an improvement?"), gettext("Stop")),
        (gettext("Anything else"), gettext("Keep running")),
    )
