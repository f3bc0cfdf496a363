import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from experiments.errors import Unavailable
from experiments.store import Store, schema
from experiments.store.schema import HEAD, revision, upgrade
from experiments.store.tables import metadata

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.write() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_every_migration_is_named_after_its_number() -> None:
    for path in (MIGRATIONS / "versions").glob("v*.py"):
        said = re.search(r'^revision = "(\d{4})"$', path.read_text(), re.MULTILINE)
        assert said is not None
        assert path.name.startswith(f"v{said[1]}_")


def test_upgrading_twice_changes_nothing(empty_store: Store) -> None:
    assert revision(empty_store) is None
    assert upgrade(empty_store)
    assert revision(empty_store) == HEAD
    assert not upgrade(empty_store)


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    with store.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="another version"):
        upgrade(store)
    assert revision(store) == "9999"


_UPGRADE = """
import sys, time
from pathlib import Path
import alembic.command  # loaded before the start, so that all begin at the same moment
from experiments.store import open_store
from experiments.store.schema import upgrade
url, gate = sys.argv[1:]
print("ready", flush=True)
while not Path(gate).exists():
    time.sleep(0.001)
store = open_store(url)
print(upgrade(store))
store.close()
"""


def test_processes_that_upgrade_at_once_do_not_break_each_other(tmp_path: Path) -> None:
    url, gate = f"sqlite:///{tmp_path / 'ledger.sqlite3'}", tmp_path / "go"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _UPGRADE, url, str(gate)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    gate.touch()
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 3, said
    assert "True\n" in [out for out, _ in said]
