"""Approvals: where the project asks for it, a second person says yes before an experiment starts.

An approval holds for the definition as it was read: any edit voids it, and so do three days. Neither whoever
wrote the experiment down nor whoever changed it last can give it. Stopping never needs one.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from experiments import audit
from experiments.catalog import require_row
from experiments.errors import NotAllowed
from experiments.lifecycle import Status
from experiments.project import find_project
from experiments.store.administration import ApprovalRow
from experiments.store.tables import AuditRow, ExperimentRow

LIFETIME = timedelta(hours=72)

_WAITING = (Status.REVIEW, Status.STOPPED)
"""Where an experiment can be approved: handed over for review, or stopped and to go on."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes that holds."""

    approver: str
    approved_at: datetime

    @property
    def expires_at(self) -> datetime:
        """From then on it holds no more."""
        return self.approved_at + LIFETIME


def approve(
    *, session: Session, key: str, actor: str, now: datetime, revision: int | None = None
) -> Approval:
    """Say yes to an experiment as it stands.

    Raises
    ------
    NotAllowed
        If it waits for no approval, or the approver is one of its authors.
    Outdated
        If somebody else has changed it since it was read.
    """
    row = require_row(session=session, key=key, revision=revision)
    if row.status not in _WAITING:
        raise NotAllowed(f"{key} is {row.status}; what is approved is in review, or stopped and to go on")
    if actor in authors_of(session=session, key=key):
        raise NotAllowed(f"{actor} is an author of {key}; somebody else has to approve it")
    session.add(ApprovalRow(experiment=key, digest=_digest(row), approver=actor, approved_at=now))
    audit.record(session=session, actor=actor, action="approve", object=key, after=row.definition, now=now)
    session.flush()
    return Approval(actor, now)


def find_approval(*, session: Session, key: str, now: datetime) -> Approval | None:
    """The newest approval that holds; None without one."""
    row = require_row(session=session, key=key)
    query = (
        select(ApprovalRow)
        .where(ApprovalRow.experiment == key, ApprovalRow.digest == _digest(row))
        .where(col(ApprovalRow.approved_at) > now - LIFETIME)
        .order_by(col(ApprovalRow.id).desc())
    )
    found = session.exec(query).first()
    return None if found is None else Approval(found.approver, found.approved_at)


def require_approval(*, session: Session, key: str, now: datetime) -> None:
    """Refuse what nobody else has approved, where the project asks for it.

    Raises
    ------
    NotAllowed
        If the approval is missing, has expired or was for another definition.
    """
    if not find_project(session=session).definition.approval:
        return
    if find_approval(session=session, key=key, now=now) is None:
        raise NotAllowed(
            f"{key} has not been approved as it stands; hand it over for review, and let somebody who "
            "did not write it approve it"
        )


def require_none(*, session: Session, key: str) -> None:
    """Refuse to draw lots again under a running experiment where that takes two people.

    Raises
    ------
    NotAllowed
        Saying how it is done.
    """
    if find_project(session=session).definition.approval:
        raise NotAllowed(f"a new phase of {key} has to be approved: stop it, change it, and start it again")


def authors_of(*, session: Session, key: str) -> frozenset[str]:
    """Whoever wrote the experiment down, and whoever changed it last."""
    query = (
        select(AuditRow.actor)
        .where(AuditRow.object == key, col(AuditRow.action).in_(("create", "edit")))
        .order_by(col(AuditRow.id))
    )
    writers = session.exec(query).all()
    return frozenset((*writers[:1], *writers[-1:]))


def _digest(row: ExperimentRow) -> str:
    return hashlib.sha256(row.definition.encode()).hexdigest()
