"""Wording: every sentence about a result, in the reader's language, the same on page, export and alert.

Rules of this package
---------------------
- An interval is never split from its estimate, and a relative change never stands without its levels.
- The metric's direction is resolved into better and worse, with a shape beside the word.
- "Not conclusive" names what the data still fit; "no effect" is never said. What is ruled out is said only
  when the whole interval lies inside a limit that was set before.
- p-values are worded as what would happen if nothing had changed; never as the chance of being right.
- Numbers are rounded to their uncertainty and carry a real minus sign.
- No message holds a literal per cent sign: formatted numbers are handed in as variables.
"""

from web.wording.checks import FourChecks, four_checks
from web.wording.names import Names
from web.wording.readings import Chip, chip_of, tone_of
from web.wording.verdict import Conclusion, conclude

__all__ = ["Chip", "Conclusion", "FourChecks", "Names", "chip_of", "conclude", "four_checks", "tone_of"]
