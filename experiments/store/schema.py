"""The schema: bringing a database to the shape that this version of the code expects."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from experiments.errors import Unavailable
from experiments.store.database import Store

HEAD = "0011"
"""The newest migration. Asking the database costs a millisecond, loading the migrator half a second."""


def upgrade(store: Store) -> bool:
    """Create or upgrade the schema.

    Returns
    -------
    bool
        Whether anything had to be done.

    Raises
    ------
    Unavailable
        If the database was written by a newer version of the product.
    """
    if revision(store) == HEAD:
        return False
    # Writers take turns, so of several that find the schema old together, all but the first find it new.
    with store.write() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes what it takes
        _migrate(connection)
    return True


def revision(store: Store) -> str | None:
    """The migration that the database stands at; None for an empty one."""
    with store.read() as session:
        connection = session.connection()
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise Unavailable(f"the database was written by another version: {problem}") from problem
