"""The palette: three mid-tones that stay apart for every kind of colour vision, on white and on black.

They come from Okabe and Ito's set. A colour never speaks alone: each tone has a shape of its own.
"""

from enum import StrEnum

BLUE = "#2a7db8"
VERMILION = "#d4611a"
GREY = "#7b8794"


class Tone(StrEnum):
    """What a mark says."""

    BETTER = "better"
    WORSE = "worse"
    QUIET = "quiet"

    @property
    def colour(self) -> str:
        """The colour of its lines and fills."""
        return {Tone.BETTER: BLUE, Tone.WORSE: VERMILION, Tone.QUIET: GREY}[self]

    @property
    def marker(self) -> str:
        """The shape that says the same without colour."""
        shapes = {Tone.BETTER: "triangle", Tone.WORSE: "inverted_triangle", Tone.QUIET: "circle"}
        return shapes[self]
