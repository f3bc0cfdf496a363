"""The statement as it is sent to warehouses that no test can start.

After the statement has changed on purpose: ``python -m tests.experiments.observe.engines.snapshots``
writes them anew; read what changed before committing it.
"""

from pathlib import Path

from experiments.observe.engines import Distant, Mapping
from experiments.observe.engines.mapping import Source
from experiments.observe.statement import statement_of
from tests.experiments.observe.logs import DAY, NOON, question

FOLDER = Path(__file__).parent / "statements"
DIALECTS = ("bigquery", "clickhouse", "snowflake", "spark", "trino")
ASKED = question(
    [
        {"key": "buys", "kind": "proportion", "event": "buy", "window": "7d"},
        {"key": "spend", "kind": "mean", "event": "buy", "cap": {"quantile": 0.99}},
    ],
    since=NOON,
    earliest=NOON - 30 * DAY,
)
_SHOWN = {"experiment": "test", "variant": "arm", "user_id": "visitor", "occurred_at": "at"}
_DID = {"event": "name", "user_id": "visitor", "value": "amount", "occurred_at": "at"}
MAPPING = Mapping(
    {
        "exposure": Source("analytics.shown", _SHOWN, "timestamp"),
        "event": Source("analytics.clicks", _DID, "timestamp", day="day"),
    }
)


def text_for(dialect: str) -> str:
    """What is sent."""
    return Distant(dialect, "", MAPPING).text_of(statement_of(ASKED)) + "\n"


def path_of(dialect: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"{dialect}.sql"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DIALECTS:
        path_of(each).write_text(text_for(each))
