"""The life of an experiment: which status may follow which."""

from enum import StrEnum

from experiments.errors import NotAllowed


class Status(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    REVIEW = "review"
    RUNNING = "running"
    STOPPED = "stopped"
    CONCLUDED = "concluded"
    ARCHIVED = "archived"


_MOVES: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.REVIEW, Status.RUNNING, Status.ARCHIVED}),
    Status.REVIEW: frozenset({Status.DRAFT, Status.RUNNING, Status.ARCHIVED}),
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
    """Whether everything about the experiment may still change."""
    return status in (Status.DRAFT, Status.REVIEW)
