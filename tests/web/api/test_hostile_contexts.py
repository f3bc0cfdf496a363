"""Hostile contexts: each gets a refusal in the protocol's form or a normal decision, soon, never a 500."""

import gzip
import io
import json
import time
from typing import Any

import pytest
from flask import Flask
from sqlmodel import select

from experiments.store.tables import ExposureRow
from web.api.doors import Doors
from web.app import create_app
from web.deployment import Deployment

PATH = "/ofrep/v1/evaluate/flags"


def deep(depth: int) -> bytes:
    return b'{"context": {"targetingKey": "u", "x": ' + b"[" * depth + b"]" * depth + b"}}"


def context(**members: Any) -> bytes:
    return json.dumps({"context": {"targetingKey": "u", **members}}).encode()


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half": b'{"context": {"targetingKey": "u"',
    "trailing": b'{"context": {"targetingKey": "u"}} x',
    "list": b"[]",
    "null": b"null",
    "text": b'"context"',
    "context is a list": b'{"context": []}',
    "context is null": b'{"context": null}',
    "no context": b"{}",
    "no key": b'{"context": {}}',
    "key is null": b'{"context": {"targetingKey": null}}',
    "key is empty": context(targetingKey=""),
    "key is a number": context(targetingKey=5),
    "key is true": context(targetingKey=True),
    "key is a list": context(targetingKey=["u"]),
    "key is long": context(targetingKey="x" * 513),
    "key of 900 kB": context(targetingKey="x" * 900_000),
    "key of 10 MB": context(targetingKey="x" * 10_000_000),
    "key with NUL": context(targetingKey="a\0b"),
    "key with half a pair": context(targetingKey="a\ud800"),
    "deep": deep(100_000),
    "deep objects": b'{"context": ' * 50_000,
    "deeper than kept": deep(60),
    "NaN": b'{"context": {"targetingKey": "u", "x": NaN}}',
    "infinity": b'{"context": {"targetingKey": "u", "x": -Infinity}}',
    "beyond floats": b'{"context": {"targetingKey": "u", "x": 1e999}}',
    "huge integer": b'{"context": {"targetingKey": "u", "x": 1' + b"0" * 5_000 + b"}}",
    "integer beyond 2^53": context(x=2**60),
    "NUL in an attribute": context(x=["\0"]),
    "NUL in a name": context(**{"a\0": 1}),
    "half a pair in an attribute": context(x={"y": "\udfff"}),
    "not UTF-8": b'{"context": {"targetingKey": "\xff\xfe"}}',
    "UTF-16": json.dumps({"context": {"targetingKey": "u"}}).encode("utf-16"),
    "anonymous id is long": context(anonymous_id="x" * 513),
    "10,000 attributes": context(**{f"attribute-{number}": number for number in range(10_000)}),
    "a bomb of gzip": gzip.compress(b" " * 20_000_000, mtime=0),
    "half a gzip": gzip.compress(context(), mtime=0)[:-9],
    "no gzip after all": b"\x1f\x8b\x08 no",
}
DECIDED: dict[str, bytes] = {
    "plain": context(),
    "packed": gzip.compress(context(), mtime=0),
    "twice the same name": b'{"context": {"targetingKey": "a", "targetingKey": "u"}}',
    "odd types": context(country={"a": [None, True, 1.5]}, age="old", tags=None),
    "astral": context(targetingKey="\U0001f600" * 256),
    "control characters": context(targetingKey="\x01\x7f\u202e"),
    "name of every object": context(__proto__={"country": "NO"}, constructor=1),
    "many attributes": context(**{f"a{number}": number for number in range(2_000)}),
    "deep enough": deep(25),
}


def ask(
    deployment: Deployment, key: str, body: bytes, path: str = f"{PATH}/checkout", **environ: Any
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Ask the door itself, with whatever a server may hand over."""
    said: list[Any] = []
    given = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }

    def respond(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        said.extend([int(status[:3]), dict(headers)])

    door = Doors(Flask(__name__), deployment)
    began = time.thread_time()
    body = b"".join(door(given, respond))
    assert time.thread_time() - began < 0.05
    return said[0], said[1], json.loads(body)


def exposures(deployment: Deployment) -> int:
    deployment.writer.close()
    with deployment.store.read() as session:
        return len(session.exec(select(ExposureRow)).all())


@pytest.mark.parametrize("path", [PATH, f"{PATH}/checkout"])
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_the_protocols_form(
    deployment: Deployment, server_key: str, name: str, path: str
) -> None:
    status, headers, document = ask(deployment, server_key, REFUSED[name], path)
    assert status in (400, 413)
    assert headers["Content-Type"] == "application/json"
    assert document["errorCode"] in (
        "PARSE_ERROR",
        "TARGETING_KEY_MISSING",
        "INVALID_CONTEXT",
        "GENERAL",
    )
    assert document["errorDetails"]
    assert document.get("key") == ("checkout" if path != PATH else None)
    assert exposures(deployment) == 0


@pytest.mark.parametrize("name", DECIDED)
def test_it_gets_a_normal_decision(deployment: Deployment, server_key: str, name: str) -> None:
    status, _, document = ask(deployment, server_key, DECIDED[name])
    assert (status, document["metadata"]["detail"]) == (200, "assigned")
    assert set(document) == {"key", "value", "reason", "variant", "metadata"}
    assert exposures(deployment) == 1


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "9" * 30, "１"])
def test_a_length_that_is_none_is_refused(deployment: Deployment, server_key: str, length: str) -> None:
    status, _, document = ask(deployment, server_key, context(), CONTENT_LENGTH=length)
    assert (status in (400, 413), document["errorCode"]) == (True, "GENERAL")


def test_a_body_that_was_cut_off_is_refused(deployment: Deployment, server_key: str) -> None:
    status, _, document = ask(deployment, server_key, context(), CONTENT_LENGTH="1000")
    assert (status, document["errorCode"]) == (400, "GENERAL")
    assert exposures(deployment) == 0


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PATH}/no such", 404, "FLAG_NOT_FOUND"),
        (f"{PATH}/a/b", 404, "FLAG_NOT_FOUND"),
        (f"{PATH}/" + "x" * 5_000, 404, "FLAG_NOT_FOUND"),
        (f"{PATH}/\xc3\xa9\xff\0", 404, "FLAG_NOT_FOUND"),
        (f"/{PATH}/checkout", 200, None),
        (f"/{PATH}", 200, None),
        (f"{PATH}/", 200, None),
    ],
)
def test_paths_are_read_as_they_come(
    deployment: Deployment, server_key: str, path: str, status: int, code: str | None
) -> None:
    answered, _, document = ask(deployment, server_key, context(), path)
    assert (answered, document.get("errorCode")) == (status, code)


@pytest.mark.parametrize("path", [f"{PATH}ets", f"{PATH}x/checkout", "/ofrep/v1/evaluate"])
def test_paths_that_only_begin_alike_are_not_evaluations(
    deployment: Deployment, server_key: str, path: str
) -> None:
    answer = create_app(deployment).test_client().post(path, data=context())
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_failure_that_nobody_foresaw_is_said_in_the_protocols_form(
    deployment: Deployment, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("web.api.assigning.evaluate", broken)
    status, _, document = ask(deployment, server_key, context())
    assert (status, document["errorCode"], document["key"]) == (500, "GENERAL", "checkout")
    assert "surprise" not in json.dumps(document)
