import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PATH = "/ofrep/v1/evaluate/flags"


@pytest.fixture
def ask(client: FlaskClient, server_key: str) -> Any:
    def post(
        key: str = "checkout",
        context: Any = None,
        *,
        body: bytes | None = None,
        path: str = "",
        **headers: str,
    ) -> TestResponse:
        sent = json.dumps({"context": {"targetingKey": "u1"} if context is None else context}).encode()
        return client.post(
            path or f"{PATH}/{key}",
            data=sent if body is None else body,
            headers={"Authorization": f"Bearer {server_key}", **headers},
        )

    return post
