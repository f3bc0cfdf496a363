"""Drivers: how warehouses are connected to, and what their drivers raise."""

from collections.abc import Iterator
from collections.abc import Mapping as Names
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from experiments.errors import InvalidInput, Unavailable
from experiments.observe.engines.keeping import Frames, Keeper, Script, Tables


@dataclass(frozen=True, slots=True)
class Driver:
    """What Ibis calls a warehouse, and the classes of its driver's errors; the first is always there."""

    scheme: str
    errors: tuple[str, ...]


WAREHOUSES: Names[str, Driver] = {
    "spark": Driver(
        "pyspark", ("pyspark.errors:PySparkException", "py4j.protocol:Py4JError", "grpc:RpcError")
    ),
    "clickhouse": Driver("clickhouse", ("clickhouse_connect.driver.exceptions:Error",)),
    "bigquery": Driver(
        "bigquery", ("google.api_core.exceptions:GoogleAPIError", "google.auth.exceptions:GoogleAuthError")
    ),
    "snowflake": Driver("snowflake", ("snowflake.connector.errors:Error",)),
    "trino": Driver("trino", ("trino.exceptions:Error",)),
}
"""By what each is called in settings, which is its dialect, too."""

Errors = tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A connection to a warehouse.

    Attributes
    ----------
    errors
        What its driver raises.
    """

    keeper: Keeper
    errors: Errors


@contextmanager
def linked(name: str, url: str, scratch: str) -> Iterator[Link]:
    """Connect to a warehouse, and hang up afterwards.

    Raises
    ------
    Unavailable
        If its driver is not installed, or it cannot be reached.
    InvalidInput
        If its address cannot be understood.
    """
    driver = WAREHOUSES[name]
    try:
        import ibis

        errors = (ibis.IbisError, OSError, *_errors(driver))
    except ImportError as problem:
        raise Unavailable(
            f"{name} needs its driver: pip install 'ibis-framework[{driver.scheme}]' ({problem})"
        ) from problem
    try:
        connection: Any = ibis.connect(url or f"{driver.scheme}://")
    except errors as problem:
        raise Unavailable(f"{name} cannot be reached: {said(problem, url)}") from problem
    except (LookupError, TypeError, ValueError) as problem:
        raise InvalidInput.at("EVENHAND_ENGINE_URL", said(problem, url)) from problem
    try:
        yield Link(_keeper(name, connection, scratch), errors)
    finally:
        if name != "spark":  # whose session others in this process may share, and which takes long to start
            connection.disconnect()


def said(problem: BaseException, url: str) -> str:
    """The first line of what a driver says, without the password."""
    line = (str(problem) or type(problem).__name__).strip().partition("\n")[0]
    password = urlsplit(url).password
    for secret in {password, unquote_plus(password)} if password else ():
        line = line.replace(secret, "…")
    return line


def _errors(driver: Driver) -> Iterator[type[BaseException]]:
    for place, each in enumerate(driver.errors):
        module, _, name = each.partition(":")
        try:
            yield getattr(import_module(module), name)
        except ImportError:
            if place == 0:
                raise


def _keeper(name: str, connection: Any, scratch: str) -> Keeper:
    if name == "spark":
        return Frames(connection)
    if name == "bigquery":
        return Script(connection)
    if scratch:
        return Tables(connection, "CREATE TABLE {name} AS\n{text}", "DROP TABLE IF EXISTS {name}", scratch)
    if name == "clickhouse":
        create = "CREATE TEMPORARY TABLE {name} ENGINE = Memory AS\n{text}"
        return Tables(connection, create, "DROP TEMPORARY TABLE IF EXISTS {name}")
    if name == "snowflake":
        return Tables(connection, "CREATE TEMPORARY TABLE {name} AS\n{text}", "DROP TABLE IF EXISTS {name}")
    return Tables(connection, "", "", at_once=0)
