"""Settings: what a deployment may choose, all from the environment, all with a default that works.

Every setting is listed in the README; a test compares the two.
"""

import os
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from experiments.definition import invalid
from experiments.errors import InvalidInput, Problem


class Settings(BaseSettings):
    """Read from the environment, each with the prefix ``EVENHAND_``."""

    model_config = SettingsConfigDict(env_prefix="EVENHAND_", frozen=True)

    data_dir: Path = Field(
        default=Path(".evenhand"),
        description="Everything a deployment writes lives here, the database included.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy address of the ledger; empty for an SQLite file in the data directory.",
    )
    engine: Literal["duckdb", "postgresql", "spark", "clickhouse", "bigquery", "snowflake", "trino"] = Field(
        default="duckdb", description="What runs the analytical statement."
    )
    engine_url: str = Field(
        default="", description="Ibis address of a warehouse, such as clickhouse://user@host/database."
    )
    engine_hours: int = Field(
        default=24,
        ge=1,
        le=24,
        description="Hours between two readouts by a warehouse, unless somebody asks for one.",
    )
    warehouse: str = Field(
        default="", description="TOML file with the tables and columns of exposures and events elsewhere."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signs forms; empty for a random one kept in the data directory."
    )
    pseudonym_key: SecretStr = Field(
        default=SecretStr(""),
        description="Stores unit ids as hashes under this key: at least 32 random characters, for good.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that serve.")
    public_url: str = Field(
        default="", description="Address that people open, for links; empty for the one listened on."
    )
    alert_webhook: SecretStr = Field(
        default=SecretStr(""),
        description="Address (https) that alerts are sent to as JSON; empty for none.",
    )
    alert_webhook_hosts: str = Field(
        default="", description="Hosts of that address which may be inside your network, with commas."
    )

    @property
    def webhook(self) -> str:
        """The address that alerts are sent to; it may hold a secret, so it is shown nowhere."""
        return self.alert_webhook.get_secret_value()

    chromium: str = Field(
        default="", description="Chromium that prints reports as PDF; empty for the one on the PATH."
    )

    @property
    def ledger_url(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'evenhand.sqlite3'}"

    @property
    def embedded(self) -> bool:
        """Whether the database is the SQLite file of the data directory."""
        return self.ledger_url.startswith("sqlite")

    @property
    def warehoused(self) -> bool:
        """Whether readouts come from a warehouse, which tells nobody that there is news."""
        return self.engine not in ("duckdb", "postgresql")

    @property
    def kept_path(self) -> Path:
        """The state that was last in force, for a start without the database."""
        return self.data_dir / "mirror.json"

    @property
    def columns_path(self) -> Path:
        """The columnar copy of the ledger: it can be deleted at any time and is made again."""
        return self.data_dir / "columns.duckdb"


def read_settings(**chosen: object) -> Settings:
    """Read the settings from the environment; what is given here goes first.

    Raises
    ------
    InvalidInput
        Naming the variable that cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]  # read as text; pydantic checks each
    except ValidationError as problem:
        named = [
            Problem(f"EVENHAND_{each.place.upper()}", each.message) for each in invalid(problem).problems
        ]
        raise InvalidInput(named) from problem


def secret_key_of(settings: Settings) -> str:
    """The key that signs forms: the one that was set, or one made for this data directory."""
    if chosen := settings.secret_key.get_secret_value():
        return chosen
    path = settings.data_dir / "secret_key"
    if not path.exists():
        _make_secret(path)
    return path.read_text()


def _make_secret(path: Path) -> None:
    """Put a new secret in its place, whole; of processes that start together, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret_key.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
