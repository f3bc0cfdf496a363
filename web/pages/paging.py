"""Paging: long lists in pages, with plain links."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import request

MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list.

    Attributes
    ----------
    first, last
        Places of its lines in the whole list, as a slice takes them.
    earlier, later
        Addresses of its neighbours; empty where there is none.
    """

    page: int
    pages: int
    count: int
    first: int
    last: int
    earlier: str
    later: str


def page_asked_for() -> int:
    """The number of the page that the address asks for; the first where it asks for none."""
    text = request.args.get("page", "")
    return min(int(text), MOST_PAGES) if text.isascii() and text.isdecimal() and len(text) < 10 else 1


def paging_of(*, count: int, size: int, wanted: int, address: Callable[[int], str]) -> Paging:
    """Find the page asked for, or the nearest one that there is."""
    pages = max(1, -(-count // size))
    page = max(1, min(wanted, pages))
    return Paging(
        page,
        pages,
        count,
        (page - 1) * size,
        min(count, page * size),
        address(page - 1) if page > 1 else "",
        address(page + 1) if page < pages else "",
    )
