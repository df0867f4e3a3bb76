"""Opens data for one scan by a DuckDB that can reach nothing else.

A path never becomes SQL: it is resolved to one regular file, which is the only one the database may open, and
goes to it as a parameter. Column names are taken from the data themselves and quoted.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

import msgspec

from fairness.errors import SourceChangedError, SourceError

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"
"""Of DuckDB, for the table of counts and its read buffers; nothing spills to disk."""

MAXIMUM_THREADS = 4

_GLOB = frozenset("*?[]{}\\")


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports Arrow data: frames of pandas, polars and pyarrow do."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Data = str | os.PathLike[str] | ArrowStream


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was assessed. `sha256_hex`: of the file's bytes; None for a frame in memory."""

    name: str | None
    format: str
    rows: int
    size_bytes: int | None = None
    sha256_hex: str | None = None


class Column(NamedTuple):
    """A column of the data."""

    name: str
    type: str
    """As DuckDB names it: `INTEGER`, `VARCHAR`, `DECIMAL(10,2)`."""


class Scan(NamedTuple):
    """An open connection and the relation that one query may read."""

    connection: "duckdb.DuckDBPyConnection"
    relation: str
    parameters: list[str]
    columns: tuple[Column, ...]


class _Stamp(NamedTuple):
    device: int
    inode: int
    size_bytes: int
    modified_ns: int


class File(NamedTuple):
    """A regular file that lies still while it is read."""

    path: Path
    format: str
    sha256_hex: str
    stamp: _Stamp

    def check_unchanged(self) -> None:
        """Refuse numbers of a file that was written since its digest was taken.

        Raises:
            SourceChangedError: size, time or identity differ.
        """
        if _stamp(self.path) != self.stamp:
            raise SourceChangedError(
                "data", self.path.name, "the file changed while it was read.", "Assess a file that is finished."
            )


def open_file(data: str | os.PathLike[str]) -> File:
    """Find the one file that a path or `file:` URI names, and take its digest.

    Raises:
        SourceError: not local, not there, not a regular file, a pattern, or neither Parquet nor CSV.
    """
    named = os.fspath(data)
    try:
        path = Path(_local_path(named)).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise SourceError("data", named, "there is no such file.", "Name one Parquet or CSV file.") from None
    if _GLOB & set(str(path)):
        raise SourceError(
            "data", named, "the path holds a character that stands for many files.", "Rename it or its folder."
        )
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("data", named, "that is not a regular file.", "Name one Parquet or CSV file.")
        with path.open("rb") as stream:
            head = stream.read(4)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SourceError("data", named, f"it cannot be read ({error.strerror}).", "Check its permissions.") from None
    return File(path, _format(path, head), digest, _Stamp(*_identity(status)))


def _local_path(named: str) -> str:
    parts = urlsplit(named)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    if "://" in named:
        raise SourceError("data", named, "only local files are read.", "Copy the file here and name its path.")
    return named


def _format(path: Path, head: bytes) -> str:
    if head == b"PAR1":
        return "parquet"
    names = [suffix.lower() for suffix in path.suffixes]
    if names[-1:] in ([".csv"], [".tsv"]) or names[-2:] in ([".csv", ".gz"], [".tsv", ".gz"]):
        return "csv"
    raise SourceError(
        "data", path.name, "it is neither Parquet nor named as CSV.", "Convert it to Parquet, or name it `….csv`."
    )


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _stamp(path: Path) -> _Stamp:
    try:
        return _Stamp(*_identity(path.stat()))
    except OSError:
        return _Stamp(-1, -1, -1, -1)


def quoted(name: str) -> str:
    """A column name as an SQL identifier: whatever it holds, it stays a name."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def scan_file(file: File) -> Iterator[Scan]:
    """A locked-down database that may read `file` and nothing else.

    Raises:
        SourceError: the bytes are not what the format promises.
    """
    reader = "read_parquet" if file.format == "parquet" else "read_csv"
    with _locked_database(file.path) as connection:
        # Hive partitioning would invent columns from the folders' names.
        yield _described(connection, f"{reader}(?, hive_partitioning = false)", [str(file.path)], file.path.name)


@contextmanager
def scan_frame(frame: ArrowStream, wanted: Sequence[str]) -> Iterator[Scan]:
    """A locked-down database that may read a frame and no file at all.

    Raises:
        SourceError: the frame does not convert to Arrow.
    """
    import pyarrow as pa

    try:
        # Only the columns in use: the others may hold objects that Arrow cannot.
        table = pa.table(_selected(frame, wanted))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError) as error:
        raise SourceError(
            "data",
            type(frame).__name__,
            f"the frame does not convert to Arrow ({error}).",
            "Give each column one type.",
        ) from None
    with _locked_database(None) as connection:
        connection.register("frame", table)
        yield _described(connection, "frame", [], type(frame).__name__)


def _selected(frame: ArrowStream, wanted: Sequence[str]) -> ArrowStream:
    names = [str(name) for name in getattr(frame, "columns", ()) if isinstance(name, str)]
    if not names:  # a pyarrow table: its columns are arrays, its names are elsewhere
        return frame
    chosen: ArrowStream = frame[[name for name in wanted if name in names]]  # type: ignore[index]  # pandas and polars
    return chosen


def frame_columns(frame: ArrowStream) -> tuple[str, ...]:
    """The names of a frame's columns, in pandas, polars and pyarrow alike."""
    names: Iterable[object] = getattr(frame, "column_names", getattr(frame, "columns", ()))
    return tuple(name for name in names if isinstance(name, str))


@contextmanager
def _locked_database(only: Path | None) -> Iterator["duckdb.DuckDBPyConnection"]:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": min(MAXIMUM_THREADS, os.cpu_count() or 1),
            "memory_limit": MEMORY_LIMIT,
            "max_temp_directory_size": "0B",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
        },
    )
    try:
        if only is not None:
            literal = str(only).replace("'", "''")
            connection.execute(f"SET allowed_paths = ['{literal}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def _described(connection: "duckdb.DuckDBPyConnection", relation: str, parameters: list[str], name: str) -> Scan:
    import duckdb

    try:
        # `relation` is one of three constants; what the caller named is in `parameters`.
        described = f"DESCRIBE SELECT * FROM {relation}"  # noqa: S608  # holds no text of the data
        rows = connection.execute(described, parameters).fetchall()
    except duckdb.Error as error:
        raise unreadable(name, error) from None
    return Scan(connection, relation, parameters, tuple(Column(str(row[0]), str(row[1])) for row in rows))


def unreadable(name: str, error: Exception) -> SourceError:
    """The error for bytes that DuckDB cannot read; its own first line, without the path."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return SourceError("data", name, f"its content cannot be read ({reason}).", "Write it again as Parquet or CSV.")
