"""Refusals: the one sentence of a use case that could not do what was asked, in the reader's language."""

import re
from collections.abc import Callable

from experiments.lifecycle import Status
from web.wording.language import gettext, joined
from web.wording.legibility import legible
from web.wording.names import clipped
from web.wording.states import status_chip


def refusal_sentence(message: str) -> str | None:
    """Say a refusal in the reader's language; None for one that has no words of its own here."""
    for pattern, say in _SENTENCES:
        match = re.fullmatch(pattern, message, re.DOTALL)
        if match:
            return say(*(named(each) for each in match.groups()))
    return None


def named(text: str) -> str:
    """What a message quotes, fit to be shown: without a program's quotes, and never longer than a line."""
    return clipped(legible(text.strip("'\"")))


def _stands(key: str, status: str) -> str:
    word = status_chip(Status(status)).word if status in set(Status) else status
    return gettext("%(key)s: %(status)s.", key=key, status=word)


_SENTENCES: list[tuple[str, Callable[..., str]]] = [
    # There is no such thing.
    (r"there is no experiment (.+)", lambda key: gettext("There is no experiment %(key)s.", key=key)),
    (r"there is no metric (.+)", lambda key: gettext("There is no metric %(key)s.", key=key)),
    (r"there is no guardrail (.+)", lambda key: gettext("There is no guardrail %(key)s.", key=key)),
    (r"there is no person (.+)", lambda name: gettext("Nobody here is called %(name)s.", name=name)),
    (r"there is no (?:key|token) (.+)", lambda name: gettext("There is no key %(name)s.", name=name)),
    (r"there is no conclusion .+", lambda: gettext("There is no such decision.")),
    (r"there is no follow-up .+", lambda: gettext("There is no such follow-up.")),
    (r"(.+) has no readout .+", lambda key: gettext("%(key)s has no such readout.", key=key)),
    (
        r"(.+) has no variant (.+)",
        lambda key, variant: gettext("%(key)s has no variant %(variant)s.", key=key, variant=variant),
    ),
    (r"(.+) has not been analysed yet", lambda key: gettext("%(key)s has not been analysed yet.", key=key)),
    (r"nothing is being typed about (.+)", lambda key: gettext("Nobody is writing about %(key)s.", key=key)),
    (
        r"this sign-in link was used before or has expired",
        lambda: gettext("This sign-in link was used before or has expired."),
    ),
    (
        r"this link has expired, was withdrawn or never existed|there is no such link",
        lambda: gettext("This link has expired, was withdrawn or never existed."),
    ),
    # Somebody else was quicker.
    (
        r"the project was changed by somebody else.+",
        lambda: gettext("Somebody else has changed the project meanwhile."),
    ),
    (
        r"the tracking plan was changed by somebody else.+",
        lambda: gettext("Somebody else has changed the tracking plan meanwhile."),
    ),
    (
        r"(?:the report of |metric )?(.+) was changed by somebody else.+",
        lambda key: gettext("Somebody else has changed %(key)s meanwhile.", key=key),
    ),
    (
        r"(.+) has changed (.+) in the meantime",
        lambda name, key: gettext("%(name)s has changed %(key)s meanwhile.", name=name, key=key),
    ),
    (
        r"(.+) has looked back on (.+) already",
        lambda name, key: gettext("%(name)s has looked back on %(key)s already.", name=name, key=key),
    ),
    (
        r"(?:an experiment )?(\S+) exists already; .+",
        lambda key: gettext("The key %(key)s was used before; choose another.", key=key),
    ),
    (
        r"somebody is typing about (.+) already; .+",
        lambda key: gettext("Somebody is writing about %(key)s already; choose another key.", key=key),
    ),
    (
        r"layer (\S+): (\S+) holds the buckets from (\S+) to (\S+)",
        lambda layer, key, low, high: gettext(
            "In the layer %(layer)s, %(key)s holds the places from %(low)s to %(high)s.",
            layer=layer,
            key=key,
            low=low,
            high=high,
        ),
    ),
    (
        r"layer (\S+): (\S+) and (\S+) hold the same buckets",
        lambda layer, one, other: gettext(
            "In the layer %(layer)s, %(one)s and %(other)s hold the same places.",
            layer=layer,
            one=one,
            other=other,
        ),
    ),
    (
        r"the first request under this Idempotency-Key is still under way",
        lambda: gettext("The same request is still under way."),
    ),
    # The rules forbid it.
    (
        r"(\S+) is (\S+); what is approved.+",
        lambda key, status: joined(
            _stands(key, status), gettext("Only what is in review, or stopped and to go on, can be approved.")
        ),
    ),
    (r"(\S+) is (\S+); from there it can become .+", _stands),
    (
        r"(\S+) is (\S+); its definition is kept as it was",
        lambda key, status: joined(_stands(key, status), gettext("Its definition is kept as it was.")),
    ),
    (
        r"(\S+) is (\S+); there is nothing to decide about it",
        lambda key, status: joined(_stands(key, status), gettext("There is nothing to decide about it.")),
    ),
    (
        r"(\S+) is (\S+); there is no start to cancel",
        lambda key, status: joined(_stands(key, status), gettext("There is no start to cancel.")),
    ),
    (
        r"(\S+) is a (\S+); it has no data before it starts",
        lambda key, status: joined(_stands(key, status), gettext("It has no data before it starts.")),
    ),
    (
        r"(.+) is an author of (\S+); .+",
        lambda name, key: gettext(
            "%(name)s is an author of %(key)s; somebody else has to approve it.", name=name, key=key
        ),
    ),
    (
        r"(\S+) has not been approved as it stands; .+",
        lambda key: gettext(
            "%(key)s has not been approved as it stands. Hand it over for review, and let somebody who did "
            "not write it approve it.",
            key=key,
        ),
    ),
    (
        r"a new phase of (\S+) has to be approved: .+",
        lambda key: gettext(
            "A new phase of %(key)s has to be approved: stop it, change it, and start it again.", key=key
        ),
    ),
    (
        r"(\S+) has started; changing .+",
        lambda key: gettext(
            "%(key)s has started. This change would move units or goalposts, so it needs a new phase.",
            key=key,
        ),
    ),
    (
        r"(?:holdout|segment) (\S+): (.+) (?:honours|stands on) it and has started; make another",
        lambda key, user: gettext(
            "%(user)s has started and relies on %(key)s as it is; make another one.", key=key, user=user
        ),
    ),
    (
        r"(.+) is the only admin; .+",
        lambda name: gettext("%(name)s is the only admin; make somebody else one first.", name=name),
    ),
    (
        r"(.+) is here already, as .+",
        lambda name: gettext("%(name)s is here already, in another role. Change it in the list.", name=name),
    ),
    (
        r"(\S+) is written down; .+",
        lambda key: gettext("%(key)s is written down; its key is permanent.", key=key),
    ),
    (
        r"(\S+) shipped nothing; .+",
        lambda key: gettext("%(key)s shipped nothing; there is no gain to look back on.", key=key),
    ),
    # Not for this asker.
    (
        r"this needs the scope (\S+), which .+",
        lambda scope: gettext("This needs the permission %(scope)s.", scope=scope),
    ),
    (
        r"nobody grants more than they hold, and (\S+) is not among it",
        lambda scope: gettext(
            "Nobody grants more than they hold, and %(scope)s is not among it.", scope=scope
        ),
    ),
    (
        r"a change by cookie needs the header .+",
        lambda: gettext("This request did not come from a page of ours."),
    ),
    # Not now.
    (
        r"the database was written by another version: .+",
        lambda: gettext("The database was written by another version of Evenhand."),
    ),
    (r"the database is damaged: .+", lambda: gettext("The database is damaged.")),
    (
        r"the (?:database cannot be used right now|connection to the database was lost|write-ahead log).*",
        lambda: gettext("The database does not answer right now."),
    ),
    (
        r"(?:the ledger (?:had no time for it|did not confirm in time)|too many requests .+); send it again",
        lambda: gettext("The ledger is too busy right now; send it again."),
    ),
    (
        r".+ cannot be (?:made|replaced|used|written): .+",
        lambda: gettext("A file of the deployment cannot be used right now."),
    ),
    (
        r"another report is being printed; .+",
        lambda: gettext("Another report is being printed; try again in a moment."),
    ),
    (
        r"the browser (?:did not print the report|cannot be started: .+|took longer than .+)",
        lambda: gettext("The browser of this server did not print the report."),
    ),
]
"""Every refusal that a page can show, in the words of its use case."""
