"""The door of management: from a request to one use case, and back.

Everything that holds for all of its operations is done here, in this order: who asks, whether they may, what
the query and the body say, whether the same request was answered before; then the handler makes one use case
in one transaction, and its reply is stored in the same one. What an operation takes and needs stands in
`web.api.operations`, from which the routes are made, so the description cannot be wrong about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, request
from pydantic import ValidationError

from experiments import audit, stored_answers, tokens
from experiments.definition import invalid
from experiments.errors import InvalidInput, Unavailable
from experiments.fields import Draft
from experiments.roles import Caller
from experiments.storable import unstorable
from experiments.store import Session
from experiments.stored_answers import Claim
from web import auth
from web.api.errors import BadQuery, NotJson
from web.api.operation import Operation
from web.api.operations import OPERATIONS
from web.api.replies import FileReply, Reply, respond
from web.deployment import Deployment, current

blueprint = Blueprint("management", __name__)

_BY_NAME: Mapping[str, Operation] = {each.name: each for each in OPERATIONS}
_LONGEST_KEY = 255

Handler = Callable[..., Reply | FileReply]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: who asks, in which transaction, at which moment."""

    caller: Caller
    session: Session
    now: datetime

    @property
    def terms(self) -> dict[str, Any]:
        """What every use case that changes something takes."""
        return {"session": self.session, "actor": self.caller.name, "now": self.now}

    @property
    def personal(self) -> dict[str, Any]:
        """What a use case takes that asks how much its caller may hand on."""
        return {"session": self.session, "by": self.caller, "now": self.now}

    @property
    def revision(self) -> int | None:
        """The revision in If-Match; None where anything may be overwritten.

        Raises
        ------
        InvalidInput
            If there is something else in it.
        """
        tag = request.headers.get("If-Match", "*").strip()
        if tag == "*":
            return None
        number = tag.strip('"')
        if not number.isdecimal() or len(number) > 18:
            raise InvalidInput.at("If-Match", "expected an ETag that this address gave out, or *")
        return int(number)


def serves(name: str, *, alone: bool = False) -> Callable[[H], H]:
    """Let a handler serve the operation of this name.

    Parameters
    ----------
    alone
        Whether it is given the caller instead of a transaction, because it opens its own. Such a change
        has to be one that may be made twice: its answer is not kept.
    """
    operation = _BY_NAME[name]
    rule = operation.path.replace("{id}", "<int:id>").replace("{", "<").replace("}", ">")

    def register(handler: H) -> H:
        act = _leave_alone if alone else _show if operation.method == "GET" else _change
        view = partial(_serve, operation, act, handler)
        blueprint.add_url_rule(rule, name, view, methods=[operation.method])
        return handler

    return register


def _serve(
    operation: Operation, act: Callable[[Handler, Caller], Response], handler: Handler, **parts: Any
) -> Response:
    caller = auth.caller()
    if operation.scope is not None:
        caller.require(operation.scope)
    if any(unstorable(part) for part in parts.values()):
        abort(404)
    parts |= _read(operation)
    response = act(partial(handler, **parts), caller)
    if caller.token is not None:
        response.call_on_close(partial(_note_use, current(), caller.token))
    return response


def _leave_alone(handler: Handler, caller: Caller) -> Response:
    return respond(handler(caller).answer())


def _show(handler: Handler, caller: Caller) -> Response:
    with current().store.read() as session:
        return respond(handler(Asking(caller, session, current().now())).answer())


def _change(handler: Handler, caller: Caller) -> Response:
    claim = _claim(caller)
    if claim is None:
        return respond(_carry_out(handler, caller, None).answer())
    with current().store.write() as session:
        known = stored_answers.claim_key(session=session, claim=claim, now=current().now())
    if known is not None:
        return respond(known, **{"Idempotency-Replayed": "true"})
    carried_out = False
    try:
        reply = _carry_out(handler, caller, claim)
        carried_out = True
    finally:
        if not carried_out:
            with current().store.write() as session:
                stored_answers.give_back(session=session, claim=claim)
    return respond(reply.answer())


def _carry_out(handler: Handler, caller: Caller, claim: Claim | None) -> Reply | FileReply:
    with current().store.write() as session:
        session.info[audit.TOKEN] = caller.token
        reply = handler(Asking(caller, session, current().now()))
        if claim is not None:
            stored_answers.keep_answer(session=session, claim=claim, answer=reply.kept())
    return reply


def _claim(caller: Caller) -> Claim | None:
    """The idempotency key of the request; the draft of the header's standard wants it in quotes."""
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return None
    key = key.strip().removeprefix('"').removesuffix('"')
    if not key or len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput.at("Idempotency-Key", f"expected 1 to {_LONGEST_KEY} printable characters")
    return Claim(caller.token or f"person:{caller.id}", key, request.path[:512], request.get_data())


def _read(operation: Operation) -> dict[str, Draft]:
    read: dict[str, Draft] = {}
    query = _query(operation.query or Draft)
    if operation.query is not None:
        read["wanted"] = query
    if operation.reader is not None:
        read["draft"] = operation.reader(request.get_data())
    elif operation.draft is not None:
        read["draft"] = _body(operation.draft)
    return read


def _query(shape: type[Draft]) -> Draft:
    """Read the query; a parameter that is not known would be a wish that is silently not granted."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise BadQuery.at(twice[0], "given twice")
    try:
        return shape.model_validate(request.args.to_dict())
    except ValidationError as problem:
        raise BadQuery(invalid(problem).problems) from problem


def _body(shape: type[Draft]) -> Draft:
    """Read the body strictly: a text is no number; nothing at all is an empty object."""
    try:
        return shape.model_validate_json(request.get_data() or b"{}", strict=True)
    except ValidationError as problem:
        unreadable = problem.errors(include_url=False)[0]["type"] == "json_invalid"
        raise (NotJson if unreadable else InvalidInput)(invalid(problem).problems) from problem


def _note_use(deployment: Deployment, prefix: str) -> None:
    """Remember, after the answer, that a token was used."""
    now = deployment.now()
    try:
        with deployment.store.read() as session:
            if tokens.is_use_known(session=session, prefix=prefix, now=now):
                return
        with deployment.store.write() as session:
            tokens.note_use(session=session, prefix=prefix, now=now)
    except Unavailable:
        return
