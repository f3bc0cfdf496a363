"""Legible: names as people typed them, kept from bending the sentences that they stand in.

A name may hold characters that nobody sees: marks that turn the direction of everything after them, or that
take no room at all. Inside a sentence with numbers they could show "9%" as "%9", or hide that names differ.
"""

import re
import unicodedata

_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = re.compile(r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"
_FROM_THE_RIGHT = frozenset({"R", "AL"})


def legible(text: str) -> str:
    r"""A text without marks that bend what stands around it; one from the right is kept to itself.

    Examples
    --------
    >>> legible("safe \N{RIGHT-TO-LEFT OVERRIDE}%9.6+ eht")
    'safe %9.6+ eht'
    """
    plain = _UNSEEN.sub("", _LINES.sub(" ", text)).strip()
    if any(unicodedata.bidirectional(each) in _FROM_THE_RIGHT for each in plain):
        return FIRST_STRONG_ISOLATE + plain + POP_ISOLATE
    return plain
