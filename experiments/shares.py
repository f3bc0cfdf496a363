"""Shares: links by which somebody without an account reads one frozen report.

A link names one snapshot and carries the words as they were when it was made, so that nothing in it moves
later. Its token is random, shown once and kept as a hash; it expires by itself and can be revoked.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from experiments import audit
from experiments.errors import InvalidInput, NotFound
from experiments.people import hash_of
from experiments.readouts import Snapshot, find_snapshot
from experiments.store.tables import ShareRow

LIFETIMES = (7, 30, 90)
"""Days that a link may live."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link to one frozen report, without its token."""

    id: int
    experiment: str
    snapshot: int
    frozen: Mapping[str, Any]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it can be read at that moment."""
        return self.revoked_at is None and now < self.expires_at


def create_share(
    *,
    session: Session,
    snapshot: Snapshot,
    frozen: Mapping[str, Any],
    days: int,
    actor: str,
    now: datetime,
) -> tuple[Share, str]:
    """Make a link to a snapshot.

    Parameters
    ----------
    frozen
        What the report says beside the snapshot's numbers: names and texts, as JSON.
    days
        How long it lives; one of `LIFETIMES`.

    Returns
    -------
    Share, str
        The link, and its token: it cannot be shown again.

    Raises
    ------
    InvalidInput
        If the length of its life is not offered.
    """
    if days not in LIFETIMES:
        raise InvalidInput.at("days", f"expected one of {', '.join(str(each) for each in LIFETIMES)}")
    token = secrets.token_urlsafe(32)
    row = ShareRow(
        token_hash=hash_of(token),
        experiment=snapshot.experiment,
        snapshot=snapshot.id,
        frozen=json.dumps(frozen, ensure_ascii=False),
        created_by=actor,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    _record(session, row, actor=actor, action="share", now=now)
    return _share(row), token


def open_share(*, session: Session, token: str, now: datetime) -> tuple[Share, Snapshot]:
    """The frozen report behind a token.

    Raises
    ------
    NotFound
        If there is none, or its time is over, or it was revoked: the three look alike from outside.
    """
    row = session.exec(select(ShareRow).where(ShareRow.token_hash == hash_of(token))).first()
    share = None if row is None else _share(row)
    if share is None or not share.is_open(now):
        raise NotFound("this link has expired, was withdrawn or never existed")
    return share, find_snapshot(session=session, key=share.experiment, id=share.snapshot)


def list_shares(*, session: Session, key: str) -> list[Share]:
    """All links to reports of an experiment, the newest first."""
    query = select(ShareRow).where(ShareRow.experiment == key).order_by(col(ShareRow.id).desc())
    return [_share(row) for row in session.exec(query)]


def revoke_share(*, session: Session, key: str, id: int, actor: str, now: datetime) -> Share:  # noqa: A002 - the column's name
    """Withdraw a link for good."""
    row = session.get(ShareRow, id)
    if row is None or row.experiment != key:
        raise NotFound("there is no such link")
    if row.revoked_at is None:
        row.revoked_at = now
        session.add(row)
        _record(session, row, actor=actor, action="unshare", now=now)
        session.flush()
    return _share(row)


def _record(session: Session, row: ShareRow, *, actor: str, action: str, now: datetime) -> None:
    told = f"link {row.id} to snapshot {row.snapshot}"
    audit.record(session=session, actor=actor, action=action, object=row.experiment, after=told, now=now)


def _share(row: ShareRow) -> Share:
    return Share(
        row.id or 0,
        row.experiment,
        row.snapshot,
        json.loads(row.frozen),
        row.created_by,
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )
