"""`evenhand preview`: links that a server over the same data believes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.previews import Signer
from tests.web.cli.conftest import Run
from web.settings import Settings, secret_key_of

AsJson = Callable[..., Any]


@pytest.mark.usefixtures("shop")
def test_a_link_for_each_variant_is_signed_with_the_servers_key(
    as_json: AsJson, run: Run, data_dir: Path
) -> None:
    links = as_json("preview", "checkout", "--days", "1")
    signer = Signer.from_secret(secret_key_of(Settings(data_dir=data_dir)))
    read = [signer.read(each["token"]) for each in links]
    assert [each.variant for each in read if each] == ["old", "new"]
    assert [each["address"] for each in links] == [None, None]
    assert run("preview", "checkout").output.startswith("old: ?_variant=checkout:old:")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("words", [("nothing",), ("checkout", "--days", "400")])
def test_what_cannot_be_shown_is_said_in_a_line(run: Run, words: tuple[str, ...]) -> None:
    assert run("preview", *words).exit_code in (1, 2)
