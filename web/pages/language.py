"""Language: the reader's choice, kept in a cookie, or with the person for every browser."""

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import members
from experiments.roles import Scope
from web import auth, deployment
from web.pages.site import needs, open_to_all, site
from web.wording.language import LANGUAGES


@site.post("/language", endpoint="language")
@open_to_all
def set_language() -> Response:
    """Remember a language and go back."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    answer = redirect(auth.local_path(request.form.get("next"), otherwise="/experiments"), 303)
    auth.remember_language(chosen, answer)  # type: ignore[arg-type]  # Flask's own class, whatever it says
    return answer


@site.get("/settings/language")
def show_language() -> str:
    """What one reads, and what one could."""
    return render_template("settings_language.html")


@site.post("/settings/language")
@needs(Scope.READ)
def choose_language() -> Response:
    """Remember a language with the person, and in this browser."""
    chosen = request.form.get("language") or None
    if chosen is not None and chosen not in LANGUAGES:
        abort(400)
    with deployment.current().store.write() as session:
        members.choose_language(session=session, id=auth.asking().id, language=chosen)
    answer = redirect(url_for("pages.show_language"), 303)
    auth.remember_language(chosen, answer)  # type: ignore[arg-type]  # as above
    return answer
