"""How an entry of the log becomes a row: which table it concerns, which row of it, and what it sets. No I/O.

What an entry sets is spelled as `column` or `column=source`, separated by spaces. A source is a field of the entry, a
part of one after dots (`details.1`), or one of

    @actor      who did it; null where nobody asked for it
    @subject    the id of the entry's subject
    @item       the element of a list, where one entry makes several rows; @item.name is a part of it
    @index      its number, from 0
    @null       null
    'word       the word itself
    #field      a field that holds the SHA-256 of what is stored: of a text, or of JSON with its members in order
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Final, TypeAlias

import msgspec

from audit.entry import Entry, Json
from registry.unit import SYSTEM

Key: TypeAlias = "tuple[Json, ...]"


class Effect(Enum):
    """What an entry does to a row."""

    MAKES = auto()
    CHANGES = auto()
    REMOVES = auto()


class Erased(Enum):
    """Stands in a row for a text that was erased from beside the log: nothing can be said of it."""

    TEXT = auto()


ERASED: Final = Erased.TEXT
Value: TypeAlias = "Json | Erased"


@dataclass(frozen=True)
class Rule:
    """What one action does to the rows of one table."""

    action: str
    effect: Effect
    sets: str = ""
    key: str = "id=@subject"
    """The key of the row, spelled in the same way."""
    each: str | None = None
    """A list in the entry of which each element makes a row."""

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """What is set: column to source."""
        return spelled(self.sets)

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The columns of the key, with their sources."""
        return spelled(self.key)


def makes(action: str, sets: str, key: str = "id=@subject", each: str | None = None) -> Rule:
    """An action that makes a row, or replaces it."""
    return Rule(action, Effect.MAKES, sets, key, each)


def changes(action: str, sets: str, key: str = "id=@subject") -> Rule:
    """An action that changes a row; where its key is null it concerns none."""
    return Rule(action, Effect.CHANGES, sets, key)


def removes(action: str, key: str) -> Rule:
    """An action that removes a row."""
    return Rule(action, Effect.REMOVES, "", key)


@dataclass(frozen=True)
class Projection:
    """A table that follows from the log. `derived`: columns that do not, each with the reason."""

    table: str
    rules: tuple[Rule, ...]
    derived: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The columns of its key."""
        return tuple(next(rule for rule in self.rules if rule.effect is Effect.MAKES).keys)

    @cached_property
    def hashed(self) -> frozenset[str]:
        """The columns of which the log holds the SHA-256."""
        pairs = (pair for rule in self.rules for pair in rule.columns.items())
        return frozenset(column for column, source in pairs if source.startswith("#"))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that follow from the log, without the key."""
        return tuple(dict.fromkeys(column for rule in self.rules for column in rule.columns))


def spelled(text: str) -> Mapping[str, str]:
    """Columns and their sources."""
    pairs = (part.partition("=") for part in text.split())
    return {column: source if mark else column for column, mark, source in pairs}


@dataclass(frozen=True)
class Read:
    """An entry, and the texts behind its commitments by their paths in `changes`."""

    entry: Entry
    texts: Mapping[str, str]

    def value(self, source: str, item: Json = None, index: int = 0) -> Value:
        """What a source gives; null where the entry lacks the field."""
        if source.startswith("'"):
            return source[1:]
        head, *path = source.removeprefix("#").split(".")
        match head:
            case "@null":
                return None
            case "@actor":
                return None if self.entry.actor == SYSTEM else self.entry.actor
            case "@subject":
                return self.entry.subject_id
            case "@index":
                return index
            case "@item":
                return _part(item, path)
        value = self._field(head)
        if value is ERASED or not path:
            return value
        return _part(msgspec.json.decode(value) if isinstance(value, str) else value, path)

    def _field(self, name: str) -> Value:
        value = self.entry.changes.get(name)
        if isinstance(value, dict) and list(value) == ["commitment"]:
            return self.texts.get(name, ERASED)
        return value


def _part(value: Json, path: list[str]) -> Json:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            value = value[int(step)]
        else:
            return None
    return value
