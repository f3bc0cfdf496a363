"""The description of the doors is true: it names what is served, and nothing else."""

import re
from pathlib import Path

from web.api import assigning
from web.api.description import openapi
from web.api.operations import OPERATIONS
from web.app import create_app
from web.deployment import VERSION, open_deployment
from web.settings import Settings

PROGRAM_DOORS = ("/api/", "/ofrep", "/v1", "/livez", "/readyz", "/metrics")


def shape(path: str) -> str:
    return re.sub(r"<.*?>|\{.*?\}", "{}", path)


def test_the_description_equals_the_routes(tmp_path: Path) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    app = create_app(deployment)
    served = {
        (method, shape(rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PROGRAM_DOORS)
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    served |= {("POST", assigning.PATH), ("POST", f"{assigning.PATH}/{{}}"), ("POST", "/v1/{}")}
    served |= {("POST", "/v1/projects/{}/{}")}
    deployment.store.close()
    assert {(each.method, shape(each.path)) for each in OPERATIONS} == served


def test_the_openapi_document_has_an_answer_and_an_access_rule_for_every_operation() -> None:
    document = openapi(VERSION)
    assert document["openapi"] == "3.1.0"
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]
            assert "security" in operation
            assert operation["summary"].endswith(".")


def test_everybody_may_read_the_description_but_only_people_the_rest(tmp_path: Path) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    client = create_app(deployment).test_client()
    assert client.get("/api/v1/openapi.json").status_code == 200
    refused = client.get("/api/v1/experiments")
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    deployment.store.close()
