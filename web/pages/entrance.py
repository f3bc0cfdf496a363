"""The entrance: signing in by a one-time link, and signing out."""

from flask import redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from experiments.errors import NotFound
from web import auth
from web.pages.site import open_to_all, site


@site.get("/sign-in")
@open_to_all
def sign_in() -> str:
    """How to get a link."""
    return render_template("sign_in.html")


@site.get("/enter")
@open_to_all
def enter() -> Response | tuple[str, int]:
    """Redeem a link and go where the person was going."""
    wanted = request.args.get("next") or session.pop("next", None)
    answer = redirect(auth.local_path(wanted, otherwise=url_for("pages.home")), 303)
    try:
        return auth.enter(token=request.args.get("token", ""), answer=answer)  # type: ignore[arg-type]  # Werkzeug's response, which Flask's is
    except NotFound:
        return render_template("sign_in.html", used=True), 410


@site.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    """End the session."""
    return auth.leave(redirect(url_for("pages.sign_in"), 303))  # type: ignore[arg-type]  # Werkzeug's response, which Flask's is
