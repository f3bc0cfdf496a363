from typing import Any

from analysis import Interval
from analysis.figures import Row, draw_intervals
from tests.figures.reading import read


def drawn(*intervals: Interval) -> Any:
    return read(draw_intervals([Row(56, each) for each in intervals], header=44, format_tick=str))


def test_one_very_wide_interval_does_not_squeeze_the_others() -> None:
    usual = Interval(0.02, -0.1, 0.1)
    canvas = drawn(usual, usual, usual, Interval(0.1, -0.3, 8.5))
    assert canvas.x_range.end < 0.5
    assert canvas.x_range.start > -0.5


def test_every_estimate_stays_in_sight() -> None:
    usual = Interval(0.02, -0.1, 0.1)
    canvas = drawn(usual, usual, usual, Interval(3.0, -0.3, 8.5))
    assert 3.0 < canvas.x_range.end < 8.5


def test_two_intervals_are_shown_whole() -> None:
    canvas = drawn(Interval(0.02, -0.1, 0.1), Interval(0.1, -0.3, 8.5))
    assert canvas.x_range.end > 8.5
