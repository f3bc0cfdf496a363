from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import NotEstimable
from analysis.figures import ReplayWords, draw_coverage, draw_p_values
from analysis.figures.palette import BLUE, VERMILION
from analysis.simulate import Bins, Rate, Replay, p_value_bins
from analysis.simulate import replay as replay_of
from tests.figures.reading import read
from tests.figures.test_figures import HOSTILE

WORDS = ReplayWords(str, str, str, "p", "Replays", "Expected", HOSTILE, HOSTILE)


@pytest.fixture(scope="module")
def outcome() -> Replay:
    found = replay_of(np.arange(300.0), rng=np.random.default_rng(1), replays=400)
    assert not isinstance(found, NotEstimable)
    return found


def bars_of(drawn: Any) -> Any:
    return next(each.data_source.data for each in drawn.renderers if "top" in each.data_source.data)


def dot_of(drawn: Any) -> Any:
    return next(each for each in drawn.renderers if type(each.glyph).__name__ == "Scatter")


def test_figures_of_a_replay_are_strict_json_and_hold_no_code(outcome: Replay) -> None:
    for drawn in (draw_p_values(p_value_bins(outcome), words=WORDS), draw_coverage(outcome, words=WORDS)):
        for model in read(drawn).references():
            if type(model).__name__ == "Label":
                assert type(model.text).__name__ == "PlainText"
            for label in getattr(model, "major_label_overrides", {}).values():
                assert type(label).__name__ == "PlainText"


def test_a_bar_that_leaves_the_band_has_another_colour_and_a_pattern() -> None:
    drawn = read(draw_p_values(Bins((5, 10, 15), 6.0, 14.0), words=WORDS))
    data = bars_of(drawn)
    assert data["x"] == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    assert data["colour"] == [VERMILION, BLUE, VERMILION]
    assert data["hatch"] == ["/", " ", "/"]
    assert drawn.y_range.end > 15


def test_the_band_is_drawn_over_the_whole_width() -> None:
    drawn = read(draw_p_values(Bins((5, 10), 6.0, 14.0), words=WORDS))
    band = next(each.data_source.data for each in drawn.renderers if "low" in each.data_source.data)
    assert (list(band["x"]), list(band["low"]), list(band["high"])) == ([0, 1], [6.0, 6.0], [14.0, 14.0])


@pytest.mark.parametrize(("coverage", "marker"), [(0.95, "circle"), (0.7, "x"), (1.0, "x"), (0.0, "x")])
def test_coverage_outside_its_range_has_another_shape(outcome: Replay, coverage: float, marker: str) -> None:
    drawn = read(draw_coverage(replace(outcome, coverage=Rate(coverage, 0.01)), words=WORDS))
    assert dot_of(drawn).glyph.marker == marker
    assert drawn.x_range.start <= coverage <= drawn.x_range.end
    assert drawn.x_range.start < 0.95 < drawn.x_range.end


def test_bins_hold_every_p_value(outcome: Replay) -> None:
    found = p_value_bins(outcome)
    assert sum(found.counts) == 400
    assert found.low < 20 < found.high
    low, high = outcome.coverage_range
    assert low < 0.95 < high
