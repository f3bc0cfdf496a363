"""States: where an experiment stands."""

from collections.abc import Callable

from experiments.lifecycle import Status
from web.wording.language import gettext
from web.wording.readings import Chip


def status_chip(status: Status) -> Chip:
    """Say where an experiment stands."""
    return _STATUSES[status]()


_STATUSES: dict[Status, Callable[[], Chip]] = {
    Status.DRAFT: lambda: Chip("quiet", "○", gettext("Draft")),
    Status.REVIEW: lambda: Chip("quiet", "◔", gettext("In review")),
    Status.SCHEDULED: lambda: Chip("quiet", "▷", gettext("Scheduled")),
    Status.RUNNING: lambda: Chip("better", "●", gettext("Running")),
    Status.STOPPED: lambda: Chip("quiet", "■", gettext("Stopped")),
    Status.CONCLUDED: lambda: Chip("safe", "✓", gettext("Concluded")),
    Status.ARCHIVED: lambda: Chip("quiet", "–", gettext("Archived")),
}
