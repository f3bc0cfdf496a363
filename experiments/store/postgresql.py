"""PostgreSQL: engines that promise what the embedded database promises.

*A commit that returned is safe.* ``synchronous_commit`` is turned on where a role or a server has it off.

*Writers take turns.* A transaction that writes first takes one advisory lock of the database, as SQLite's
takes its write lock, and gives it back after its commit can be seen by everybody. So what a use case has
read cannot change before it writes; row ids become visible in their order, which is why a reader that
remembers the newest id it has seen never misses one that was given out earlier and committed later; and
writers cannot deadlock. The price is one commit at a time in a database; since requests share commits, it is
a small one.

*Nobody waits for ever.* Statements, locks, idle transactions and silent networks all have a limit.
"""

from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event

STATEMENT_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TIMEOUT_MS = 30_000
POOL_TIMEOUT = 5.0

TURN = 0x65766E68
"""The advisory lock that a writing transaction holds."""

_SETTINGS = f"""
SELECT set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', false),
       set_config('lock_timeout', '{LOCK_TIMEOUT_MS}', false),
       set_config('idle_in_transaction_session_timeout', '{IDLE_TIMEOUT_MS}', false),
       CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
            THEN set_config('synchronous_commit', 'on', false) END
"""

_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

_READ_ONLY = "25006"
"""The server takes no writes, perhaps because another was promoted: look where the address leads now."""


def open_engines(url: URL) -> tuple[Engine, Engine]:
    """Open a database for reading and for writing.

    Returns
    -------
    tuple[Engine, Engine]
        The reader, whose transactions see one state and cannot change it, and the writer.
    """
    pool: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": POOL_TIMEOUT, "connect_args": _NETWORK}
    reader = create_engine(
        url,
        pool_size=8,
        max_overflow=8,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        **pool,
    )
    writer = create_engine(url, pool_size=2, max_overflow=2, isolation_level="READ COMMITTED", **pool)
    for engine in (reader, writer):
        event.listen(engine, "connect", _set)
    event.listen(writer, "begin", _take_turn)
    event.listen(writer, "handle_error", _judge)
    return reader, writer


def _set(connection: Any, _: Any) -> None:
    connection.autocommit = True
    connection.execute(_SETTINGS)
    connection.autocommit = False


def _take_turn(connection: Any) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")


def _judge(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True
