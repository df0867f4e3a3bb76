"""Statements handed to the database's driver itself, in the transaction of a SQLAlchemy connection.

SQLAlchemy's way to the driver and back takes several times as long as a small statement does.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

__all__ = ["cursor_of", "run", "run_each"]

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
    dialect = connection.dialect
    with closing(connection.connection.cursor()) as cursor:
        try:
            yield cursor
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(
                statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
            ) from error


def run(connection: Connection, statement: str, parameters: Parameters = ()) -> Sequence[Row]:
    """Run a statement in the driver's own parameter style; its rows, none where it returns none.

    Raises:
        DBAPIError: as SQLAlchemy would have raised it.
    """
    with cursor_of(connection, statement) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else ()


def run_each(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Run a statement that returns nothing for each of the rows, which may be none.

    Raises:
        DBAPIError: as SQLAlchemy would have raised it.
    """
    if not rows:
        return
    with cursor_of(connection, statement) as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)
