"""Reads Universal Binary JSON (https://ubjson.org, draft 12), as XGBoost writes it, into plain values."""

import struct
from collections.abc import Mapping

from registry.policy.checks.scanning.report import UnreadableFormatError

DEEPEST = 200
_NUMBERS: Mapping[bytes, struct.Struct] = {
    b"i": struct.Struct(">b"),
    b"U": struct.Struct(">B"),
    b"I": struct.Struct(">h"),
    b"l": struct.Struct(">i"),
    b"L": struct.Struct(">q"),
    b"d": struct.Struct(">f"),
    b"D": struct.Struct(">d"),
}
_INTEGERS = frozenset(b"iUIlL")
_CONSTANTS: Mapping[bytes, object] = {b"Z": None, b"T": True, b"F": False}


def read_ubjson(data: bytes) -> object:
    """The one value in `data`; an array of numbers of one type becomes the number of its items.

    Raises:
        UnreadableFormatError: it is no UBJSON, or has more behind it.
    """
    reader = _Reader(data)
    value = reader.value(reader.take(1), 0)
    if reader.position != len(data):
        raise UnreadableFormatError("it has bytes behind its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise UnreadableFormatError("it ends too early")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def value(self, marker: bytes, depth: int) -> object:
        if depth > DEEPEST:
            raise UnreadableFormatError(f"it is nested more than {DEEPEST} deep")
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            number = _NUMBERS[marker]
            return number.unpack(self.take(number.size))[0]
        if marker == b"S":
            return self.text()
        if marker == b"C":
            return self.take(1).decode("latin-1")
        if marker == b"[":
            return self.array(depth)
        if marker == b"{":
            return self.mapping(depth)
        raise UnreadableFormatError(f"it has the unknown marker {marker!r}")

    def text(self) -> str:
        try:
            return self.take(self.length()).decode()
        except UnicodeDecodeError as error:
            raise UnreadableFormatError("it has a text that is not UTF-8") from error

    def length(self) -> int:
        marker = self.take(1)
        length = self.value(marker, 0) if marker[0] in _INTEGERS else -1
        if not isinstance(length, int) or length < 0:
            raise UnreadableFormatError("it has a length that is none")
        return length

    def announced(self) -> tuple[bytes | None, int | None]:
        """The type and the number of a container's items, where it says so."""
        kind = None
        if self.data[self.position : self.position + 1] == b"$":
            self.take(1)
            kind = self.take(1)
        if self.data[self.position : self.position + 1] != b"#":
            if kind is not None:
                raise UnreadableFormatError("it gives the type of items without their number")
            return None, None
        self.take(1)
        return kind, self.length()

    def array(self, depth: int) -> object:
        kind, count = self.announced()
        if kind is not None and count is not None and kind in _NUMBERS:
            self.take(_NUMBERS[kind].size * count)
            return count
        items: list[object] = []
        while count is None or len(items) < count:
            marker = kind or self.take(1)
            if count is None and marker == b"]":
                break
            items.append(self.value(marker, depth + 1))
            if kind in _CONSTANTS:
                raise UnreadableFormatError("it repeats a constant, which takes no bytes")
        return items

    def mapping(self, depth: int) -> dict[str, object]:
        kind, count = self.announced()
        found: dict[str, object] = {}
        read = 0
        while count is None or read < count:
            if count is None and self.data[self.position : self.position + 1] == b"}":
                self.take(1)
                break
            name = self.text()
            found[name] = self.value(kind or self.take(1), depth + 1)
            read += 1
        return found
