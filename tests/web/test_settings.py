import multiprocessing
import stat
from pathlib import Path

import pytest

from experiments.errors import InvalidInput
from web.settings import Settings, read_settings, secret_key_of


def test_everything_has_a_default_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.embedded
    assert settings.ledger_url.endswith("/.evenhand/evenhand.sqlite3")


def test_what_is_chosen_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_PORT", "9000")
    assert read_settings(port=None).port == 9000
    assert read_settings(port=9001).port == 9001


def test_a_variable_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_PORT", "abc")
    with pytest.raises(InvalidInput, match="EVENHAND_PORT"):
        read_settings()


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_SECRET_KEY", "x" * 40)
    settings = read_settings()
    assert "xxxx" not in repr(settings)
    assert secret_key_of(settings) == "x" * 40


def test_a_secret_that_was_made_is_kept_for_its_owner(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    made = secret_key_of(settings)
    assert len(made) >= 40
    assert secret_key_of(settings) == made
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


def _secret(data_dir: Path) -> str:
    return secret_key_of(Settings(data_dir=data_dir))


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(_secret, [tmp_path / "data"] * 8, chunksize=1)
    assert len(set(found)) == 1
    assert found[0]
