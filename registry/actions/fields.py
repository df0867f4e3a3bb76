"""The fields of entries: of which kind each is, and whether it may be empty or left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.entry import Json


class Kind(StrEnum):
    """What a field holds in a leaf."""

    IDENTIFIER = "identifier"
    """A UUID, as text."""
    INSTANT = "instant"
    """RFC 3339 in UTC, to the microsecond."""
    DIGEST = "digest"
    """A SHA-256, 64 hexadecimal digits."""
    NUMBER = "number"
    TRUTH = "truth"
    WORD = "word"
    """Text in clear: a name from a closed list, or one that is no person's."""
    TEXT = "text"
    """Free text or a person's name: the leaf holds its salted hash, and the text may be erased."""
    IDENTIFIERS = "identifiers"
    WORDS = "words"
    MAPPING = "mapping"
    """An object whose names and values are words, numbers or truths."""
    REFERENCES = "references"
    """A list of objects with a kind and an identifier."""


@dataclass(frozen=True)
class Field:
    """A field of an action. `nullable`: it may be null; `optional`: it may be left out."""

    name: str
    kind: Kind
    nullable: bool = False
    optional: bool = False


_SPELLING = re.compile(r"(?P<name>[a-z][a-z0-9_]*):(?P<kind>[a-z]+)(?P<nullable>\?)?(?P<optional>~)?")
_WHOLE: Mapping[Kind, re.Pattern[str]] = {
    Kind.IDENTIFIER: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    Kind.INSTANT: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z"),
    Kind.DIGEST: re.compile(r"[0-9a-f]{64}"),
}


def fields_of(spelled: str) -> tuple[Field, ...]:
    """Fields from `name:kind`, separated by spaces; `?` behind the kind: may be null, `~`: may be left out.

    Raises:
        ValueError: it is not spelled like that, or of no known kind.
    """
    fields = []
    for part in spelled.split():
        found = _SPELLING.fullmatch(part)
        if found is None:
            raise ValueError(f"no field: {part!r}")
        fields.append(Field(found["name"], Kind(found["kind"]), bool(found["nullable"]), bool(found["optional"])))
    return tuple(fields)


def pattern_of(kind: Kind) -> str | None:
    """The regular expression of a kind's whole text; None where it has none."""
    return _WHOLE[kind].pattern if kind in _WHOLE else None


def fits(field: Field, value: Json) -> bool:
    """Whether a value in a leaf is of the field's kind."""
    if value is None:
        return field.nullable
    match field.kind:
        case Kind.IDENTIFIER | Kind.INSTANT | Kind.DIGEST:
            return isinstance(value, str) and _WHOLE[field.kind].fullmatch(value) is not None
        case Kind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.TRUTH:
            return isinstance(value, bool)
        case Kind.WORD:
            return isinstance(value, str)
        case Kind.TEXT:
            return isinstance(value, dict) and list(value) == ["commitment"]
        case Kind.IDENTIFIERS:
            return isinstance(value, list) and all(fits(Field("", Kind.IDENTIFIER), one) for one in value)
        case Kind.WORDS:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case Kind.MAPPING:
            return isinstance(value, dict) and all(isinstance(one, str | int) for one in value.values())
        case Kind.REFERENCES:
            return isinstance(value, list) and all(isinstance(one, dict) and {*one} == {"id", "kind"} for one in value)
