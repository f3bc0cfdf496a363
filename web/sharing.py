"""Sharing: making a link to one frozen report, and the address that it has."""

from datetime import datetime

from flask import request, url_for

from experiments import shares
from experiments.shares import Share
from experiments.store import Session
from web import deployment
from web.looking import Look


def share_look(*, session: Session, look: Look, days: int, actor: str, now: datetime) -> tuple[Share, str]:
    """Freeze a report as it reads now.

    Returns
    -------
    Share, str
        The link, and its address: it cannot be shown again.

    Raises
    ------
    NotFound
        If there is no readout yet.
    InvalidInput
        If the length of its life is not offered.
    """
    share, token = shares.create_share(
        session=session,
        snapshot=look.snapshot_in(session),
        frozen=look.subject.to_json(),
        days=days,
        actor=actor,
        now=now,
    )
    base = deployment.current().settings.public_url.rstrip("/") or request.host_url.rstrip("/")
    return share, base + url_for("pages.shared", token=token)
