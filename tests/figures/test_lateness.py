from analysis.figures import LatenessBar, LatenessWords, draw_lateness
from analysis.figures.palette import BLUE, VERMILION
from tests.figures.reading import read

WORDS = LatenessWords(span="Came after", events="Events")


def test_every_span_has_a_bar_that_ends_with_its_number() -> None:
    bars = [
        LatenessBar("under a minute", 12, "12", late=False),
        LatenessBar("1 to 6 hours", 3, "3", late=True),
    ]
    canvas = read(draw_lateness(bars, words=WORDS))
    data = canvas.renderers[0].data_source.data
    assert data["right"] == [12, 3]
    assert data["colour"] == [BLUE, VERMILION]
    assert [label.text.text for label in canvas.center if hasattr(label, "text")] == ["12", "3"]


def test_no_events_at_all_are_drawn_as_such() -> None:
    canvas = read(draw_lateness([LatenessBar("under a minute", 0, "0", late=False)], words=WORDS))
    assert canvas.x_range.end > 0
