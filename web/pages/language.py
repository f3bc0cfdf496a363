"""Language: the reader's choice, kept in a cookie."""

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from web import auth
from web.pages.site import open_to_all, site
from web.wording.language import COOKIE, LANGUAGES

A_YEAR = 365 * 24 * 3600


@site.post("/language", endpoint="language")
@open_to_all
def set_language() -> Response:
    """Remember a language and go back."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    answer = redirect(auth.local_path(request.form.get("next"), otherwise="/experiments"), 303)
    answer.set_cookie(COOKIE, chosen, max_age=A_YEAR, httponly=True, samesite="Lax")
    return answer
