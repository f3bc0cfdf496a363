"""Backups: the ledger and the last good state in one file, and the way back.

A backup is a tar archive, packed when its name ends in ``.gz``: ``backup.json`` says what is in it and how
to tell that it is whole. It is written under another name first, so that a file of the right name is a whole
one. Secrets stay out of it: the pseudonym key and the key that signs forms are kept elsewhere.
"""

import hashlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, ValidationError

from experiments import audit
from experiments.errors import Conflict, InvalidInput, Unavailable
from experiments.fields import Draft
from experiments.observe import columns as copy
from experiments.store import Store, open_store
from experiments.store.files import Contents, contents_of, copy_database, path_of, put_in_place
from experiments.store.schema import HEAD, upgrade

FORM = 1
"""Version of the archive's layout."""

LEDGER = "ledger.sqlite3"
STATE = "mirror.json"
LABEL = "backup.json"

_BLOCK = 1024 * 1024


class Label(Draft):
    """What an archive says of itself."""

    form: int
    version: str
    created_at: AwareDatetime
    contents: Contents
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written or restored.

    Attributes
    ----------
    aside
        Where the database lies that a restored one replaced.
    erased_since
        Erasures in the replaced database that this backup knows nothing of: they have to be made again.
    """

    path: Path
    created_at: datetime
    contents: Contents
    bytes: int
    aside: Path | None = None
    erased_since: int = 0

    def to_json(self) -> dict[str, Any]:
        """What the command line says."""
        return {
            "path": str(self.path),
            "created_at": self.created_at.isoformat(),
            **asdict(self.contents),
            "bytes": self.bytes,
            "aside": None if self.aside is None else str(self.aside),
            "erased_since": self.erased_since,
        }


def back_up(
    *,
    store: Store,
    state: Path,
    target: Path,
    now: datetime,
    version: str,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Backup:
    """Write a backup while everything goes on.

    Parameters
    ----------
    state
        Where the last good state is kept for a start without the database; it may be missing.
    target
        The file to write, which must not exist, or a folder, in which it is named after the moment.

    Raises
    ------
    NotAllowed
        If the ledger is on a database server.
    Conflict
        If the file exists.
    Unavailable
        If the ledger cannot be read or the file cannot be written.
    """
    path_of(store.url)
    if target.is_dir():
        target /= f"evenhand-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    if target.exists():
        raise Conflict(f"{target} exists already; choose another name")
    with _workshop(target.parent) as folder:
        copy_database(store, folder / LEDGER, progress)
        if state.exists():
            shutil.copyfile(state, folder / STATE)
        contents = contents_of(folder / LEDGER)
        packed = _pack(folder, version, now, contents, "w:gz" if target.name.endswith("gz") else "w")
        packed.chmod(0o600)
        packed.replace(target)
    return Backup(target, now, contents, target.stat().st_size)


def _pack(folder: Path, version: str, now: datetime, contents: Contents, mode: Literal["w", "w:gz"]) -> Path:
    """Put the files of a folder into an archive, after the label that tells whether they are whole."""
    names = [each.name for each in sorted(folder.iterdir())]
    digests = {name: _digest(folder / name) for name in names}
    label = Label(form=FORM, version=version, created_at=now, contents=contents, sha256=digests)
    (folder / LABEL).write_text(label.model_dump_json(indent=1), encoding="utf-8")
    packed = folder / "packed"
    with tarfile.open(packed, mode) as archive:
        for name in (LABEL, *names):
            archive.add(folder / name, arcname=name)
    return packed


def restore(
    *, url: str, state: Path, columns: Path, source: Path, actor: str, now: datetime, replace: bool
) -> Backup:
    """Put a backup in the place of the ledger. Nobody may be using it; the caller sees to that.

    Parameters
    ----------
    url
        The database.
    state, columns
        Where the last good state and the columnar copy lie; the copy is made again.
    replace
        Whether a ledger that is there may be replaced; it is kept aside.

    Raises
    ------
    InvalidInput
        If this is no whole backup, or one of a newer version; nothing is changed then.
    Conflict
        If a ledger is there and is not to be replaced.
    NotAllowed
        If the ledger is on a database server.
    Unavailable
        If a file cannot be written.
    """
    path = path_of(url)
    if path.exists() and not replace:
        raise Conflict(f"{path} exists already; --replace keeps it aside and puts the backup in its place")
    with _workshop(path.parent) as folder:
        label = _unpack(source, folder)
        if contents_of(folder / LEDGER) != label.contents:
            raise InvalidInput.at(source.name, "does not hold what it says")
        if label.contents.schema > HEAD:
            raise InvalidInput.at(source.name, f"was written by a newer version ({label.version})")
        aside = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%SZ}.replaced") if path.exists() else None
        erased_since = _erased_since(path, label) if aside is not None else 0
        copy.discard(columns)
        put_in_place(folder / LEDGER, path, aside or path)
        state.unlink(missing_ok=True)
        if (folder / STATE).exists():
            (folder / STATE).replace(state)
    _write_down(url, source, label, actor, now)
    return Backup(source, label.created_at, label.contents, source.stat().st_size, aside, erased_since)


def _unpack(source: Path, folder: Path) -> Label:
    """Take the files that we know out of an archive, and check each."""
    try:
        with tarfile.open(source, "r:*") as archive:
            for name in (LABEL, LEDGER, STATE):
                if name in archive.getnames():
                    _extract(archive, name, folder)
        label = Label.model_validate_json((folder / LABEL).read_bytes())
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValidationError) as problem:
        raise InvalidInput.at(str(source), f"is no whole backup: {_first_line(problem)}") from problem
    if label.form > FORM:
        raise InvalidInput.at(source.name, f"was written by a newer version ({label.version})")
    for name in (LEDGER, *label.sha256):
        if not (folder / name).is_file() or _digest(folder / name) != label.sha256.get(name):
            raise InvalidInput.at(source.name, f"is no whole backup: {name} is missing or has been changed")
    return label


def _extract(archive: tarfile.TarFile, name: str, folder: Path) -> None:
    packed = archive.extractfile(name)
    if packed is not None:
        with packed, (folder / name).open("wb") as file:
            shutil.copyfileobj(packed, file, _BLOCK)


def _erased_since(path: Path, label: Label) -> int:
    """How many erasures the backup lacks; none can be counted in a ledger that is damaged."""
    try:
        return max(0, contents_of(path).erasures - label.contents.erasures)
    except InvalidInput:
        return 0


def _write_down(url: str, source: Path, label: Label, actor: str, now: datetime) -> None:
    store = open_store(url)
    try:
        upgrade(store)
        with store.write() as session:
            audit.record(
                session=session,
                actor=actor,
                action="restore",
                object="ledger",
                after=f"{source.name} of {label.created_at.isoformat()}",
                now=now,
            )
    finally:
        store.close()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _workshop(parent: Path) -> Iterator[Path]:
    """A folder beside the place where the result goes, so that it can be moved there at once."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".evenhand-") as name:
            yield Path(name)
    except OSError as problem:
        raise Unavailable(f"{parent} cannot be written: {problem.strerror or problem}") from problem


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]
