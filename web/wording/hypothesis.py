"""The hypothesis as one sentence, made of the boxes that were filled in."""

from experiments.definition import HypothesisDraft
from web.wording.language import gettext
from web.wording.legibility import legible


def hypothesis_sentence(hypothesis: HypothesisDraft) -> str:
    """Compose what is believed; nothing where nothing was written."""
    change, effect = _part(hypothesis.change), _part(hypothesis.effect)
    audience, because = _part(hypothesis.audience), _part(hypothesis.because)
    if not change and not effect:
        return because or audience
    if not effect:
        cause = gettext("We change this: %(change)s", change=change)
    elif not change:
        cause = gettext("We expect this: %(effect)s", effect=effect)
    elif audience:
        cause = gettext(
            "If we %(change)s for %(audience)s, then %(effect)s",
            change=change,
            audience=audience,
            effect=effect,
        )
    else:
        cause = gettext("If we %(change)s, then %(effect)s", change=change, effect=effect)
    if because:
        return gettext("%(cause)s, because %(because)s.", cause=cause, because=because)
    return gettext("%(cause)s.", cause=cause)


def _part(text: str) -> str:
    return legible(text).rstrip(".。")
