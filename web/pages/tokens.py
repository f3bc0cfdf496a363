"""Tokens and keys: what programs come in with. A secret is shown once, in the answer that makes it."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import people, tokens
from experiments.errors import InvalidInput
from experiments.people import KeyKind
from experiments.roles import Scope
from experiments.tokens import LONGEST, parse_token
from web import auth, deployment
from web.pages.asking import asker, asker_by_role
from web.pages.site import needs, site
from web.pages.typed import read_count
from web.wording import records as words
from web.wording.language import gettext
from web.wording.mistakes import worded


@site.get("/settings/tokens")
@needs(Scope.TOKENS)
def show_tokens() -> str:
    """One's own tokens, everybody's for those who manage people, and the keys for those who make them."""
    return _page()


@site.post("/settings/tokens")
@needs(Scope.TOKENS)
def make_token() -> str | tuple[str, int]:
    """Make a token, and show it this once."""
    form = request.form
    days = form.get("days", "")
    typed = {
        "name": form.get("name", ""),
        "scopes": form.getlist("scopes"),
        "days": read_count(days) or 0,
    }
    try:
        draft = parse_token(typed)
        with deployment.current().store.write() as session:
            _, secret = tokens.create_token(session=session, draft=draft, **asker_by_role())
    except InvalidInput as refusal:
        return _page(typed=typed, refusal=refusal), 422
    return _page(secret=secret)


@site.post("/settings/tokens/revoke")
@needs(Scope.TOKENS)
def revoke_token() -> Response:
    """Close a token for good."""
    with deployment.current().store.write() as session:
        prefix = request.form.get("prefix", "")
        tokens.revoke_token(session=session, prefix=prefix, **asker_by_role())
    return redirect(url_for("pages.show_tokens"), 303)


@site.post("/settings/keys")
@needs(Scope.KEYS)
def make_key() -> str | tuple[str, int]:
    """Make a key, and show it this once."""
    kind, name = request.form.get("kind", ""), request.form.get("name", "").strip()
    if kind not in set(KeyKind):
        raise InvalidInput.at("kind", f"expected one of {', '.join(KeyKind)}")
    try:
        with deployment.current().store.write() as session:
            _, secret = people.create_key(session=session, kind=KeyKind(kind), name=name, **asker())
    except InvalidInput as refusal:
        return _page(key_problem=worded(refusal.problems[0].message)), 422
    return _page(secret=secret)


@site.post("/settings/keys/revoke")
@needs(Scope.KEYS)
def revoke_key() -> Response:
    """Close a key for good."""
    with deployment.current().store.write() as session:
        prefix = request.form.get("prefix", "")
        people.revoke_key(session=session, prefix=prefix, **asker())
    return redirect(url_for("pages.show_tokens"), 303)


def _page(
    *,
    secret: str = "",
    typed: dict[str, object] | None = None,
    refusal: InvalidInput | None = None,
    key_problem: str = "",
) -> str:
    caller, now = auth.asking(), deployment.current().now()
    with deployment.current().store.read() as session:
        owner = None if caller.may(Scope.PEOPLE) else caller.id
        found = tokens.list_tokens(session=session, owner=owner)
        keys = people.list_keys(session=session) if caller.may(Scope.KEYS) else []
    problems = (
        {} if refusal is None else {each.place.split(".")[0]: each.message for each in refusal.problems}
    )
    told = {name: worded(message) for name, message in problems.items()}
    if "scopes" in told:
        told["scopes"] = gettext("Choose at least one of these.")
    return render_template(
        "settings_tokens.html",
        tokens=[(token, words.token_chip(token, now)) for token in found],
        keys=[(key, words.key_chip(key)) for key in keys],
        kinds=words.key_kinds(),
        scopes={scope: told for scope, told in words.scopes().items() if caller.may(scope)},
        secret=secret,
        typed=typed or {"name": "", "scopes": [Scope.READ], "days": 90},
        problems=told,
        key_problem=key_problem,
        longest=LONGEST.days,
    )
