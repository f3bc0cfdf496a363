import time
from pathlib import Path

import pytest

from experiments.errors import Unavailable
from web.reporting.printing import find_chromium, print_pdf


def browser(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_printed_file_is_handed_over(tmp_path: Path) -> None:
    script = 'for a; do case $a in --print-to-pdf=*) printf %s "%PDF" > "${a#*=}";; esac; done'
    assert print_pdf("<p>", chromium=browser(tmp_path / "chromium", script)) == b"%PDF"


def test_a_browser_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "survived"
    hanging = browser(tmp_path / "chromium", f"(sleep 0.6; touch {mark}) & sleep 30")
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="longer than"):
        print_pdf("<p>", chromium=hanging, patience=0.3)
    assert time.monotonic() - begun < 5
    time.sleep(0.6)
    assert not mark.exists()


def test_a_browser_that_fails_is_said_and_the_next_one_may_print(tmp_path: Path) -> None:
    for chromium in (browser(tmp_path / "chromium", "exit 1"), str(tmp_path / "none"), "/"):
        with pytest.raises(Unavailable, match="browser"):
            print_pdf("<p>", chromium=chromium)


def test_the_chosen_browser_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium("") is None
    found = browser(tmp_path / "chromium-browser", "")
    assert find_chromium("") == found
    assert find_chromium(str(tmp_path / "missing")) is None
