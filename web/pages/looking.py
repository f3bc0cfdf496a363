"""Looking: how a page about a readout begins, and how the drawn part of it is kept."""

from collections.abc import Callable, Hashable

import flask_babel
from flask import Response
from markupsafe import Markup

from web import deployment, looking
from web.looking import Look
from web.reporting.exported import CONFINED


def look_at(key: str, *, snapshot_id: int | None = None) -> Look:
    """Begin a page: the newest readout, or the one of that number."""
    with deployment.current().store.read() as session:
        return looking.look_at(session=session, key=key, snapshot_id=snapshot_id)


def drawn(look: Look, kind: str, make: Callable[[], str], *about: Hashable) -> Markup:
    """The part of a page that holds nothing of a person: from the shelf, or made now.

    Parameters
    ----------
    about
        What else it depends on, beside the readout, the texts, the names and the language.
    """
    key = (kind, str(flask_babel.get_locale()), look.state, about)
    return Markup(deployment.current().shelf.get(key, make))  # noqa: S704 - our own templates' output


def attached(content: str | bytes, name: str, media_type: str) -> Response:
    """A download, which a browser never runs under our own origin."""
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Security-Policy"] = CONFINED
    return answer
