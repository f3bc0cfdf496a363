"""Exchange: sums over units, with what some of them came to taken out, and what they come to now put in.

The sums are rows of an answer, all taken around the same middles. What rounding leaves behind is small as
long as what is taken out is not nearly everything, and as long as the middles are where they were: otherwise
the answer is None, and everything has to be added up anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from experiments.observe.groups import Answer
from experiments.observe.question import HISTORIC, Question
from experiments.observe.summing import Middles, Summed
from experiments.observe.units import MOST_VALUES, REMAINDER
from experiments.observe.values import columns_of

DIGITS = 10_000
"""How many times smaller a sum of squares may become by what is taken out: so much larger becomes the part of
it that is rounding."""

NEAR = 0.99
"""Share of the squares around a middle that may be due to its distance from the mean."""

NUMBERS = 6
"""Where the numbers of a row begin."""

Key = tuple[str, str, str | None, int, int | None]


def exchanged(question: Question, whole: Summed, before: Summed, after: Summed) -> Summed | None:
    """The sums after something has happened to some units, from what these came to before and come to now."""
    found = {_key(row): row for row in whole.rows}
    news = {_key(row): row for row in after.rows}
    for gone in filter(_things, before.rows):
        row = found.pop(_key(gone), None)
        if row is None:
            return None
        if _things(row) == _things(gone):
            continue  # nothing is left, whatever rounding says
        left = _without(question, row, gone, news.get(_key(gone)))
        if left is None:
            return None
        found[_key(gone)] = left
    for key, new in news.items():
        found[key] = _with(question, found[key], new) if key in found else new
    rows = [row for row in found.values() if _things(row)]
    return None if _strayed(question, whole.middles, rows) else Summed(whole.middles, rows)


def fills(question: Question, summed: Summed) -> Iterator[Answer]:
    """How far from the middle is what stands for the unknown before the exposure: it is the mean by now."""
    off = {row[1]: row[NUMBERS] / row[5] for row in summed.rows if row[0] == "known" and row[5]}
    for metric in question.metrics:
        if keys := question.predecessors(metric):
            yield ("fill", metric.key, None, 0, None, 1, *(off.get(key, 0.0) for key in keys))


def crowded(question: Question, summed: Summed) -> bool:
    """Whether a segment of attributes has more values than are told apart; all units decide which are."""
    labels: dict[int | None, set[str]] = defaultdict(set)
    for part, _, label, _, place, *_ in summed.rows:
        if part == "cut_units" and label is not None and question.segments[place] not in HISTORIC:
            labels[place].add(label)
    return any(len(each) > MOST_VALUES or REMAINDER in each for each in labels.values())


def _key(row: Answer) -> Key:
    part, name, label, arm, day, *_ = row
    return part, name, label, arm, None if part == "event_through" else day


def _things(row: Answer) -> float:
    """How many things were added up: events, cells, or mostly units."""
    match row[0]:
        case "event_through":
            return float(row[NUMBERS])
        case "step":
            return float(row[-1])
    return float(row[5])


def _without(question: Question, row: Answer, gone: Answer, new: Answer | None) -> Answer | None:
    left = [*row[:5], *(one - other for one, other in zip(row[5:], gone[5:], strict=True))]
    if any(left[place] * DIGITS < row[place] for place in _squares(question, row)):
        return None
    for place in _largest(question, row):
        if gone[place] and gone[place] == row[place] and (not new or (new[place] or 0) < gone[place]):
            return None
        left[place] = row[place]
    return tuple(left)


def _with(question: Question, row: Answer, new: Answer) -> Answer:
    found = [*row[:5], *(one + other for one, other in zip(row[5:], new[5:], strict=True))]
    for place in _largest(question, row):
        found[place] = max((each[place] for each in (row, new) if each[place] is not None), default=None)
    return tuple(found)


def _largest(question: Question, row: Answer) -> Sequence[int]:
    """Where a row has what is largest instead of a sum."""
    if row[0] == "event_through":
        return (4,)
    if row[0] == "metric" and len(row) > NUMBERS and question.by_key[row[1]].kind == "mean":
        return (len(row) - 2,)
    return ()


def _squares(question: Question, row: Answer) -> Sequence[int]:
    """Where a row has the sums of squares of its variables: with products in between."""
    width = _width(question, row)
    first = NUMBERS + width
    return [first + place for place in accumulate(range(width, 1, -1), initial=0)] if width else ()


def _width(question: Question, row: Answer) -> int:
    """How many variables a row has squares of."""
    if len(row) == NUMBERS:
        return 0
    match row[0]:
        case "metric" | "cut":
            return question.width(question.by_key[row[1]])
        case "age":
            return len(question.parts(question.by_key[row[1]]))
    return 0


def _strayed(question: Question, middles: Middles, rows: Iterable[Answer]) -> bool:
    """Whether the middles are no longer in the middle of what has been added up around them."""
    totals: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for row in rows:
        if row[0] in ("metric", "age") and _width(question, row):
            totals[row[0], row[1]].append(row)
    return any(_far(question, middles, same) for same in totals.values())


def _far(question: Question, middles: Middles, rows: Sequence[Answer]) -> bool:
    metric = question.by_key[rows[0][1]]
    own, known = columns_of(question, metric)
    if rows[0][0] == "age":
        around, spread = [middles.lived[name] for name in own], 1.0
    else:
        around = [middles.values[name] for name in (*own, *known)]
        spread = middles.spreads[own[0]] if metric.kind == "mean" else 1.0
    n = sum(row[5] for row in rows)
    squares = [sum(row[place] for row in rows) for place in _squares(question, rows[0])]
    off = [sum(row[NUMBERS + place] for row in rows) - n * middle for place, middle in enumerate(around)]
    # A spread of nought has measured nothing; it will not do when there is something to measure.
    return (not spread and squares[0] > 0) or any(
        each * each > NEAR * n * square for each, square in zip(off, squares, strict=True)
    )
