"""Printing: a report as PDF, by a Chromium of this machine.

The browser gets one file and no network: the file's own policy forbids every request. One is printed at a
time in each process, and a browser that does not come back is ended with everything it started.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

from experiments.errors import Unavailable

PATIENCE = 45
"""Seconds that a browser may take; a page with many figures takes five."""

DRAWING_TIME = 12_000
"""Milliseconds of the browser's own clock that figures have to be drawn in."""

WIDTH, HEIGHT = 1280, 1600
"""Pixels of the window: on this width figures are drawn as large as the stylesheet prints them."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_printing = threading.BoundedSemaphore(1)


def find_chromium(chosen: str) -> str | None:
    """Where Chromium is: the one that was set, or the first on the PATH; None where there is none."""
    if chosen:
        return shutil.which(chosen)
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def print_pdf(html: str, *, chromium: str, patience: float = PATIENCE) -> bytes:
    """Print one self-contained file.

    Raises
    ------
    Unavailable
        If another report is being printed, or the browser fails or takes too long.
    """
    if not _printing.acquire(timeout=patience):
        raise Unavailable("another report is being printed; try again in a moment")
    try:
        with tempfile.TemporaryDirectory(prefix="evenhand-print-") as folder:
            return _printed(Path(folder), html, chromium, patience)
    finally:
        _printing.release()


def _printed(folder: Path, html: str, chromium: str, patience: float) -> bytes:
    page, target = folder / "report.html", folder / "report.pdf"
    page.write_text(html, encoding="utf-8")
    _run(_command(chromium, folder, page, target), patience)
    if not target.exists():
        raise Unavailable("the browser did not print the report")
    return target.read_bytes()


def _command(chromium: str, folder: Path, page: Path, target: Path) -> list[str]:
    command = [
        chromium,
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-pdf-header-footer",
        "--hide-scrollbars",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--user-data-dir={folder / 'profile'}",
        f"--virtual-time-budget={DRAWING_TIME}",
        f"--print-to-pdf={target}",
    ]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to sandbox for root; the file may fetch nothing
    return [*command, page.as_uri()]


def _run(command: list[str], patience: float) -> None:
    try:
        browser = subprocess.Popen(  # noqa: S603 - the operator's own browser, on our own file
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        raise Unavailable(f"the browser cannot be started: {problem.strerror}") from problem
    try:
        browser.wait(timeout=patience)
    except subprocess.TimeoutExpired as problem:
        raise Unavailable(f"the browser took longer than {patience:.0f} seconds") from problem
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
