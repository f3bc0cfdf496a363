"""Unmodified GrowthBook clients decide by themselves what the server decides, for two thousand units."""

from typing import Any

import pytest
from growthbook import GrowthBook

from tests.conformance.clients.conftest import EXPERIMENTS, Script, World, units

COUNT = 2_000
Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def told(world: World) -> list[Told]:
    """What the server says to each unit, by experiment."""
    return [bulk(world, unit) for unit in units(COUNT)]


def bulk(world: World, unit: dict[str, Any]) -> Told:
    answer = world.server.post("/ofrep/v1/evaluate/flags", {"context": unit}, x_api_key=world.client_key)
    assert answer.status == 200
    return {each["key"]: each for each in answer.document["flags"]}


def compare(local: dict[str, dict[str, Any]], server: Told) -> None:
    """A value is everybody's; a variant only that of units who take part."""
    assert local.keys() == server.keys()
    for key, answer in server.items():
        inside = answer["metadata"]["inExperiment"]
        assert local[key]["value"] == answer["value"], answer
        assert local[key]["variant"] == (answer["variant"] if inside else None), answer


def test_python(world: World, told: list[Told]) -> None:
    client = GrowthBook(api_host=world.url, client_key=world.client_key)
    client.load_features()
    for unit, server in zip(units(COUNT), told, strict=True):
        client.set_attributes(unit)
        local = {}
        for key in server:
            found = client.eval_feature(key)
            inside = found.experimentResult is not None
            local[key] = {
                "value": found.value,
                "variant": found.experimentResult.key if inside else None,
            }
        compare(local, server)
    client.destroy()


def test_javascript(world: World, told: list[Told], script: Script) -> None:
    asked = {"url": world.url, "key": world.client_key, "units": units(COUNT)}
    for local, server in zip(script("growthbook.mjs", asked), told, strict=True):
        compare(local, server)


def test_every_way_a_decision_can_come_out_was_among_them(told: list[Told]) -> None:
    assert {answer["metadata"]["detail"] for each in told for answer in each.values()} == {
        "assigned",
        "held_out",
        "layer_excluded",
        "not_in_traffic",
        "not_running",
        "not_targeted",
        "shipped",
    }
    assert all(len(each) == len(EXPERIMENTS) for each in told)


def test_single_and_bulk_answers_are_the_same(world: World, told: list[Told]) -> None:
    for unit, server in list(zip(units(COUNT), told, strict=True))[:20]:
        for key, answer in server.items():
            path = f"/ofrep/v1/evaluate/flags/{key}"
            single = world.server.post(path, {"context": unit}, x_api_key=world.client_key)
            assert single.document == answer


def test_the_rules_are_fetched_again_only_when_they_have_changed(world: World) -> None:
    path = f"/api/features/{world.client_key}"
    first = world.server.get(path)
    again = world.server.get(path, if_none_match=first.headers["etag"])
    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert world.server.get(f"/api/features/{world.server_key}").status == 403
