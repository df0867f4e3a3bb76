"""The names of a data set's columns, read without the libraries that read the data.

A request is to be refused at once when it names a column that is not there, and DuckDB or pyarrow would cost each
server process a second and 50 MB. Parquet: the footer in Thrift's compact protocol (parquet-format, "File Format" and
`FileMetaData.schema`; thrift, `doc/specs/thrift-compact-protocol.md`). CSV: the first line.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from registry.errors import UnprocessableError

_FOOTER_BYTES = 2**20
"""As much of a footer as is read: the schema stands near its beginning."""
_HEADER_BYTES = 64 * 2**10
_DELIMITERS = ",;\t|"
_DEEPEST = 32

_TRUE, _FALSE, _BYTE, _I32, _BINARY, _LIST, _STRUCT = 1, 2, 3, 5, 8, 9, 12
"""Types of the compact protocol, as far as they have names here."""


def suffix_of(file_name: str) -> str:
    """How the name of a data set ends, where that says what it is: `.csv`, `.csv.gz`, `.tsv`, `.tsv.gz`, or nothing."""
    lowered = file_name.lower()
    return next((suffix for suffix in (".csv", ".csv.gz", ".tsv", ".tsv.gz") if lowered.endswith(suffix)), "")


def columns_of(file: BinaryIO, file_name: str) -> tuple[str, ...]:
    """The names of the columns; the file is left at its beginning.

    Raises:
        UnprocessableError: neither Parquet nor CSV, or damaged.
    """
    try:
        file.seek(0)
        if file.read(4) == b"PAR1":
            return _parquet_columns(file)
        suffix = suffix_of(file_name)
        if not suffix:
            raise UnprocessableError(
                "file",
                f"The file {file_name!r} is neither Parquet nor named as CSV.",
                "Send Parquet, or name it ….csv.",
            )
        file.seek(0)
        return _csv_columns(file, suffix)
    except (_FooterError, UnicodeDecodeError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise UnprocessableError(
            "file", f"The file {file_name!r} is damaged: its columns cannot be read ({error}).", "Write it again."
        ) from None
    finally:
        file.seek(0)


def _csv_columns(file: BinaryIO, suffix: str) -> tuple[str, ...]:
    head = gzip.GzipFile(fileobj=file).read(_HEADER_BYTES) if suffix.endswith(".gz") else file.read(_HEADER_BYTES)
    text = head.decode("utf-8-sig", errors="strict" if len(head) < _HEADER_BYTES else "replace")
    candidates = [next(csv.reader(io.StringIO(text), delimiter=delimiter), []) for delimiter in _DELIMITERS]
    names = max(candidates, key=len)
    if not names:
        raise UnprocessableError("file", "The file has no first line with the names of its columns.")
    return tuple(name.strip() for name in names)


class _FooterError(Exception):
    """The bytes are not a Parquet footer."""


def _parquet_columns(file: BinaryIO) -> tuple[str, ...]:
    size = file.seek(0, io.SEEK_END)
    if size < 12:
        raise _FooterError("it is cut off")
    file.seek(size - 8)
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != b"PAR1" or not 0 < length <= size - 12:
        raise _FooterError("it has no Parquet footer")
    file.seek(size - 8 - length)
    return _top_level(_Reader(file.read(min(length, _FOOTER_BYTES))).schema())


def _top_level(schema: list[tuple[str, int]]) -> tuple[str, ...]:
    """Names of the columns in a schema flattened depth first: (name, number of children), the root first."""
    if not schema:
        raise _FooterError("its schema is empty")
    names = []
    position = 1
    for _ in range(schema[0][1]):
        if position >= len(schema):
            raise _FooterError("its schema is cut off")
        names.append(schema[position][0])
        waiting = 1
        while waiting:
            if position >= len(schema):
                raise _FooterError("its schema is cut off")
            waiting += max(schema[position][1], 0) - 1
            position += 1
    return tuple(names)


class _Reader:
    """Reads Thrift's compact protocol, and skips what is not asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def schema(self) -> list[tuple[str, int]]:
        """`FileMetaData.schema` (field 2): (name, number of children) of each element."""
        for field, kind in self._fields():
            if field == 2 and kind == _LIST:
                size, element = self._list_header()
                if element != _STRUCT:
                    break
                return [self._element() for _ in range(size)]
            self._skip(kind, 0)
        raise _FooterError("it holds no schema")

    def _element(self) -> tuple[str, int]:
        """`SchemaElement`: field 4 is its name, field 5 its number of children."""
        name, children = "", 0
        for field, kind in self._fields():
            if field == 4 and kind == _BINARY:
                name = self._take(self._varint()).decode()
            elif field == 5 and kind == _I32:
                children = self._zigzag()
            else:
                self._skip(kind, 0)
        return name, children

    def _fields(self) -> Iterator[tuple[int, int]]:
        """(field id, type) of each field of a struct; the caller reads or skips the value before the next."""
        field = 0
        while header := self._take(1)[0]:
            field = field + (header >> 4) if header >> 4 else self._zigzag()
            yield field, header & 15

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise _FooterError("it is nested too deeply")
        match kind:
            case 1 | 2:  # true, false
                return
            case 3:  # byte
                self._take(1)
            case 4 | 5 | 6:  # integers of 16, 32, 64 bits
                self._varint()
            case 7:  # double
                self._take(8)
            case 8:  # binary
                self._take(self._varint())
            case 9 | 10:  # list, set
                size, element = self._list_header()
                for _ in range(size):
                    self._skip_element(element, depth)
            case 11:  # map
                size = self._varint()
                kinds = self._take(1)[0] if size else 0
                for _ in range(size):
                    self._skip_element(kinds >> 4, depth)
                    self._skip_element(kinds & 15, depth)
            case 12:  # struct
                for _, inner in self._fields():
                    self._skip(inner, depth + 1)
            case _:
                raise _FooterError(f"it holds an unknown type {kind}")

    def _skip_element(self, kind: int, depth: int) -> None:
        # Inside lists and maps a Boolean takes a byte; as a field, its type is its value.
        self._skip(_BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)

    def _list_header(self) -> tuple[int, int]:
        header = self._take(1)[0]
        size = header >> 4
        return (self._varint() if size == 15 else size), header & 15

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _FooterError("it holds a number of too many bytes")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise _FooterError("it is cut off")
        taken = self._data[self._at : end]
        self._at = end
        return taken
