"""Readouts: the latest, any other, whether it can be made again, and a fresh one."""

from experiments import catalog, readouts
from experiments.errors import NotFound
from experiments.readouts import Snapshot
from web.api.door import Asking, serves
from web.api.management.shapes import moment
from web.api.orders import MoveOrder, ReadoutOptions
from web.api.replies import Page, Reply, cursor_id, listed
from web.deployment import VERSION
from web.reporting.sentences import sentences_of
from web.wording.language import html_tag
from web.wording.names import names_of


@serves("show_readout")
def show_readout(asking: Asking, key: str, wanted: ReadoutOptions) -> Reply:
    """The latest readout, in the form of the command line; with its sentences where they are asked for."""
    experiment = catalog.find_experiment(session=asking.session, key=key)
    snapshot = readouts.latest(session=asking.session, key=key)
    if snapshot is None:
        raise NotFound(f"{key} has not been analysed yet")
    if not wanted.sentences:
        return Reply(snapshot.document, etag=str(snapshot.id))
    metrics = catalog.find_metrics(session=asking.session, keys=experiment.definition.metrics.keys)
    sentences = sentences_of(snapshot.readout, names_of(experiment, metrics))
    document, language = {**snapshot.document, "sentences": sentences}, html_tag()
    return Reply(document, etag=f"{snapshot.id}-{language}", language=language)


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
