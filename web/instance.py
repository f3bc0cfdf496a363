"""The instance: one server on one data directory.

Two servers on one directory would each keep their own secrets, columnar copy and last good state in the same
files. The server holds a lock for as long as it lives; its workers belong to it, and commands beside it take
none. The system gives the lock back however the server ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.errors import InvalidInput

LOCK = "serve.lock"


@contextmanager
def sole_instance(folder: Path) -> Iterator[None]:
    """Hold a data directory for a server.

    Raises
    ------
    InvalidInput
        If another server holds it, or no file can be made in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise InvalidInput.at(str(folder), f"cannot be written to: {problem.strerror}") from problem
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise InvalidInput.at(
                str(folder),
                f"another server (process {holder}) has the data directory; stop it or set EVENHAND_DATA_DIR",
            ) from taken
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
