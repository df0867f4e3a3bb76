"""Statements handed to the database's driver itself, in the transaction of a SQLAlchemy connection.

SQLAlchemy's way to the driver and back takes several times as long as a small statement does.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

__all__ = ["batch", "cursor_of", "rows_of", "send"]

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]


@contextmanager
def cursor_of(connection: Connection, statement: str) -> Iterator[DBAPICursor]:
    """A cursor of the driver, within the connection's transaction, which begins if it has not.

    Raises:
        DBAPIError: as SQLAlchemy would have raised it for the statement.
    """
    if not connection.in_transaction():
        connection.begin()
    with closing(connection.connection.cursor()) as cursor, _translated(connection, statement):
        yield cursor


@contextmanager
def _translated(connection: Connection, statement: str) -> Iterator[None]:
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error


def rows_of(connection: Connection, statement: str, parameters: Parameters = ()) -> Sequence[Row]:
    """The rows of a statement that returns some, with its parameters in the driver's own style.

    Raises:
        DBAPIError: as SQLAlchemy would have raised it.
    """
    with cursor_of(connection, statement) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def send(connection: Connection, statement: str, *parameters: Parameters) -> None:
    """Run a statement for each of the `parameters`; what it returns is not looked at.

    Raises:
        DBAPIError: as SQLAlchemy would have raised it.
    """
    with cursor_of(connection, statement) as cursor:
        for values in parameters:
            cursor.execute(statement, values)


@contextmanager
def batch(connection: Connection) -> Iterator[None]:
    """Within it PostgreSQL is sent statement after statement, and its answers are read when rows are asked for.

    Each statement still sees its own snapshot. SQLite, which is no network away, is asked as ever.

    Raises:
        DBAPIError: one of the statements failed; the later ones did not run.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.driver_connection
    with _translated(connection, "a batch of statements"), driver.pipeline():
        yield
