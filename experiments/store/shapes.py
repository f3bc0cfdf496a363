"""Shapes of columns that many tables share."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlmodel import Field

from experiments.store.instants import Instant

# SQLite counts up only in a column that is exactly INTEGER; other engines get 64 bits.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def instant(*, nullable: bool = False) -> Any:
    """A moment in UTC."""
    return Field(default=None, sa_column=Column(Instant(), nullable=nullable))


def text(*, nullable: bool = False) -> Any:
    """A text of any length."""
    return Field(default=None, sa_column=Column(Text(), nullable=nullable))


def row_id() -> Any:
    """A key that counts up."""
    return Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
