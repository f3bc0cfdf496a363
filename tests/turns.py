"""Turns: the suite runs in several processes, and what is made once must not be made by two at a time."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process is inside under this name."""
    with Path(tempfile.gettempdir(), f"evenhand-tests-{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
