from analysis.figures import ContributionBar, ContributionWords, Tone, draw_contributions
from analysis.figures.palette import BLUE, VERMILION
from tests.figures.reading import read

WORDS = ContributionWords(factor="Factor", contribution="Contribution")


def test_factors_that_added_stand_right_of_zero_and_those_that_took_left() -> None:
    bars = [
        ContributionBar("Visitors", 230.0, "+230", Tone.BETTER),
        ContributionBar("Worth", -60.0, "−60", Tone.WORSE),
    ]
    canvas = read(draw_contributions(bars, words=WORDS))
    data = canvas.renderers[0].data_source.data
    assert data["right"] == [230.0, -60.0]
    assert data["colour"] == [BLUE, VERMILION]
    labels = [label for label in canvas.center if hasattr(label, "text")]
    assert [label.text.text for label in labels] == ["+230", "−60"]
    assert canvas.x_range.start < -60 < 230 < canvas.x_range.end


def test_nothing_at_all_is_drawn_as_such() -> None:
    canvas = read(draw_contributions([ContributionBar("Visitors", 0.0, "0", Tone.QUIET)], words=WORDS))
    assert canvas.x_range.end > canvas.x_range.start
