"""The assignment door: evaluations, answered in the thread that reads them.

A decision takes a few microseconds and Flask's dispatch of a request many times that, so evaluation has a
door of its own. It is the same service all the same: the same process, keys, ruleset and ledger.
"""

import logging
from dataclasses import dataclass

from experiments.people import KeyKind
from experiments.previews import PARAMETER
from web.api.access import Keyring
from web.api.bodies import BodyRefused
from web.api.clients import PREFLIGHT
from web.api.exchange import Answer, Call
from web.api.ofrep import (
    Answers,
    Refusal,
    answer_all,
    answer_asked,
    answer_refusal,
    evaluate,
    read_context,
)
from web.deployment import Deployment
from web.mirror import Reflection

PATH = "/ofrep/v1/evaluate/flags"
_SINGLE = f"{PATH}/"
_BULK = (PATH, _SINGLE)
_PREFLIGHT = Answer(204, b"", tuple(PREFLIGHT.items()))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Serving:
    """What is made once for each state of the mirror."""

    reflection: Reflection
    keyring: Keyring
    answers: Answers


class AssignmentDoor:
    """Answers evaluations."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._serving = _serving(deployment.mirror.reflection)

    def takes(self, path: str) -> bool:
        """Whether a path is an evaluation's."""
        return path.startswith(_SINGLE) or path == PATH

    def answer(self, call: Call) -> Answer:
        """Answer a request; a failure is an answer, too."""
        key = None if call.path in _BULK else call.path[len(_SINGLE) :]
        try:
            answer = self._answer(call, key)
        except Exception:  # noqa: BLE001 - the last line: what leaves here would end a connection without an answer
            _log.exception("an evaluation failed")
            answer = answer_refusal(Refusal(500, "GENERAL", "the evaluation failed; the log says why"), key)
        door = "evaluate_all" if key is None else "evaluate"
        self._deployment.tally.add("evaluations", door, str(answer.status), answer.detail)
        return answer

    def _answer(self, call: Call, key: str | None) -> Answer:
        if call.method == "OPTIONS":
            return _PREFLIGHT
        if call.method != "POST":
            return answer_refusal(Refusal(405, "GENERAL", "evaluations are asked for with POST"), key)
        try:
            return self._evaluated(call, key)
        except BodyRefused as refused:
            return answer_refusal(Refusal(refused.status, "GENERAL", refused.detail), key)
        except Refusal as refusal:
            return answer_refusal(refusal, key)

    def _evaluated(self, call: Call, key: str | None) -> Answer:
        serving = self._present()
        known = serving.keyring.opened_by(call.header("authorization"), call.header("x-api-key"))
        if known is None:
            raise Refusal(401, "GENERAL", "a server or client key is needed: Authorization: Bearer KEY")
        context = read_context(call.read())
        ruleset = serving.reflection.ruleset
        asked = self._deployment.previews.look(context, ruleset) if PARAMETER in context else None
        if key is None:
            return answer_all(ruleset, context, call.header("if-none-match"), asked)
        if asked is not None and asked.key == key:
            return answer_asked(ruleset, context, asked)
        decision, unit = evaluate(ruleset, key, context)
        if decision.exposes and known.kind is KeyKind.SERVER and known.exposes and _wanted(call):
            self._deployment.exposures.record(ruleset.rules[key], decision, unit, context)
        return serving.answers.give(decision)

    def _present(self) -> _Serving:
        reflection = self._deployment.mirror.reflection
        if self._serving.reflection is not reflection:
            self._serving = _serving(reflection)
        return self._serving


def _serving(reflection: Reflection) -> _Serving:
    return _Serving(reflection, Keyring(reflection.keys), Answers())


def _wanted(call: Call) -> bool:
    """Whether the caller wants the exposure recorded; it may say not to, for instance when it only looks."""
    return call.header("x-evenhand-exposure") != "off"
