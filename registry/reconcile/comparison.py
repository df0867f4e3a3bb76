"""Compares the rows that the log implies with the tables, and names each difference."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Connection, RowMapping, literal, select, tuple_
from sqlmodel import SQLModel

import registry.tables  # noqa: F401 - declares every table
from audit.entry import Json, format_time
from audit.reads import EntryFilter, entries_after, texts
from registry.reconcile.projection import ERASED, Effect, Erased, Key, Projection, Read, Rule, Value
from registry.reconcile.replayed import REPLAYED

Progress = Callable[[int], None]

_CHUNK = 500


@dataclass(frozen=True)
class Difference:
    """A row, or a column of one, that is not as the log implies. `column` None: the row as a whole."""

    table: str
    key: Key
    column: str | None
    logged: str | None
    """None: the log implies no such row, or null."""
    stored: str | None
    """None: there is no such row, or null."""

    @property
    def sentence(self) -> str:
        """What is wrong, in one line."""
        row = f"{self.table} {'/'.join(str(part) for part in self.key)}"
        if self.column is not None:
            return f"{row}: {self.column} is {_quoted(self.stored)}, and the log implies {_quoted(self.logged)}."
        if self.stored is None:
            return f"{row}: the row is missing, and the log implies it."
        return f"{row}: the log implies no such row."


@dataclass
class Implied:
    """The rows that the log implies, by table and key, with the values that it gives for each column."""

    rows: dict[str, dict[Key, dict[str, Value]]] = field(default_factory=dict)
    unknown: set[tuple[str, Json]] = field(default_factory=set)
    """Tables and first parts of keys of which nothing can be said: the text that listed their rows was erased."""
    entries: int = 0

    @property
    def erased(self) -> int:
        """Values of which nothing can be said, because the texts behind them were erased."""
        return sum(
            value is ERASED for table in self.rows.values() for values in table.values() for value in values.values()
        )


def implied_by(reads: Iterable[Read], projections: Sequence[Projection] = REPLAYED) -> Implied:
    """Fold entries, in their order, into the rows that they imply. Memory grows with the rows, not with the entries."""
    rules: dict[str, list[tuple[str, Rule]]] = {}
    for projection in projections:
        for rule in projection.rules:
            rules.setdefault(rule.action, []).append((projection.table, rule))
    implied = Implied({projection.table: {} for projection in projections})
    for read in reads:
        implied.entries += 1
        for table, rule in rules.get(read.entry.action, ()):
            _apply(implied, table, rule, read)
    return implied


def _apply(implied: Implied, table: str, rule: Rule, read: Read) -> None:
    rows = implied.rows[table]
    items: Value = [None] if rule.each is None else read.value(rule.each)
    if isinstance(items, Erased):
        implied.unknown.add((table, read.entry.subject_id))
    if not isinstance(items, list):
        return
    for index, item in enumerate(items):
        key = tuple(_plain(read.value(source, item, index)) for source in rule.keys.values())
        if None in key:
            continue
        if rule.effect is Effect.REMOVES:
            rows.pop(key, None)
            continue
        values = {column: read.value(source, item, index) for column, source in rule.columns.items()}
        if rule.effect is Effect.MAKES:
            rows[key] = values
        elif key in rows:
            rows[key].update(values)


def _plain(value: Value) -> Json:
    return None if isinstance(value, Erased) else value


def reads_of(connection: Connection, progress: Progress = lambda _done: None) -> Iterator[Read]:
    """Every entry of the log with its texts, a few hundred at a time. `progress`: entries read."""
    after: int | None = None
    done = 0
    while entries := entries_after(connection, EntryFilter(), after, _CHUNK):
        behind: dict[int, dict[str, str]] = {}
        for (sequence, path), text in texts(connection, [entry.sequence for entry in entries]).items():
            behind.setdefault(sequence, {})[path] = text
        for entry in entries:
            yield Read(entry, behind.get(entry.sequence, {}))
        done += len(entries)
        after = entries[-1].sequence
        progress(done)


def differences(
    connection: Connection, implied: Implied, projections: Sequence[Projection] = REPLAYED
) -> Iterator[Difference]:
    """Each difference between the tables and what the log implies: table by table, streamed."""
    for projection in projections:
        yield from _compare(connection, projection, implied)


def _compare(connection: Connection, projection: Projection, implied: Implied) -> Iterator[Difference]:
    wanted = dict(implied.rows[projection.table])
    for row in _rows(connection, projection):
        key: Key = tuple(_logged_form(row[name]) for name in projection.keys)
        values = wanted.pop(key, None)
        if values is None:
            if (projection.table, key[0]) in implied.unknown:
                continue
            yield Difference(projection.table, key, None, None, "a row")
            continue
        for name in projection.columns:
            logged, stored = values.get(name), row[name]
            if name in projection.hashed:
                stored = _digest_of(stored)
            if not isinstance(logged, Erased) and not _equal(logged, stored):
                yield Difference(projection.table, key, name, _shown(logged), _shown(_logged_form(stored)))
    for key in wanted:
        yield Difference(projection.table, key, None, "a row", None)


def _rows(connection: Connection, projection: Projection) -> Iterator[RowMapping]:
    """The rows of a table by key, a few hundred at a time."""
    table = SQLModel.metadata.tables[projection.table]
    keys = [table.c[name] for name in projection.keys]
    query = select(*keys, *(table.c[name] for name in projection.columns)).order_by(*keys).limit(_CHUNK)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield from rows
        last = [literal(rows[-1][key.name], key.type) for key in keys]
        rows = connection.execute(query.where(tuple_(*keys) > tuple_(*last))).mappings().all()


def _equal(logged: Json, stored: object) -> bool:
    form = _logged_form(stored)
    if form == logged or (logged == [] and stored is None):
        return True
    # Lists and objects are logged as text where they are long or erasable.
    if isinstance(form, list | dict) and isinstance(logged, str):
        try:
            return bool(msgspec.json.decode(logged) == form)
        except msgspec.DecodeError:
            return False
    return False


def _digest_of(stored: object) -> str:
    text = stored.encode() if isinstance(stored, str) else msgspec.json.encode(stored, order="deterministic")
    return sha256(text).hexdigest()


def _logged_form(value: object) -> Json:
    """A stored value as the log would hold it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # Within a list or an object that is logged as text.
            return cast("Json", value)
        case UUID() | Decimal():
            return str(value)
        case datetime():
            return format_time(value)
        case bytes():
            return value.hex()
        case Enum():
            return str(value.value)
        case Mapping():
            return {str(name): _logged_form(part) for name, part in value.items()}
        case Sequence():
            return [_logged_form(part) for part in value]
        case _:
            return str(value)


def _shown(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value, order="sorted").decode()


def _quoted(value: str | None) -> str:
    return "null" if value is None else f"{value[:200]!r}"
