"""Sign-in: who opened this page. The session lives on the server, so ending it really ends it."""

from flask import Response, g, request

from experiments.people import Person, person_of
from web.api.errors import problem
from web.deployment import current

COOKIE = "evenhand_session"


def signed_in() -> Person | None:
    """The person whose session the request carries; None when there is none."""
    if "person" not in g:
        token = request.cookies.get(COOKIE)
        g.person = None
        if token:
            deployment = current()
            with deployment.store.read() as session:
                g.person = person_of(session=session, token=token, now=deployment.now())
    person: Person | None = g.person
    return person


def require_person() -> Response | None:
    """Refuse a management call without a session."""
    return None if signed_in() else problem(401, "Unauthorized", "sign in first")
