"""Readouts: the latest, any other, as files and links, whether it can be made again, and a fresh one."""

from typing import Any

from flask import abort

from experiments import catalog, readouts, registry, shares
from experiments.errors import NotFound
from experiments.readouts import Snapshot
from experiments.roles import Caller
from experiments.shares import Share
from web.api.door import Asking, serves
from web.api.management.shapes import moment
from web.api.orders import ExportOptions, MoveOrder, ReadoutOptions, ShareOrder
from web.api.replies import FileReply, Page, Reply, cursor_id, listed, page_of
from web.deployment import VERSION, current
from web.looking import look_at
from web.reporting.exported import NoPrinter, export_readout
from web.reporting.sentences import sentences_of
from web.sharing import share_look
from web.wording.language import html_tag
from web.wording.names import names_of


@serves("show_readout")
def show_readout(asking: Asking, key: str, wanted: ReadoutOptions) -> Reply:
    """The latest readout, in the form of the command line; with its sentences where they are asked for."""
    experiment = catalog.find_experiment(session=asking.session, key=key)
    snapshot = readouts.latest(session=asking.session, key=key)
    if snapshot is None:
        raise NotFound(readouts.not_analysed(session=asking.session, key=key))
    document, tag = readouts.told(session=asking.session, snapshot=snapshot)
    if not wanted.sentences:
        return Reply(document, etag=tag)
    metrics = registry.find_metrics(session=asking.session, keys=experiment.definition.metrics.keys)
    sentences = sentences_of(snapshot.readout, names_of(experiment, metrics))
    language = html_tag()
    return Reply({**document, "sentences": sentences}, etag=f"{tag}-{language}", language=language)


@serves("list_readouts")
def list_readouts(asking: Asking, key: str, wanted: Page) -> Reply:
    """All stored readouts, the newest first."""
    catalog.find_experiment(session=asking.session, key=key)
    below = cursor_id(wanted, "readouts")
    found = readouts.stored_snapshots(session=asking.session, key=key, limit=wanted.limit + 1, below=below)
    return listed(
        found,
        wanted,
        name="readouts",
        place=lambda each: [each.id],
        shown=lambda each: {
            "id": each.id,
            "as_of": moment(each.as_of),
            "phase": each.phase,
            "recommendation": each.recommendation,
        },
    )


@serves("show_stored_readout")
def show_stored_readout(asking: Asking, key: str, id: int) -> Reply:  # noqa: A002 - the readout's number
    """One stored readout."""
    return Reply(_stored(asking, key, id).document, etag=str(id))


@serves("export_readout", alone=True)
def export(_: Caller, key: str, id: int, wanted: ExportOptions) -> FileReply:  # noqa: A002 - as above
    """One stored readout as a file, between the words that people wrote; printing keeps no transaction."""
    with current().store.read() as session:
        look = look_at(session=session, key=key, snapshot_id=id)
        snapshot = look.snapshot_in(session)
    store, settings = current().store, current().settings
    try:
        exported = export_readout(look.subject, snapshot, wanted.form, store=store, settings=settings)
    except NoPrinter:
        abort(501, "this server has no Chromium to print with; set EVENHAND_CHROMIUM, or ask for html")
    return FileReply(exported, html_tag(), look.state)


@serves("list_shares")
def list_shares(asking: Asking, key: str, wanted: Page) -> Reply:
    """All links to its frozen reports, the newest first."""
    catalog.find_experiment(session=asking.session, key=key)
    found = shares.list_shares(session=asking.session, key=key)
    return page_of(
        found,
        wanted,
        name="shares",
        place=lambda each: [-each.id],
        shown=lambda each: _shown_share(asking, each),
    )


@serves("share_readout")
def share_readout(asking: Asking, key: str, draft: ShareOrder) -> Reply:
    """A link to the report as it reads now; its address is shown once."""
    look = look_at(session=asking.session, key=key, snapshot_id=draft.readout)
    share, address = share_look(look=look, days=draft.days, **asking.terms)
    return Reply({**_shown_share(asking, share), "address": address}, 201, secrets=("address",))


@serves("revoke_share")
def revoke_share(asking: Asking, key: str, id: int) -> Reply:  # noqa: A002 - the link's number
    """One of them withdrawn for good."""
    return Reply(_shown_share(asking, shares.revoke_share(key=key, id=id, **asking.terms)))


@serves("verify_readout")
def verify_readout(asking: Asking, key: str, id: int) -> Reply:  # noqa: A002 - as above
    """Whether a stored readout comes out the same again."""
    snapshot = _stored(asking, key, id)
    same = readouts.recompute(session=asking.session, snapshot=snapshot) == snapshot.text
    made_by = snapshot.document["version"]
    return Reply({"experiment": key, "id": id, "same": same, "made_by": made_by, "verified_by": VERSION})


@serves("ask_for_analysis")
def ask_for_analysis(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - nothing more is said
    """Ask for a fresh readout."""
    experiment = readouts.ask(session=asking.session, key=key, now=asking.now)
    asked, where = moment(experiment.analysis_asked_at), f"/api/v1/experiments/{key}/readout"
    return Reply({"experiment": key, "analysis_asked_at": asked}, 202, location=where)


def _stored(asking: Asking, key: str, id: int) -> Snapshot:  # noqa: A002 - as above
    return readouts.find_snapshot(session=asking.session, key=key, id=id)


def _shown_share(asking: Asking, share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "readout": share.snapshot,
        "created_by": share.created_by,
        "created_at": moment(share.created_at),
        "expires_at": moment(share.expires_at),
        "revoked_at": moment(share.revoked_at),
        "open": share.is_open(asking.now),
    }
