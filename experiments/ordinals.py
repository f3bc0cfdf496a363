"""Ordinals: how often each row of a file stood in it before, in eight bytes a row.

Equal rows must all count, and a derived message id tells them apart by their ordinal. A counter would keep
an object for every row; here sorted runs of 64-bit hashes are kept and merged as they grow, like the runs of
a log-structured index: ten million rows take 80 MB.

Two different rows that share 64 bits (3 in a million for a file of ten million rows) do no harm: the ordinal
of the second is then one too high, and so it is whenever that file is read again.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 1 << 22
"""Hashes of a run that is merged no further: a merge holds both runs twice for a moment, 64 MB at most."""


class Ordinals:
    """Counts the rows of one file that went by.

    Examples
    --------
    >>> seen = Ordinals()
    >>> seen.of(np.array([7, 8, 7], dtype=np.uint64)).tolist()
    [0, 0, 1]
    >>> seen.of(np.array([9, 7], dtype=np.uint64)).tolist()
    [0, 2]
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def of(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Count, for each row, the equal rows before it, and remember these.

        Parameters
        ----------
        hashes : array of shape (n,)
            One hash a row, in the order of the file.

        Returns
        -------
        array of shape (n,)
            0 for the first of its kind.
        """
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        before = _place_among_equals(ordered)
        for run in self._runs:
            before += _occurrences(run, ordered)
        ordinals = np.empty_like(before)
        ordinals[order] = before
        self._keep(ordered)
        return ordinals

    def _keep(self, run: NDArray[np.uint64]) -> None:
        """Add a sorted run; merge it with its neighbours until each is more than twice the next, or large."""
        while self._runs and len(self._runs[-1]) <= min(2 * len(run), LARGEST - len(run)):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")  # finds the two sorted halves and merges them
        self._runs.append(run)


def _place_among_equals(ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
    places = np.arange(len(ordered))
    opens = np.ones(len(ordered), dtype=bool)
    opens[1:] = ordered[1:] != ordered[:-1]
    return places - np.maximum.accumulate(np.where(opens, places, 0))


def _occurrences(run: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[Any]:
    left = run.searchsorted(ordered)
    found = run.take(left, mode="clip") == ordered
    counts = np.zeros(len(ordered), dtype=np.int64)
    if found.any():
        counts[found] = run.searchsorted(ordered[found], side="right") - left[found]
    return counts
