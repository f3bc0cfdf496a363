import pytest

from analysis.figures import (
    Canvas,
    Curve,
    CurvePoint,
    CurveWords,
    FunnelBar,
    FunnelStep,
    FunnelWords,
    Gap,
    draw_curves,
    draw_funnel,
    draw_gaps,
    funnel_height,
)
from analysis.figures.palette import BLUE, GREY
from tests.figures.reading import read
from tests.figures.test_figures import HOSTILE

WORDS = CurveWords(str, str, str, "Age", "Variant", "Share", "Difference")
FUNNEL_WORDS = FunnelWords(str, "Step", "Variant", "Reached", "Since")


def curves() -> list[Curve]:
    points = tuple(CurvePoint(day, 0.5 / day, 0.4 / day, 0.6 / day, f"D{day}", HOSTILE) for day in (1, 2, 3))
    return [
        Curve("A", True, points),
        Curve(HOSTILE, False, points, stepped=True),
        Curve("C", False, points[:1]),
    ]


def gaps() -> list[Gap]:
    return [Gap(1, 0.1, None, None, "D1", HOSTILE), Gap(2, -0.2, -0.4, 0.1, "D2", "−0.2")]


def steps() -> list[FunnelStep]:
    return [
        FunnelStep(
            HOSTILE if place else "Exposed",
            (FunnelBar("A", share, "x", "–", True), FunnelBar(HOSTILE, share, HOSTILE, "50%", False)),
        )
        for place, share in enumerate((1.0, 0.3, 0.0))
    ]


def every_figure() -> list[Canvas]:
    return [
        draw_curves(curves(), ages=[1, 3], words=WORDS),
        draw_curves(curves(), ages=[1], words=WORDS, from_zero=False),
        draw_gaps(gaps(), ages=[1, 2], words=WORDS),
        draw_gaps(gaps()[:1], ages=[1], words=WORDS),
        draw_funnel(steps(), words=FUNNEL_WORDS),
    ]


@pytest.mark.parametrize("place", range(5))
def test_bokeh_knows_every_part_of_a_figure(place: int) -> None:
    assert read(every_figure()[place]).renderers


def test_a_funnel_has_a_bar_for_each_variant_at_each_step() -> None:
    drawn = read(draw_funnel(steps(), words=FUNNEL_WORDS))
    data = drawn.renderers[0].data_source.data
    assert data["right"] == [1.0, 1.0, 0.3, 0.3, 0.0, 0.0]
    assert data["colour"] == [GREY, BLUE] * 3
    assert data["y"] == sorted(data["y"])
    assert drawn.frame_height == funnel_height(steps())


def test_a_difference_without_limits_is_a_dot_without_a_bar() -> None:
    drawn = read(draw_gaps(gaps(), ages=[1, 2], words=WORDS))
    segment = drawn.renderers[0].data_source.data
    assert segment["x"] == [2]
    assert drawn.y_range.start < -0.4
    assert drawn.y_range.end > 0.1


def test_treatments_differ_in_their_lines_and_the_control_in_its_colour() -> None:
    point = (CurvePoint(1, 0.2), CurvePoint(2, 0.1))
    arms = [Curve("A", True, point), Curve("B", False, point), Curve("C", False, point)]
    drawn = read(draw_curves(arms, ages=[1, 2], words=WORDS))
    lines = [each.glyph for each in drawn.renderers if type(each.glyph).__name__ == "Line"]
    assert [line.line_color for line in lines] == [GREY, BLUE, BLUE]
    assert len({str(line.line_dash) for line in lines[1:]}) == 2


def test_figures_above_each_other_begin_at_the_same_place() -> None:
    drawn = [read(each) for each in every_figure()]
    assert len({each.min_border_left for each in drawn[:4]}) == 1
