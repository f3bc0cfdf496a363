"""Management: what the pages can do, for programs. A session is needed."""

from flask import Blueprint, Response, jsonify, request

from experiments import catalog, readouts
from experiments.errors import NotFound
from web.api.description import openapi
from web.auth import require_person
from web.deployment import VERSION, current
from web.reporting.sentences import sentences_of
from web.wording.language import html_tag
from web.wording.names import names_of

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
    return jsonify(
        experiments=[
            {**each.definition.model_dump(mode="json"), "status": each.status, "revision": each.revision}
            for each in found
        ]
    )


@blueprint.get("/experiments/<key>/readout")
def show_readout(key: str) -> Response:
    """The latest readout, in the form of the command line; with its sentences where they are asked for."""
    with current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        snapshot = readouts.latest(session=session, key=key)
        metrics = catalog.find_metrics(session=session, keys=experiment.definition.metrics.keys)
    if snapshot is None:
        raise NotFound(f"{key} has not been analysed yet")
    document = dict(snapshot.document)
    if request.args.get("sentences") == "1":
        document["sentences"] = sentences_of(snapshot.readout, names_of(experiment, metrics))
    answer = jsonify(document)
    answer.content_language.add(html_tag())
    answer.vary.add("Accept-Language")
    return answer
