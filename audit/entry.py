"""Entries, and their one spelling as leaves of the tree.

A leaf is the RFC 8785 canonical JSON of

    {"action", "actor", "changes", "format": "acta-entry/1", "request" (left out when there is none),
     "sequence", "subject": {"id", "kind"}, "time"}

`changes` holds objects, arrays, strings, true, false, null and integers below 2**53 in magnitude. Measured values
are decimal strings, never floats. Text that must be erasable enters as `Committed`: the leaf holds
{"commitment": <hex of SHA-256(salt || text)>}, a side table holds salt and text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Never, TypeAlias, cast
from uuid import UUID

import msgspec

from audit.errors import EntryTooLargeError, LeafError, MeasuredValueError, UnsupportedValueError
from audit.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FORMAT",
    "MAX_LEAF_BYTES",
    "SALT_BYTES",
    "Committed",
    "Draft",
    "Entry",
    "Json",
    "Leaf",
    "LeafSubject",
    "SideText",
    "Value",
    "commitment",
    "commitments_of",
    "compose",
    "decode_leaf",
    "format_time",
    "parse_leaf",
    "parse_time",
]

FORMAT = "acta-entry/1"
MAX_LEAF_BYTES = 65_535
"""Entry bundles of C2SP tlog-tiles prefix each entry with two bytes of length."""
MAX_INTEGER = 2**53 - 1
SALT_BYTES = 16
MAX_WORD_BYTES = 256
MAX_SUBJECT_ID_BYTES = 1024
"""The databases index these fields; PostgreSQL's index rows hold 2,704 bytes."""

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
"""What `changes` holds in a leaf."""


@dataclass(frozen=True)
class Committed:
    """Text of which the leaf holds a salted hash only: deleting salt and text erases it, proofs stay valid."""

    text: str = field(repr=False)


Value: TypeAlias = (
    "str | int | bool | UUID | datetime | date | Decimal | Enum | Committed"
    " | Sequence[Value] | Mapping[str, Value] | None"
)
"""What callers may put into `changes`; UUIDs, times, decimals and text enumerations enter as strings."""


@dataclass(frozen=True)
class Draft:
    """An entry still without number and time."""

    actor: str
    """Pseudonymous identifier of who did it."""
    action: str
    """What was done, such as `waiver.revoked`."""
    subject_kind: str
    subject_id: str
    changes: Mapping[str, Value]
    request: str | None = None
    """Identifier of the request that caused it."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log."""

    sequence: int
    """Its number, from 0: the index of its leaf."""
    time: datetime
    """UTC, to the microsecond; never earlier than the entry's before it."""
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    changes: Mapping[str, Json]
    request: str | None
    leaf: bytes = field(repr=False)
    """Canonical JSON."""

    @property
    def leaf_hash(self) -> bytes:
        """32 bytes."""
        return leaf_hash(self.leaf)


@dataclass(frozen=True)
class SideText:
    """Salt and text behind one commitment."""

    path: str
    """Where in `changes`, as a JSON pointer (RFC 6901) without its first slash: `answers/0/reason`."""
    salt: bytes
    """16 bytes."""
    text: str


