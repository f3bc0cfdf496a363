"""States: where an experiment stands, and what was done to it."""

from collections.abc import Callable

from experiments.audit import Entry
from experiments.lifecycle import Status
from web.wording.language import gettext
from web.wording.readings import Chip


def status_chip(status: Status) -> Chip:
    """Say where an experiment stands."""
    return _STATUSES[status]()


def told(entry: Entry) -> str:
    """Tell one entry of the history."""
    words: dict[str, Callable[[], str]] = {
        "create": lambda: gettext("%(who)s created it", who=entry.actor),
        "edit": lambda: gettext("%(who)s changed the definition", who=entry.actor),
        "running": lambda: gettext("%(who)s started it", who=entry.actor),
        "stopped": lambda: gettext("%(who)s stopped it", who=entry.actor),
    }
    known = words.get(entry.action)
    return known() if known else gettext("%(who)s: %(action)s", who=entry.actor, action=entry.action)


_STATUSES: dict[Status, Callable[[], Chip]] = {
    Status.DRAFT: lambda: Chip("quiet", "○", gettext("Draft")),
    Status.REVIEW: lambda: Chip("quiet", "◔", gettext("In review")),
    Status.RUNNING: lambda: Chip("better", "●", gettext("Running")),
    Status.STOPPED: lambda: Chip("quiet", "■", gettext("Stopped")),
    Status.CONCLUDED: lambda: Chip("safe", "✓", gettext("Concluded")),
    Status.ARCHIVED: lambda: Chip("quiet", "–", gettext("Archived")),
}
