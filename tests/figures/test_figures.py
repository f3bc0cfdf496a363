import math
from datetime import date, timedelta

import pytest

from analysis import Interval
from analysis.figures import (
    Canvas,
    LiftWords,
    Row,
    ShareRow,
    SplitWords,
    Tone,
    draw_arrivals,
    draw_intervals,
    draw_lift,
    draw_share_rows,
    draw_share_series,
)
from analysis.figures.palette import BLUE, GREY, VERMILION
from analysis.figures.scale import reach, some, ticks
from analysis.readout import Point, SplitPoint
from tests.figures.reading import read, written

HOSTILE = "$$x^2$$ <script>alert(1)</script>"
MONDAY = date(2026, 3, 2)


def split_words(names: dict[str, str]) -> SplitWords:
    return SplitWords(str, str, str, names, "Day", "Variant", "Units", "Share", "Expected")


LIFT_WORDS = LiftWords(str, str, str, "planned end", "Day", "Change", "Interval", "unlimited")


def split_points(days: int, variants: dict[str, int]) -> list[SplitPoint]:
    even = dict.fromkeys(variants, 1 / len(variants))
    return [
        SplitPoint(
            MONDAY + timedelta(days=day),
            variants,
            even,
            {name: share - 0.01 for name, share in even.items()},
            {name: share + 0.01 for name, share in even.items()},
        )
        for day in range(days)
    ]


def every_figure() -> list[Canvas]:
    rows = [
        Row(38, label="Primary", ruled=False),
        Row(56, Interval(0.1, 0.02, 0.2), Tone.BETTER, label=HOSTILE),
        Row(56, Interval(0.1, -math.inf, math.inf), limit=0.08),
        Row(56),
    ]
    points = [
        Point(MONDAY, 10, None, None, None),
        Point(MONDAY + timedelta(days=1), 20, 0.3, None, None),
        Point(MONDAY + timedelta(days=2), 30, 0.2, -0.1, 0.5),
    ]
    two, words = {"A": 5, "B": 6}, split_words({"A": HOSTILE, "B": "B"})
    return [
        draw_intervals(rows, header=44, format_tick=str),
        draw_lift(points, planned_end=MONDAY + timedelta(days=9), words=LIFT_WORDS),
        draw_arrivals(split_points(3, two), control="A", words=words),
        draw_share_series(split_points(3, two), variant="B", words=words),
        draw_share_rows([ShareRow(HOSTILE, 0.5, 0.4, 0.6), ShareRow("B", 0.9, 0.4, 0.6)], words=words),
    ]


@pytest.mark.parametrize("place", range(5))
def test_bokeh_knows_every_part_of_a_figure(place: int) -> None:
    assert read(every_figure()[place]).renderers


@pytest.mark.parametrize("place", [0, 2, 4])
def test_text_is_never_read_as_tex(place: int) -> None:
    for model in read(every_figure()[place]).references():
        if type(model).__name__ == "Label":
            assert type(model.text).__name__ == "PlainText"
        for text in getattr(model, "major_label_overrides", {}).values():
            assert type(text).__name__ == "PlainText"


def test_the_canvas_is_as_high_as_the_lines_of_the_table() -> None:
    drawn = read(draw_intervals([Row(38), Row(56), Row(56)], header=44, format_tick=str))
    assert drawn.frame_height == 150
    assert (drawn.y_range.start, drawn.y_range.end) == (150, 0)
    assert drawn.min_border_top == 44


def test_marks_carry_tone_as_colour_and_as_shape() -> None:
    rows = [Row(56, Interval(0.1, 0.05, 0.2), tone) for tone in Tone]
    drawn = read(draw_intervals(rows, header=44, format_tick=str))
    data = next(each.data_source.data for each in drawn.renderers if "marker" in each.data_source.data)
    assert data["colour"] == [BLUE, VERMILION, GREY]
    assert data["marker"] == ["triangle", "inverted_triangle", "circle"]


def test_the_zero_line_is_always_in_sight() -> None:
    drawn = read(draw_intervals([Row(56, Interval(3.0, 2.0, 4.0))], header=44, format_tick=str))
    assert drawn.x_range.start < 0 < drawn.x_range.end


def test_an_unlimited_interval_runs_out_of_the_frame() -> None:
    rows = [Row(56, Interval(0.1, -math.inf, math.inf)), Row(56, Interval(0.0, -0.1, 0.1))]
    drawn = read(draw_intervals(rows, header=44, format_tick=str))
    data = next(each.data_source.data for each in drawn.renderers if "marker" in each.data_source.data)
    assert data["low"][0] < drawn.x_range.start
    assert data["high"][0] > drawn.x_range.end


@pytest.mark.parametrize("days", [1, 2, 60])
def test_lift_is_drawn_for_any_number_of_days(days: int) -> None:
    points = [Point(MONDAY + timedelta(days=day), day, 0.1, 0.0, 0.2) for day in range(days)]
    written(draw_lift(points, planned_end=None, words=LIFT_WORDS))


def test_lift_without_any_estimate_is_an_empty_frame() -> None:
    written(draw_lift([Point(MONDAY, 0, None, None, None)], planned_end=None, words=LIFT_WORDS))


@pytest.mark.parametrize("count", [2, 8, 50])
def test_the_split_is_drawn_for_any_number_of_variants(count: int) -> None:
    variants = {f"v{number}": 10 for number in range(count)}
    words = split_words({name: name for name in variants})
    written(draw_arrivals(split_points(14, variants), control="v0", words=words))


def test_a_share_outside_its_range_has_another_shape() -> None:
    rows = [ShareRow("A", 0.5, 0.4, 0.6), ShareRow("B", 0.9, 0.4, 0.6)]
    drawn = read(draw_share_rows(rows, words=split_words({"A": "A", "B": "B"})))
    data = drawn.renderers[0].data_source.data
    assert data["marker"] == ["circle", "x"]


@pytest.mark.parametrize(
    ("low", "high"), [(-0.16, 0.13), (0.0, 12.0), (-3.0, 0.001), (0.4949, 0.5051), (0, 17_000), (0.0, 0.0)]
)
def test_ticks_are_few_ordered_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 1 <= len(found) <= 9
    assert found == sorted(found)
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)


def test_reach_ignores_what_is_not_finite() -> None:
    low, high = reach([math.inf, -math.inf, 0.2])
    assert low < 0 < 0.2 < high < 1


@pytest.mark.parametrize("count", [1, 2, 5, 14, 90])
def test_some_days_are_chosen_and_the_last_is_one_of_them(count: int) -> None:
    chosen = some(count, at_most=4)
    assert chosen[-1] == count - 1
    assert len(chosen) <= 5


@pytest.mark.parametrize(("planned", "side"), [(1, "left"), (9, "right")])
def test_the_planned_end_is_named_on_the_side_that_has_room(planned: int, side: str) -> None:
    points = [Point(MONDAY + timedelta(days=day), day, 0.1, 0.0, 0.2) for day in range(10)]
    drawn = read(draw_lift(points, planned_end=MONDAY + timedelta(days=planned), words=LIFT_WORDS))
    texts = [each for each in drawn.references() if type(each).__name__ == "Label"]
    assert side in [each.text_align for each in texts if each.text.text == LIFT_WORDS.planned_end]
