"""Standing sums: what was added up for a question, kept in the copy until the log has grown.

Kept are sums by variant and day, and how far the log had been read; nothing of a single unit. They lie in the
copy itself, are replaced in one transaction, and go when the copy is emptied, as it is after an erasure, or
when the ledger has forgotten anything.
"""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from importlib.metadata import version

import duckdb

from experiments.observe.question import Question
from experiments.observe.sheets import is_plain
from experiments.observe.summing import Middles, Summed

FORMAT = 1
"""Of what is kept: what was kept in another one is not read."""

MOST = 200
"""Questions whose sums are kept: those of the latest moments."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Sums, and what had been read for them.

    Attributes
    ----------
    horizon
        The moment up to which things had happened.
    exposure, event
        The newest rows that were there.
    """

    horizon: int
    exposure: int
    event: int
    summed: Summed


def can_stand(question: Question) -> bool:
    """Whether a unit has its part in the sums of a question whatever the others do.

    With a cap it has not, nor where events of every name make a robot of it or another experiment moves it.
    """
    capped = any(metric.cap is not None for metric in question.counted)
    robots = question.bots is not None and question.bots.events_per_day is not None
    return is_plain(question) and not (capped or robots or question.past or question.beside)


def newest(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """The newest exposure and event that are there."""
    ((exposure, event),) = connection.execute(
        "SELECT (SELECT COALESCE(MAX(id), 0) FROM exposure), (SELECT COALESCE(MAX(id), 0) FROM event)"
    ).fetchall()
    return int(exposure), int(event)


def read(connection: duckdb.DuckDBPyConnection, question: Question) -> Standing | None:
    """What stands for a question, if anything does."""
    found = connection.execute(
        "SELECT horizon, exposure, event, summed FROM standing WHERE question = ?", [_digest(question)]
    ).fetchall()
    for horizon, exposure, event, text in found:
        if (summed := _parsed(text)) is not None:
            return Standing(horizon, exposure, event, summed)
    return None


def _parsed(text: str) -> Summed | None:
    try:
        kept = json.loads(text)
        return Summed(Middles(**kept["middles"]), [tuple(row) for row in kept["rows"]])
    except (ValueError, TypeError, KeyError):
        return None  # of no use; it is replaced


def keep(connection: duckdb.DuckDBPyConnection, question: Question, standing: Standing) -> None:
    """Keep sums instead of those that stood before."""
    kept = {"middles": asdict(standing.summed.middles), "rows": standing.summed.rows}
    digest = _digest(question)
    connection.begin()
    connection.execute("DELETE FROM standing WHERE question = ?", [digest])
    connection.execute(
        "INSERT INTO standing VALUES (?, ?, ?, ?, ?)",
        [digest, standing.horizon, standing.exposure, standing.event, json.dumps(kept)],
    )
    connection.execute(
        "DELETE FROM standing WHERE question NOT IN "
        "(SELECT question FROM standing ORDER BY horizon DESC LIMIT ?)",
        [MOST],
    )
    connection.commit()


def _digest(question: Question) -> str:
    """The same for questions that differ in their moments alone, as long as the software is the same."""
    alike = replace(question, horizon=0, aged=frozenset())
    told = (FORMAT, version("evenhand"), sorted(question.aged), alike)
    return sha256(repr(told).encode()).hexdigest()
