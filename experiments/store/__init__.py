"""The database: tables, migrations, and how transactions are opened. The only place that knows tables."""

from sqlmodel import Session

from experiments.store import administration, outcomes, tables
from experiments.store.database import Store, open_store

__all__ = ["Session", "Store", "administration", "open_store", "outcomes", "tables"]
