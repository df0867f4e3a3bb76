"""Statements of the requests that everybody makes all the time, compiled once and run by the driver itself.

SQLAlchemy's way to the driver and back takes several times as long as a small statement. Its types still convert every
value, so that a prepared statement means the same on both databases.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from audit.driver import cursor_of

_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    text: str
    constants: Mapping[str, Any]
    names: tuple[str, ...]
    """Of the parameters; where the driver counts them, in its order."""
    are_counted: bool
    into: Mapping[str, _Convert]


class Prepared:
    """A statement whose parameters are `bindparam`s. Not for lists that grow (`IN`): those are compiled each time."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._columns = tuple(getattr(statement, "selected_columns", ()))
        self._compiled: dict[str, _Compiled] = {}
        self._out: dict[str, tuple[tuple[int, _Convert], ...]] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it; all rows.

        Raises:
            KeyError: a parameter has no value.
            DBAPIError: as SQLAlchemy would have raised it.
        """
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        with cursor_of(connection, compiled.text) as cursor:
            cursor.execute(compiled.text, _parameters(compiled, values))
            if not self._columns:
                return []
            found = cursor.fetchall()
            out = self._out.get(dialect.name)
            if out is None:
                out = self._out[dialect.name] = self._converters(dialect, cursor.description)
        return [_converted(row, out) for row in found]

    def row(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it; the first row, or None."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        into = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in compiled.binds.items()
        }
        made = _Compiled(
            text=str(compiled),
            constants={name: value for name, value in compiled.params.items() if value is not None},
            names=tuple(compiled.positiontup or compiled.bind_names.values()),
            are_counted=compiled.positional,
            into={name: convert for name, convert in into.items() if convert is not None},
        )
        self._compiled[dialect.name] = made
        return made

    def _converters(self, dialect: Dialect, description: Sequence[Sequence[Any]]) -> tuple[tuple[int, _Convert], ...]:
        converters = [
            column.type.dialect_impl(dialect).result_processor(dialect, described[1])
            for column, described in zip(self._columns, description, strict=True)
        ]
        return tuple((position, convert) for position, convert in enumerate(converters) if convert is not None)


def _parameters(compiled: _Compiled, values: Mapping[str, Any]) -> Mapping[str, Any] | list[Any]:
    named = {**compiled.constants, **values}
    for name, convert in compiled.into.items():
        named[name] = convert(named[name])
    return (
        [named[name] for name in compiled.names]
        if compiled.are_counted
        else {name: named[name] for name in compiled.names}
    )


def _converted(row: Sequence[Any], converters: tuple[tuple[int, _Convert], ...]) -> tuple[Any, ...]:
    values = list(row)
    for position, convert in converters:
        values[position] = convert(values[position])
    return tuple(values)
