from datetime import timedelta

import pytest

from experiments.errors import InvalidInput
from experiments.reconciliation import MOST_TOTALS, compare_totals, parse_totals, report_totals
from experiments.store import Store
from experiments.store.ledger import append
from tests.samples import NOW, event

TODAY = NOW.date()


def stored(store: Store, count: int) -> None:
    with store.write() as session:
        append(session=session, records=[event(number) for number in range(count)])


def report(store: Store, text: str) -> None:
    with store.write() as session:
        report_totals(session=session, draft=parse_totals(text.encode()), now=NOW)


def compared(store: Store) -> list[tuple[int, int, bool]]:
    with store.read() as session:
        return [(each.theirs, each.ours, each.agrees) for each in compare_totals(session=session)]


@pytest.mark.parametrize(
    ("theirs", "agrees"), [(100, True), (105, True), (106, False), (96, True), (95, False)]
)
def test_totals_agree_within_five_per_cent(store: Store, theirs: int, agrees: bool) -> None:
    stored(store, 100)
    report(store, f"day,event,count\n{TODAY},purchase,{theirs}\n")
    assert compared(store) == [(theirs, 100, agrees)]


def test_a_day_that_only_they_or_only_we_counted_differs(store: Store) -> None:
    stored(store, 1)
    yesterday = TODAY - timedelta(days=1)
    report(store, f"event,count,day\npurchase,0,{TODAY}\npurchase,3,{yesterday}\nvisit,0,{TODAY}\n")
    assert compared(store) == [(0, 1, False), (0, 0, True), (3, 0, False)]


def test_a_day_that_is_reported_again_replaces_what_was_there(store: Store) -> None:
    report(store, f'{{"totals": [{{"day": "{TODAY}", "event": "purchase", "count": 5}}]}}')
    report(store, f"day,event,count\n{TODAY},purchase,7\n")
    assert compared(store) == [(7, 0, False)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "expected a first line"),
        ("day,event\n2026-03-15,a", "expected a first line"),
        ("day,event,count\n2026-03-15,a", "line 2"),
        ("day,event,count\n2026-03-15,a,1,2", "line 2"),
        ("day,event,count\nyesterday,a,1", "totals.0.day"),
        ("day,event,count\n2026-03-15,a,-1", "totals.0.count"),
        ("day,event,count\n2026-03-15,,1", "totals.0.event"),
        ("day,event,count", "totals"),
        ("day,event,count\n" + "2026-03-15,a,1\n" * (MOST_TOTALS + 1), "totals"),
        ('{"totals": 5}', "totals"),
        ("{", "JSON"),
        ("[5]", "totals.0"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        parse_totals(text.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        parse_totals(b"day,event,count\n\xff")
