"""What is kept of a person, for programs. A session is needed."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request
from pydantic import ValidationError

from experiments.definition import invalid
from experiments.erasure import erase
from experiments.fields import Draft
from web.auth import person, require_person
from web.deployment import current

blueprint = Blueprint("privacy", __name__, url_prefix="/api/v1")
blueprint.before_request(require_person)


class ErasureDraft(Draft):
    """Whose rows are to be taken out."""

    unit: str
    kind: str = "user_id"


@blueprint.post("/erasures")
def take_out() -> Response:
    """Take everything out that is stored about a person."""
    draft, asking, deployment = _parse(request.get_data()), person(), current()
    removed = erase(
        store=deployment.store,
        columns=deployment.settings.columns_path,
        unit=draft.unit,
        kind=draft.kind,
        actor=asking.name if asking else "",
        now=deployment.now(),
        pseudonyms=deployment.pseudonyms,
    )
    return jsonify(asdict(removed))


def _parse(body: bytes) -> ErasureDraft:
    try:
        return ErasureDraft.model_validate_json(body)
    except ValidationError as problem:
        raise invalid(problem) from problem
