"""A table of what the simulations measured, printed at the end of a run that had any."""

from collections.abc import Callable

import pytest
from hypothesis import settings

# A busy machine is not a failure.
settings.register_profile("analysis", deadline=None)
settings.load_profile("analysis")

Measure = Callable[[str, float, float, float], None]

_ROWS: list[tuple[str, float, float, float]] = []


@pytest.fixture
def measure() -> Measure:
    """Hold a measured value against its band, and keep it for the table."""

    def check(name: str, value: float, low: float, high: float) -> None:
        _ROWS.append((name, float(value), low, high))
        assert low <= value <= high, f"{name}: {value} is outside {low} … {high}"

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    terminalreporter.section("behaviour in simulation")
    for name, value, low, high in _ROWS:
        terminalreporter.write_line(f"{name:45s} {value:8.4f}   accepted {low:.4f} … {high:.4f}")
