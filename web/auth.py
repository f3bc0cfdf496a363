"""Sign-in for people: a one-time link becomes a session cookie, and a session becomes a person.

The doors have keys (`web.api`); this is for people, and for the programs that speak for them. The cookie
holds a random token whose hash is in the database, so signing out or deleting the row ends it at once. A
browser sends the cookie whoever made it ask, so a change by cookie also needs a word that only our own pages
know.
"""

from urllib.parse import urlsplit

from flask import Request, Response, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from experiments import people, tokens
from experiments.errors import NotPermitted, NotSignedIn
from experiments.people import SESSION_LIFETIME, Person
from experiments.roles import Caller
from web import deployment
from web.api.access import presented
from web.wording.language import COOKIE

protection = CSRFProtect()

A_YEAR = 365 * 24 * 3600

PLAIN_COOKIE = "evenhand_session"
SECURE_COOKIE = "__Host-evenhand_session"
"""Under https: browsers take this name only with Secure, for the whole host, and from no subdomain."""


def person() -> Person | None:
    """Who is asking; None without a session in force."""
    if "person" not in g:
        g.person = _look_up(request)
    found: Person | None = g.person
    return found


def asking() -> Caller:
    """Whoever is signed in, asking for themselves; pages are open to nobody else."""
    found = person()
    if found is None:
        raise NotSignedIn("sign in first")
    return found.caller


def name() -> str:
    """What whoever is signed in is called in the audit log."""
    return asking().name


def caller() -> Caller:
    """Who asks the API: whoever the token speaks for, or else who is signed in.

    Raises
    ------
    NotSignedIn
        If there is neither, or the token is not in force.
    NotPermitted
        If a browser would change something without the word that our own pages send along.
    """
    headers = presented(request.headers.get("Authorization"), request.headers.get("X-API-Key"))
    texts = [text for text in headers if text]
    if texts:
        with deployment.current().store.read() as session:
            return tokens.caller_with(session=session, texts=texts, now=deployment.current().now())
    found = person()
    if found is None:
        raise NotSignedIn("an admin token is needed: Authorization: Bearer TOKEN; or sign in first")
    if request.method not in ("GET", "HEAD"):
        _require_own_page()
    return found.caller


def enter(*, token: str, answer: Response) -> Response:
    """Redeem a one-time link and give the browser its session.

    Raises
    ------
    NotFound
        If the link was used before, has expired or never existed.
    """
    with deployment.current().store.write() as session:
        opened = people.redeem_link(session=session, token=token, now=deployment.current().now())
        found = people.person_of(session=session, token=opened, now=deployment.current().now())
    if found is not None and found.language is not None:
        remember_language(found.language, answer)
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


def remember_language(chosen: str | None, answer: Response) -> None:
    """Let a browser ask for a language, or for what it asks by itself."""
    if chosen is None:
        answer.delete_cookie(COOKIE)
    else:
        answer.set_cookie(COOKIE, chosen, max_age=A_YEAR, httponly=True, samesite="Lax")


def leave(answer: Response) -> Response:
    """End the session, here and in the database."""
    token = _token(request)
    if token:
        with deployment.current().store.write() as session:
            people.end_session(session=session, token=token)
    answer.delete_cookie(PLAIN_COOKIE, path="/")
    answer.delete_cookie(SECURE_COOKIE, path="/", secure=True)
    return answer


def link_to_enter(token: str) -> str:
    """The address at which a sign-in token is redeemed, as the one who asks for it sees this site."""
    site = deployment.current().settings.public_url or request.host_url
    return f"{site.rstrip('/')}/enter?token={token}"


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


def _require_own_page() -> None:
    try:
        protection.protect()
    except CSRFError as refusal:
        raise NotPermitted(
            "a change by cookie needs the header X-CSRFToken; or use an admin token"
        ) from refusal


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