class LeafSubject(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an entry is about, as its leaf says."""

    id: str
    kind: str


class Leaf(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fields of a leaf, as they stand there."""

    action: str
    actor: str
    # msgspec has no recursive types; `_refuse_float` and the comparison in `decode_leaf` leave nothing but Json.
    changes: dict[str, Any]
    format: str
    sequence: int
    subject: LeafSubject
    time: str
    request: str | msgspec.UnsetType = msgspec.UNSET


def _refuse_float(text: str) -> Never:
    raise ValueError(f"the number {text} is not an integer")


_decoder = msgspec.json.Decoder(Leaf, float_hook=_refuse_float)
# Writes objects in the order given; `_canonical` gives RFC 8785's. Strings and integers it spells as RFC 8785 does.
_encoder = msgspec.json.Encoder()
_sorting_encoder = msgspec.json.Encoder(order="sorted")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# Maps every digit to 0, so that a search for sixteen zeroes finds sixteen digits in a row; ten times as fast as `re`.
_DIGITS = bytes(ord("0") if ord("0") <= byte <= ord("9") else byte for byte in range(256))
_LONG_NUMBER = b"0" * 16


def format_time(time: datetime, field: str = "time") -> str:
    """RFC 3339 in UTC with microseconds and Z: always 27 characters, so that text order is time order.

    Raises:
        UnsupportedValueError: a time without a zone; it names `field`.
    """
    if time.tzinfo is None:
        raise UnsupportedValueError(field, time, "a time in the log has a time zone: pass datetime.now(UTC)")
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=256)
def parse_time(text: str) -> datetime:
    """Inverse of `format_time`.

    Raises:
        LeafError: another spelling, or no such time.
    """
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise LeafError(f"the time {text!r} is not spelled YYYY-MM-DDTHH:MM:SS.ffffffZ")


def commitment(salt: bytes, text: str) -> str:
    """Hex of SHA-256(salt || UTF-8 text)."""
    return sha256(salt + text.encode()).hexdigest()


def compose(draft: Draft, sequence: int, time: datetime, salt: Callable[[], bytes]) -> tuple[Entry, list[SideText]]:
    """The entry with its leaf, and the texts behind its commitments.

    `salt` returns 16 fresh random bytes at each call.

    Raises:
        MeasuredValueError, UnsupportedValueError, EntryTooLargeError: the draft cannot be written.
    """
    _check_word("actor", draft.actor, MAX_WORD_BYTES)
    _check_word("action", draft.action, MAX_WORD_BYTES)
    _check_word("subject_kind", draft.subject_kind, MAX_WORD_BYTES)
    _check_word("subject_id", draft.subject_id, MAX_SUBJECT_ID_BYTES)
    if draft.request is not None:
        _check_word("request", draft.request, MAX_WORD_BYTES)
    texts: list[SideText] = []
    changes = cast("dict[str, Json]", _canonical(draft.changes, "", texts, salt))
    fields: dict[str, Json] = {
        "action": draft.action,
        "actor": draft.actor,
        "changes": changes,
        "format": FORMAT,
        "request": draft.request,
        "sequence": sequence,
        "subject": {"id": draft.subject_id, "kind": draft.subject_kind},
        "time": format_time(time),
    }
    if draft.request is None:
        del fields["request"]
    leaf = _encoder.encode(fields)
    if len(leaf) > MAX_LEAF_BYTES:
        raise EntryTooLargeError(draft.action, len(leaf), MAX_LEAF_BYTES)
    entry = Entry(
        sequence,
        time.astimezone(UTC),
        draft.actor,
        draft.action,
        draft.subject_kind,
        draft.subject_id,
        changes,
        draft.request,
        leaf,
    )
    return entry, texts


def decode_leaf(leaf: bytes) -> Leaf:
    """The fields of a leaf; only its one canonical spelling is accepted.

    Raises:
        LeafError: not canonical JSON, or not of this format.
    """
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError(f"it has {len(leaf):,} bytes, more than {MAX_LEAF_BYTES:,}")
    try:
        fields = _decoder.decode(leaf)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise LeafError(f"it is not an entry: {error}") from None
    if fields.format != FORMAT:
        raise LeafError(f"its format is {fields.format!r}, not {FORMAT!r}")
    if not 0 <= fields.sequence <= MAX_INTEGER:
        raise LeafError(f"its sequence number is {fields.sequence}")
    parse_time(fields.time)
    if not _is_canonical(leaf, fields):
        raise LeafError("it is not canonical JSON (RFC 8785)")
    return fields


def parse_leaf(leaf: bytes) -> Entry:
    """The entry that a leaf spells.

    Raises:
        LeafError: not canonical JSON, or not of this format.
    """
    fields = decode_leaf(leaf)
    return Entry(
        fields.sequence,
        parse_time(fields.time),
        fields.actor,
        fields.action,
        fields.subject.kind,
        fields.subject.id,
        fields.changes,
        None if fields.request is msgspec.UNSET else fields.request,
        leaf,
    )


