import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.errors import InvalidInput
from experiments.store import database, open_store
from experiments.store.filesystem import network_filesystem
from web.instance import sole_instance

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/exports /srv/shared nfs4 rw 0 0
//server/share /srv/with\\040space cifs rw 0 0
/dev/vdb /srv/shared/local ext4 rw 0 0
me@server: /srv/ssh fuse.sshfs rw 0 0
"""


def test_a_second_server_on_a_data_directory_is_refused_by_name(tmp_path: Path) -> None:
    with (
        sole_instance(tmp_path),
        pytest.raises(InvalidInput, match=f"process {os.getpid()}.*EVENHAND_DATA_DIR"),
        sole_instance(tmp_path),
    ):
        pass
    with sole_instance(tmp_path):
        pass


def test_a_server_that_was_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from web.instance import sole_instance\n"
        "with sole_instance(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InvalidInput, match=f"process {holder.pid}"), sole_instance(tmp_path):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with sole_instance(tmp_path):
        pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="file"), sole_instance(tmp_path / "file" / "data"):
        pass


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/shared", "nfs4"),
        ("/srv/shared/deep/er", "nfs4"),
        ("/srv/with space/x", "cifs"),
        ("/srv/ssh", "fuse.sshfs"),
        ("/srv/shared/local/x", None),
        ("/var/lib", None),
    ],
)
def test_network_file_systems_are_recognised(folder: str, kind: str | None) -> None:
    assert network_filesystem(Path(folder), MOUNTS) == kind


def test_a_ledger_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "network_filesystem", lambda folder: "nfs4")
    with pytest.raises(InvalidInput, match=r"nfs4.*local disk or PostgreSQL"):
        open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")


def test_the_log_is_emptied_once_no_reader_needs_it(tmp_path: Path) -> None:
    from experiments.store.schema import upgrade

    store = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    upgrade(store)
    log = tmp_path / "ledger.sqlite3-wal"
    assert log.stat().st_size > 0
    assert store.checkpoint()
    assert log.stat().st_size == 0
    store.close()
