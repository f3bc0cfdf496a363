from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.web.cli.conftest import Run


def test_a_digest_is_told_in_a_language_and_as_json(
    run: Run, as_json: Callable[..., Any], shop: Path
) -> None:
    document = as_json("digest", "--days", "7")
    assert [each["experiment"] for each in document["started"]] == ["checkout"]
    assert document["running"] == [
        {"experiment": "checkout", "title": "checkout", "text": "Not analysed yet"}
    ]
    assert document["needs"] == document["concluded"] == document["alerts"] == []
    text = run("digest", "--language", "zh_Hans_CN").output
    assert "等您处理 (0)" in text
    assert "checkout: 尚未分析" in text
    assert run("digest", "--days", "99").exit_code == 2
