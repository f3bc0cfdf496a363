"""The description of the doors is true: it names what is served and what is read, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from web.api import assigning
from web.api.description import openapi
from web.api.events import PATHS
from web.api.operation import Access, Operation
from web.api.operations import OPERATIONS
from web.app import create_app
from web.deployment import VERSION, open_deployment
from web.settings import Settings

PROGRAM_DOORS = ("/api/", "/ofrep", "/v1", "/livez", "/readyz", "/metrics")
MANAGED = [each for each in OPERATIONS if each.access is Access.TOKEN]


def shape(path: str) -> str:
    return re.sub(r"<.*?>|\{.*?\}", "{}", path)


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = openapi(VERSION)["paths"][operation.path][operation.method.lower()]
    return found


def test_the_description_equals_the_routes(tmp_path: Path) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    app = create_app(deployment)
    served = {
        (method, shape(rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PROGRAM_DOORS) and not rule.endpoint.startswith("pages.")
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    served |= {("POST", assigning.PATH), ("POST", f"{assigning.PATH}/{{}}"), ("POST", "/v1/{}")}
    served |= {("POST", "/v1/projects/{}/{}")}
    deployment.store.close()
    assert {(each.method, shape(each.path)) for each in OPERATIONS} == served


def test_operations_have_names_of_their_own() -> None:
    names = [each.name for each in OPERATIONS]
    assert len(set(names)) == len(names)


def test_the_openapi_document_has_an_answer_and_an_access_rule_for_every_operation() -> None:
    document = openapi(VERSION)
    assert document["openapi"] == "3.1.0"
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]
            assert "security" in operation
            assert operation["summary"].endswith(".")


def test_every_reference_leads_somewhere() -> None:
    document = openapi(VERSION)
    for name in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        assert name.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_the_doors_of_events_are_named() -> None:
    for path in ("/v1/{door}", "/v1/projects/{write_key}/{door}"):
        (door,) = (
            each for each in openapi(VERSION)["paths"][path]["post"]["parameters"] if each["name"] == "door"
        )
        assert {f"/v1/{name}" for name in door["schema"]["enum"]} == set(PATHS)


@pytest.mark.parametrize("operation", MANAGED, ids=lambda each: each.name)
def test_parameters_and_bodies_are_those_that_are_read(operation: Operation) -> None:
    told = described(operation)
    by_place: dict[str, set[str]] = {"path": set(), "query": set(), "header": set()}
    for parameter in told["parameters"]:
        by_place[parameter["in"]].add(parameter["name"])
        assert parameter["required"] or parameter["in"] != "path"
    assert by_place["path"] == set(re.findall(r"\{(\w+)\}", operation.path))
    assert by_place["query"] == set(operation.query.model_fields if operation.query else ())
    assert ("requestBody" in told) == (operation.draft is not None)
    if operation.draft is not None:
        schema = told["requestBody"]["content"]["application/json"]["schema"]
        members = openapi(VERSION)["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        fields = operation.draft.model_fields.items()
        assert set(members.get("properties", ())) == {field.alias or name for name, field in fields}
        assert members["additionalProperties"] is False
        operation.draft.model_validate_json(json.dumps(operation.body), strict=True)
        with pytest.raises(ValidationError):
            operation.draft.model_validate({**(operation.body or {}), "unheard_of": 1})


def test_everybody_may_read_the_description_but_only_people_the_rest(tmp_path: Path) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    client = create_app(deployment).test_client()
    assert client.get("/api/v1/openapi.json").status_code == 200
    refused = client.get("/api/v1/experiments")
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    deployment.store.close()
