"""Management: what the pages can do, for programs. A session is needed."""

from flask import Blueprint, Response, jsonify, request

from experiments import catalog, readouts
from experiments.errors import NotFound
from experiments.legibility import list_illegible
from web.api.description import openapi
from web.auth import require_person
from web.deployment import VERSION, current

blueprint = Blueprint("management", __name__, url_prefix="/api/v1")


@blueprint.before_request
def guard() -> None:
    """Let nobody in without a session, but show everybody the description."""
    if request.endpoint != "management.show_description":
        require_person()


@blueprint.get("/openapi.json")
def show_description() -> Response:
    """The description of every door, for programs."""
    return jsonify(openapi(VERSION))


@blueprint.get("/experiments")
def list_experiments() -> Response:
    """All experiments, the most recently changed first."""
    with current().store.read() as session:
        found = catalog.list_experiments(session=session)
        illegible = [str(each) for each in list_illegible(session=session)]
    return jsonify(
        experiments=[
            {**each.definition.model_dump(mode="json"), "status": each.status, "revision": each.revision}
            for each in found
        ],
        illegible=illegible,
    )


@blueprint.get("/experiments/<key>/readout")
def show_readout(key: str) -> Response:
    """The latest readout, in the form of the command line."""
    with current().store.read() as session:
        catalog.find_experiment(session=session, key=key)
        snapshot = readouts.latest(session=session, key=key)
    if snapshot is None:
        raise NotFound(f"{key} has not been analysed yet")
    return jsonify(dict(snapshot.document))
