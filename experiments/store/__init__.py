"""The database: tables, migrations, and how transactions are opened. The only place that knows tables."""

from experiments.store import outcomes, tables
from experiments.store.database import Store, open_store

__all__ = ["Store", "open_store", "outcomes", "tables"]
