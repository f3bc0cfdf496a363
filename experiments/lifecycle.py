"""The life of an experiment: which status may follow which."""

from enum import StrEnum

from experiments.errors import NotAllowed


class Status(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    REVIEW = "review"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    STOPPED = "stopped"
    CONCLUDED = "concluded"
    ARCHIVED = "archived"


BEFORE_START = (Status.DRAFT, Status.REVIEW, Status.SCHEDULED)
"""Where no unit was assigned yet."""

HOLDING = (Status.SCHEDULED, Status.RUNNING)
"""Where an experiment holds its buckets of a layer."""

_MOVES: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.REVIEW, Status.SCHEDULED, Status.RUNNING, Status.ARCHIVED}),
    Status.REVIEW: frozenset({Status.DRAFT, Status.SCHEDULED, Status.RUNNING, Status.ARCHIVED}),
    Status.SCHEDULED: frozenset({Status.DRAFT, Status.RUNNING}),
    Status.RUNNING: frozenset({Status.STOPPED}),
    Status.STOPPED: frozenset({Status.RUNNING, Status.CONCLUDED, Status.ARCHIVED}),
    Status.CONCLUDED: frozenset({Status.ARCHIVED}),
    Status.ARCHIVED: frozenset(),
}


def require_move(key: str, status: Status, wanted: Status) -> None:
    """Refuse a move that the life of an experiment does not allow.

    Raises
    ------
    NotAllowed
        Naming the moves that are.
    """
    if wanted not in _MOVES[status]:
        allowed = ", ".join(sorted(_MOVES[status])) or "nothing"
        raise NotAllowed(f"{key} is {status}; from there it can become {allowed}, not {wanted}")


def may_edit(status: Status) -> bool:
    """Whether everything about the experiment may still change; a change takes a scheduled start back."""
    return status in BEFORE_START
