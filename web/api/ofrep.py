"""OFREP: the OpenFeature remote evaluation protocol, version 0.3.

Real clients force the shape: a success always carries all five fields, a failure always its key, code and
details, and every answer of any status is a JSON object.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic_core import from_json

from assignment import Decision, Detail, Rule, Ruleset, decide
from experiments.definition import KEY_PATTERN
from experiments.messages import MAX_ID, unstorable
from experiments.people import KeyKind
from experiments.store.instants import to_millis
from experiments.store.ledger import Exposure
from web.api.access import presented, resolve
from web.api.bodies import read_body
from web.api.clients import allow_browsers
from web.deployment import Deployment, current

blueprint = Blueprint("ofrep", __name__)
allow_browsers(blueprint)

_KEY = re.compile(KEY_PATTERN)
_ANONYMOUS = ("anonymousId", "anonymous_id")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A request that is answered with an OFREP error."""

    status: int
    code: str
    details: str


@blueprint.post("/ofrep/v1/evaluate/flags/<path:key>")
@blueprint.post("//ofrep/v1/evaluate/flags/<path:key>")
def evaluate_one(key: str) -> Response:
    """Evaluate one experiment; for a server key the exposure is recorded."""
    deployment = current()
    try:
        kind = _authorise(deployment)
        context = read_context(read_body(request))
        decision, unit = evaluate(deployment.mirror.reflection.ruleset, key, context)
    except Refusal as refusal:
        return _failed(refusal, key=key)
    if decision.exposes and kind is KeyKind.SERVER:
        rule = deployment.mirror.reflection.ruleset.rules[key]
        deployment.writer.offer([_exposure(deployment, rule, decision, unit, context)])
    return _answer(200, success(decision), {"Cache-Control": "no-store"})


@blueprint.post("/ofrep/v1/evaluate/flags")
@blueprint.post("//ofrep/v1/evaluate/flags")
def evaluate_all() -> Response:
    """Evaluate every experiment for one context; no exposure is recorded."""
    deployment = current()
    ruleset = deployment.mirror.reflection.ruleset
    try:
        _authorise(deployment)
        context = read_context(read_body(request))
    except Refusal as refusal:
        return _failed(refusal)
    flags = [success(evaluate(ruleset, key, context)[0]) for key in ruleset.rules]
    body = json.dumps({"flags": flags}, separators=(",", ":"))
    # The tag is of this context's answer: clients send an old one along after their attributes changed.
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers=headers)
    return Response(body, status=200, headers=headers, content_type="application/json")


def read_context(body: bytes) -> dict[str, Any]:
    """Read the evaluation context out of a body.

    Raises
    ------
    Refusal
        Saying in the protocol's terms what is wrong with it.
    """
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
    if not isinstance(key, str) or len(key) > MAX_ID:
        raise Refusal(
            400, "INVALID_CONTEXT", f"context.targetingKey: expected a text of up to {MAX_ID} characters"
        )
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
    rule = ruleset.rules.get(key) if _KEY.match(key) else None
    if rule is None:
        raise Refusal(404, "FLAG_NOT_FOUND", f"there is no experiment {key[:128]!r}")
    unit = unit_of(rule, context)
    return decide(ruleset, key, unit=unit, attributes=context), unit


def unit_of(rule: Rule, context: Mapping[str, Any]) -> str:
    """The unit of the experiment's own type: the targeting key, unless an anonymous id is sent beside it."""
    if rule.unit_type == "anonymous_id":
        given = next((context[name] for name in _ANONYMOUS if isinstance(context.get(name), str)), None)
        if given:
            return str(given)
    return str(context["targetingKey"])


def success(decision: Decision) -> dict[str, Any]:
    """A decision in the protocol's form, always with all five fields."""
    return {
        "key": decision.key,
        "value": decision.value,
        "reason": str(decision.reason),
        "variant": decision.variant,
        "metadata": {
            "experiment": decision.key,
            "phase": decision.phase,
            "ruleset": decision.ruleset,
            "detail": str(decision.detail),
            "inExperiment": decision.in_experiment,
        },
    }


def _authorise(deployment: Deployment) -> KeyKind:
    key = resolve(deployment.mirror.reflection.keys, presented(request.headers))
    if key is None:
        raise Refusal(401, "GENERAL", "a server or client key is needed: Authorization: Bearer KEY")
    return key.kind


def _exposure(
    deployment: Deployment, rule: Rule, decision: Decision, unit: str, context: Mapping[str, Any]
) -> Exposure:
    now = to_millis(deployment.now())
    attributes = {name: value for name, value in context.items() if name != "targetingKey"}
    return Exposure(
        message_id=exposure_id(decision, unit),
        experiment=rule.key,
        user_id=unit if rule.unit_type == "user_id" else None,
        anonymous_id=unit if rule.unit_type == "anonymous_id" else None,
        variant=decision.variant or "",
        occurred_at=now,
        received_at=now,
        attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")) if attributes else None,
        mark="override" if decision.detail is Detail.OVERRIDE else None,
    )


def exposure_id(decision: Decision, unit: str) -> str:
    """The id of a unit's exposure to a variant: only the first one of a phase is ever stored."""
    spoken = f"{decision.key}\0{decision.phase}\0{decision.variant}\0{unit}"
    return f"x-{hashlib.blake2b(spoken.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _failed(refusal: Refusal, **members: Any) -> Response:
    document = {**members, "errorCode": refusal.code, "errorDetails": refusal.details}
    return _answer(refusal.status, document, {"Cache-Control": "no-store"})


def _answer(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status=status, headers=dict(headers), content_type="application/json")
