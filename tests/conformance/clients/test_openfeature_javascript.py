"""The OpenFeature clients from npm get from our doors what these say, and understand what goes wrong."""

import sqlite3
from typing import Any

import pytest

from tests.conformance.clients.conftest import Script, World, units
from tests.served import wait_for

TYPES = {"plain": "string", "object": "object", "number": "number", "switch": "boolean", "targeted": "string"}


def asked(world: World, key: str, **more: Any) -> dict[str, Any]:
    return {"url": world.url, "key": key, **more}


def single(world: World, flag: str, unit: dict[str, Any]) -> Any:
    path = f"/ofrep/v1/evaluate/flags/{flag}"
    return world.server.post(path, {"context": unit}, x_api_key=world.client_key).document


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_server_sdk_is_told_what_the_door_says(world: World, script: Script, slash: str) -> None:
    some = units(20)
    document = {**asked(world, world.client_key, flags=TYPES, units=some), "url": world.url + slash}
    answers = script("openfeature_server.mjs", document)
    assert len(answers) == len(some) * len(TYPES)
    for place, answer in enumerate(answers):
        expected = single(world, answer["flagKey"], some[place // len(TYPES)])
        assert "errorCode" not in answer
        assert (answer["value"], answer["variant"]) == (expected["value"], expected["variant"])
        assert (answer["reason"], answer["flagMetadata"]) == (expected["reason"], expected["metadata"])


def test_a_server_keys_evaluations_from_the_sdk_are_recorded_once(world: World, script: Script) -> None:
    some = [{"targetingKey": f"recorded-{number}"} for number in range(20)]
    inside = sum(single(world, "plain", unit)["metadata"]["inExperiment"] for unit in some)
    script(
        "openfeature_server.mjs", asked(world, world.server_key, flags={"plain": "string"}, units=some * 2)
    )
    with sqlite3.connect(world.server.log.parent / "evenhand.sqlite3") as ledger:
        query = "SELECT count(*) FROM exposure WHERE user_id LIKE 'recorded-%'"
        wait_for(lambda: ledger.execute(query).fetchone()[0] == inside)
    ledger.close()


@pytest.mark.parametrize(
    ("flag", "unit", "code"),
    [
        ("unknown", {"targetingKey": "u"}, "FLAG_NOT_FOUND"),
        ("plain", {}, "TARGETING_KEY_MISSING"),
        ("plain", {"country": "NO"}, "TARGETING_KEY_MISSING"),
        ("plain", {"targetingKey": "u", "x": 2**60}, "INVALID_CONTEXT"),
        ("switch", {"targetingKey": "u"}, "TYPE_MISMATCH"),
    ],
)
def test_the_server_sdk_understands_what_goes_wrong(
    world: World, script: Script, flag: str, unit: dict[str, Any], code: str
) -> None:
    document = asked(world, world.client_key, flags={flag: "string"}, units=[unit])
    (answer,) = script("openfeature_server.mjs", document)
    assert (answer["errorCode"], answer["value"], answer["reason"]) == (code, "default", "ERROR")


def test_the_server_sdk_says_that_a_key_is_wrong(world: World, script: Script) -> None:
    document = asked(world, "wrong", flags={"plain": "string"}, units=[{"targetingKey": "u"}])
    (answer,) = script("openfeature_server.mjs", document)
    assert (answer["errorCode"], answer["value"]) == ("GENERAL", "default")


def test_the_web_sdk_asks_once_for_all_and_revalidates(world: World, script: Script) -> None:
    one, other = units(2)
    older = {**one, "age": 39, "country": "NO"}
    steps = [one, one, older, other]
    flags = ["plain", "targeted", "layered"]
    found = script("openfeature_web.mjs", asked(world, world.client_key, flags=flags, steps=steps))
    assert found["failed"] is None
    assert [each["status"] for each in found["requests"]] == [200, 304, 200, 200]
    assert [each["sentTag"] is not None for each in found["requests"]] == [False, True, True, False]
    for context, answers in zip(steps, found["answers"], strict=True):
        for answer in answers:
            expected = single(world, answer["flagKey"], context)
            assert (answer["value"], answer["variant"]) == (expected["value"], expected["variant"])
            assert (answer["reason"], answer["flagMetadata"]) == (expected["reason"], expected["metadata"])


def test_the_web_sdk_understands_what_goes_wrong(world: World, script: Script) -> None:
    found = script(
        "openfeature_web.mjs", asked(world, world.client_key, flags=["unknown"], steps=[units(1)[0]])
    )
    assert found["answers"][0][0]["errorCode"] == "FLAG_NOT_FOUND"
    nobody = script("openfeature_web.mjs", asked(world, world.client_key, flags=["plain"], steps=[{}]))
    assert "status: 400" in nobody["failed"]["message"]
    refused = script("openfeature_web.mjs", asked(world, "wrong", flags=["plain"], steps=[units(1)[0]]))
    assert (refused["failed"]["code"], refused["status"]) == ("PROVIDER_FATAL", "FATAL")
