"""Operators of conditions in words, in the order in which they are offered."""

from web.wording.language import gettext


def offered_operators() -> list[tuple[str, str]]:
    """Codes and what they are called."""
    return [
        ("eq", gettext("is")),
        ("ne", gettext("is not")),
        ("in", gettext("is one of")),
        ("not_in", gettext("is none of")),
        ("gt", gettext("is above")),
        ("ge", gettext("is at least")),
        ("lt", gettext("is below")),
        ("le", gettext("is at most")),
        ("exists", gettext("is known")),
        ("not_exists", gettext("is not known")),
        ("contains", gettext("contains")),
        ("starts_with", gettext("begins with")),
        ("ends_with", gettext("ends with")),
        ("version_ge", gettext("is version … or later")),
        ("version_gt", gettext("is later than version")),
        ("version_le", gettext("is version … or earlier")),
        ("version_lt", gettext("is earlier than version")),
    ]
