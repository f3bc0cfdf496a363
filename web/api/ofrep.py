"""OFREP: the OpenFeature remote evaluation protocol, version 0.3, from bytes to bytes.

Real clients force the shape: a success always carries all five fields, a failure always its key, code and
details, and every answer of any status is a JSON object. Nothing here knows of a server; the door that does
is `web.api.assigning`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from assignment import Decision, Rule, Ruleset, decide
from experiments.fields import KEY_PATTERN
from experiments.messages import MAX_ID, MAX_MESSAGE_BYTES
from experiments.storable import unstorable
from web.api.exchange import Answer
from web.previews import Asked

_KEY = re.compile(KEY_PATTERN)
_ANONYMOUS = ("anonymousId", "anonymous_id")
_IDS = ("targetingKey", *_ANONYMOUS)

NO_STORE = ("Cache-Control", "no-store")
REVALIDATE = ("Cache-Control", "private, no-cache")


class Refusal(Exception):
    """A request that is answered with an OFREP error."""

    def __init__(self, status: int, code: str, details: str) -> None:
        super().__init__(details)
        self.status = status
        self.code = code
        self.details = details


def read_context(body: bytes) -> dict[str, Any]:
    """Read the evaluation context out of a body.

    Raises
    ------
    Refusal
        Saying in the protocol's terms what is wrong with it.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise Refusal(413, "INVALID_CONTEXT", f"the context is larger than {MAX_MESSAGE_BYTES} bytes")
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as problem:
        raise Refusal(400, "PARSE_ERROR", f"the body is not JSON: {problem}") from problem
    context = document.get("context", {}) if isinstance(document, dict) else None
    if not isinstance(context, dict):
        raise Refusal(400, "INVALID_CONTEXT", "expected an object {'context': {…}}")
    key = context.get("targetingKey")
    if key is None or key == "":
        raise Refusal(400, "TARGETING_KEY_MISSING", "context.targetingKey: expected the unit's id")
    for name in _IDS:
        if name in context:
            _require_id(name, context[name])
    if unusable := unstorable(context):
        raise Refusal(400, "INVALID_CONTEXT", f"context: {unusable}")
    return context


def evaluate(ruleset: Ruleset, key: str, context: Mapping[str, Any]) -> tuple[Decision, str]:
    """Decide for a context.

    Returns
    -------
    Decision, str
        And the unit it was made for.

    Raises
    ------
    Refusal
        If there is no such experiment.
    """
    rule = ruleset.rules.get(key)
    if rule is None:
        known = f"there is no experiment {key!r}" if _KEY.match(key) else "that cannot be an experiment's key"
        raise Refusal(404, "FLAG_NOT_FOUND", known)
    unit = unit_of(rule, context)
    return decide(ruleset, key, unit=unit, attributes=context), unit


def unit_of(rule: Rule, context: Mapping[str, Any]) -> str:
    """The unit of the experiment's own type: the targeting key, unless an anonymous id is sent beside it."""
    if rule.unit_type == "anonymous_id":
        for name in _ANONYMOUS:
            given = context.get(name)
            if isinstance(given, str) and given:
                return given
    unit: str = context["targetingKey"]
    return unit


def success(decision: Decision, **more: str) -> dict[str, Any]:
    """A decision in the protocol's form, always with all five fields; ``more`` joins its metadata."""
    return {
        "key": decision.key,
        "value": decision.value,
        "reason": decision.reason,
        "variant": decision.variant,
        "metadata": {
            "experiment": decision.key,
            "phase": decision.phase,
            "ruleset": decision.ruleset,
            "detail": decision.detail,
            "inExperiment": decision.in_experiment,
            **more,
        },
    }


def _require_id(name: str, given: object) -> None:
    if given is not None and not (isinstance(given, str) and len(given) <= MAX_ID):
        expected = f"expected a text of up to {MAX_ID} characters"
        raise Refusal(400, "INVALID_CONTEXT", f"context.{name}: {expected}")


class Answers:
    """The answers of single evaluations under one ruleset.

    All that differs between two units with the same outcome is the unit, which is not part of the answer; so
    each outcome is written once.
    """

    def __init__(self) -> None:
        self._given: dict[tuple[str, str | None, str], Answer] = {}

    def give(self, decision: Decision) -> Answer:
        """Answer with a decision."""
        outcome = (decision.key, decision.variant, decision.detail)
        answer = self._given.get(outcome)
        if answer is None:
            body = _encoded(success(decision))
            answer = self._given[outcome] = Answer(200, body, (NO_STORE,), decision.detail)
        return answer


def answer_asked(ruleset: Ruleset, context: Mapping[str, Any], asked: Asked) -> Answer:
    """Answer somebody who came by a preview link with what it shows, or as anybody, saying why.

    Raises
    ------
    Refusal
        If the link shows nothing, and there is no such experiment.
    """
    document = _shown(ruleset, context, asked)
    return Answer(200, _encoded(document), (NO_STORE,), document["metadata"]["detail"])


def _shown(ruleset: Ruleset, context: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    decision = asked.decision or evaluate(ruleset, asked.key, context)[0]
    return success(decision, preview=asked.state)


def answer_all(
    ruleset: Ruleset, context: Mapping[str, Any], known_tag: str | None, asked: Asked | None = None
) -> Answer:
    """Answer for every experiment, or say that this context's answer has not changed.

    The tag is of this context's answer, not of the ruleset: clients send the old one along after their
    attributes have changed.
    """
    flags = {key: success(evaluate(ruleset, key, context)[0]) for key in ruleset.rules}
    if asked is not None and (asked.decision is not None or asked.key in flags):
        flags[asked.key] = _shown(ruleset, context, asked)
    body = _encoded({"flags": list(flags.values())})
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (REVALIDATE, ("ETag", tag))
    return Answer(304, b"", headers) if _weak(known_tag) == tag else Answer(200, body, headers)


def _weak(tag: str | None) -> str | None:
    """A tag as we gave it: proxies that compress mark it as weak."""
    return tag and tag.removeprefix("W/")


def answer_refusal(refusal: Refusal, key: str | None) -> Answer:
    """Answer with an error; one about a single experiment names its key."""
    document = {"errorCode": refusal.code, "errorDetails": refusal.details}
    return Answer(
        refusal.status, _encoded(document if key is None else {"key": key, **document}), (NO_STORE,)
    )


_encoder = json.JSONEncoder(separators=(",", ":"))


def _encoded(document: Any) -> bytes:
    return _encoder.encode(document).encode()
