"""Measures: what the numbers of a metric are counted in, and how that is written beside them."""

from dataclasses import dataclass

from babel.numbers import get_currency_symbol, is_currency
from flask_babel import get_locale

from web.wording import numbers

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Measure:
    """How values are written and in what unit.

    ``format`` is ``number``, ``percent``, ``currency``, ``duration``, or ``span`` for milliseconds that are
    written in the unit of time that suits them.
    """

    format: str = "number"
    unit: str = ""

    def level(self, value: float, decimals: int, *, as_share: bool) -> str:
        """Write one level of the metric."""
        if self.format == "span":
            return numbers.span(value)
        if self.format == "currency":  # money has cents or none
            decimals = 2 if decimals else 0
        return self.beside(numbers.level(value, decimals, as_share=as_share))

    def beside(self, text: str) -> str:
        """Write what the number is counted in beside it; a share carries its own sign."""
        if not self.unit or self.format == "percent":
            return text
        if self.format != "currency":
            return text + NARROW_SPACE + self.unit
        symbol = _symbol(self.unit)
        return symbol + text if len(symbol) <= 3 else text + NARROW_SPACE + symbol


def _symbol(unit: str) -> str:
    """A currency's sign where its code is known; otherwise what people wrote."""
    return str(get_currency_symbol(unit.upper(), get_locale())) if is_currency(unit.upper()) else unit