def commitments_of(changes: Mapping[str, Json]) -> "Iterator[tuple[str, str]]":
    """(path, hex digest) of each commitment in `changes`, depth first in canonical order."""
    return _commitments(changes, "")


def _commitments(value: "Json | Mapping[str, Json]", path: str) -> "Iterator[tuple[str, str]]":
    if isinstance(value, Mapping):
        digest = value.get("commitment")
        if isinstance(digest, str) and len(value) == 1 and path:
            yield path, digest
            return
        for key, inner in value.items():
            yield from _commitments(inner, _join(path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _commitments(inner, _join(path, str(number)))


def _is_canonical(leaf: bytes, fields: Leaf) -> bool:
    # Sorting by bytes is sorting by UTF-16 code units as long as all is ASCII; and 16 digits in a row may be an
    # integer beyond 2**53. The slow way, the reference implementation, decides the rest.
    if leaf.isascii() and _LONG_NUMBER not in leaf.translate(_DIGITS):
        return _sorting_encoder.encode(fields) == leaf
    import rfc8785

    try:
        return rfc8785.dumps(msgspec.to_builtins(fields)) == leaf
    except rfc8785.CanonicalizationError:
        return False


def _check_word(name: str, text: str, limit_bytes: int) -> None:
    _check_text(name, text)
    if not text or len(text.encode()) > limit_bytes:
        raise UnsupportedValueError(name, text, f"it needs 1 to {limit_bytes} bytes of UTF-8")


def _check_text(name: str, text: str) -> None:
    if text.isascii():
        encodable = True
    else:
        # A str may hold half a surrogate pair, which UTF-8 cannot.
        encodable = not any("\ud800" <= character <= "\udfff" for character in text)
    if not encodable or "\0" in text:
        raise UnsupportedValueError(
            name, text, "text in the log may hold neither U+0000 nor lone surrogates; remove them"
        )


def _join(path: str, key: str) -> str:
    escaped = key.replace("~", "~0").replace("/", "~1")
    return f"{path}/{escaped}" if path else escaped


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _canonical(value: object, path: str, texts: list[SideText], salt: Callable[[], bytes]) -> Json:
    """`value` as Json with every object in RFC 8785's order; texts behind commitments are added to `texts`."""
    # Enum before str: a text enumeration is both.
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        _check_text(f"changes/{path}", value)
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise UnsupportedValueError(f"changes/{path}", value, "integers reach 2**53 - 1; pass a decimal string")
        return value
    if isinstance(value, Mapping):
        return _canonical_object(value, path, texts, salt)
    if isinstance(value, Committed):
        _check_text(f"changes/{path}", value.text)
        side = SideText(path, salt(), value.text)
        texts.append(side)
        return {"commitment": commitment(side.salt, side.text)}
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return format_time(value, f"changes/{path}")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        raise MeasuredValueError(path, value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_canonical(inner, _join(path, str(number)), texts, salt) for number, inner in enumerate(value)]
    raise UnsupportedValueError(
        f"changes/{path}", value, f"the log holds no {type(value).__name__}; pass text, such as a digest in hex"
    )


def _canonical_object(
    value: Mapping[object, object], path: str, texts: list[SideText], salt: Callable[[], bytes]
) -> dict[str, Json]:
    keys: list[str] = []
    for key in value:
        if not isinstance(key, str):
            raise UnsupportedValueError(f"changes/{path}", key, "names of an object are strings")
        _check_text(f"a name in changes/{path}", key)
        keys.append(str(key))
    if "commitment" in keys:
        raise UnsupportedValueError(
            f"changes/{path}", "commitment", "that name belongs to Committed text; choose another"
        )
    keys.sort(key=_utf16)
    return {key: _canonical(value[key], _join(path, key), texts, salt) for key in keys}
