"""Measures: what the numbers of a metric are counted in, and how that is written beside them."""

from dataclasses import dataclass

from babel.numbers import get_currency_symbol, is_currency
from flask_babel import get_locale

from analysis import Interval
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
        if self.format == "currency":
            decimals = _cents(decimals)
        return self.beside(numbers.level(value, decimals, as_share=as_share))

    def change(self, value: float, interval: Interval) -> str:
        """Write an absolute change with its sign and unit, as fine as its interval asks for."""
        if self.format == "span":
            return _sign_of(value) + numbers.span(abs(value))
        return _sign_of(value) + self.beside(numbers.number(abs(value), self._decimals(interval)))

    def bare_change(self, value: float, interval: Interval) -> str:
        """Write an end of that interval; the unit stands beside the change, spans of time have their own."""
        if self.format == "span":
            return self.change(value, interval)
        return numbers.signed_number(value, self._decimals(interval))

    def _decimals(self, interval: Interval) -> int:
        decimals = numbers.decimals_of(numbers.half_width(interval), digits=2)
        return _cents(decimals) if self.format == "currency" else decimals

    def beside(self, text: str) -> str:
        """Write what the number is counted in beside it; a share carries its own sign."""
        if not self.unit or self.format == "percent":
            return text
        if self.format != "currency":
            return text + NARROW_SPACE + self.unit
        symbol = _symbol(self.unit)
        return symbol + text if len(symbol) <= 3 else text + NARROW_SPACE + symbol


def _cents(decimals: int) -> int:
    """Money has cents or none."""
    return 2 if decimals else 0


def _sign_of(value: float) -> str:
    return numbers.MINUS if value < 0 else "+" if value else ""


def _symbol(unit: str) -> str:
    """A currency's sign where its code is known; otherwise what people wrote."""
    return str(get_currency_symbol(unit.upper(), get_locale())) if is_currency(unit.upper()) else unit
