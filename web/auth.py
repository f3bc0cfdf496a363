"""Sign-in for people: a one-time link becomes a session cookie, and a session becomes a person.

Programs have keys (`web.api`); this is for browsers. The cookie holds a random token whose hash is in the
database, so signing out or deleting the row ends it at once.
"""

from urllib.parse import urlsplit

from flask import Request, Response, abort, g, request

from experiments import people
from experiments.people import SESSION_LIFETIME, Person
from web import deployment

PLAIN_COOKIE = "evenhand_session"
SECURE_COOKIE = "__Host-evenhand_session"
"""Under https: browsers take this name only with Secure, for the whole host, and from no subdomain."""


def person() -> Person | None:
    """Who is asking; None without a session in force."""
    if "person" not in g:
        g.person = _look_up(request)
    found: Person | None = g.person
    return found


def require_person() -> None:
    """Refuse a request without a session in force, for use before the doors of a blueprint."""
    if person() is None:
        abort(401, "sign in first")


def enter(*, token: str, answer: Response) -> Response:
    """Redeem a one-time link and give the browser its session.

    Raises
    ------
    NotFound
        If the link was used before, has expired or never existed.
    """
    with deployment.current().store.write() as session:
        opened = people.redeem_link(session=session, token=token, now=deployment.current().now())
    secure = _is_secure()
    answer.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        opened,
        max_age=SESSION_LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=secure,
        path="/",
    )
    return answer


def leave(answer: Response) -> Response:
    """End the session, here and in the database."""
    token = _token(request)
    if token:
        with deployment.current().store.write() as session:
            people.end_session(session=session, token=token)
    answer.delete_cookie(PLAIN_COOKIE, path="/")
    answer.delete_cookie(SECURE_COOKIE, path="/", secure=True)
    return answer


def local_path(wanted: str | None, *, otherwise: str) -> str:
    r"""A path on this site, or the other one: nobody is sent elsewhere from here.

    Browsers read ``\`` as ``/`` and drop tabs and line breaks, so paths with any of them are not taken.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return otherwise
    if "\\" in wanted or any(ord(each) < 0x21 or ord(each) == 0x7F for each in wanted):
        return otherwise
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc else wanted


def _look_up(asking: Request) -> Person | None:
    token = _token(asking)
    if not token:
        return None
    with deployment.current().store.read() as session:
        return people.person_of(session=session, token=token, now=deployment.current().now())


def _token(asking: Request) -> str:
    return asking.cookies.get(SECURE_COOKIE if _is_secure() else PLAIN_COOKIE, "")


def _is_secure() -> bool:
    return request.is_secure or deployment.current().settings.public_url.startswith("https://")
