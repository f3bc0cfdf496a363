"""Erasure in words: what is stored about a person, line by line."""

from experiments.erasure import Removed
from web.wording.language import gettext


def kinds() -> dict[str, str]:
    """What an id may be."""
    return {
        "user_id": gettext("of somebody who signed in (user_id)"),
        "anonymous_id": gettext("of a browser or a device (anonymous_id)"),
    }


def counts_told(removed: Removed) -> list[tuple[str, int]]:
    """Each kind of row with its name, without those of which there are none."""
    named = (
        (gettext("Exposures"), removed.exposures),
        (gettext("Events"), removed.events),
        (gettext("Links between ids"), removed.identities),
        (gettext("Rejected messages"), removed.rejections),
        (gettext("Rows of other people that lose an anonymous id"), removed.detached),
    )
    return [(name, rows) for name, rows in named if rows]
