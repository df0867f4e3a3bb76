"""Stored bytes under their SHA-256, in a folder that any fsspec URL names.

A path follows from the digest alone, never from a name that somebody sent: `ab/cd/<64 hexadecimal digits>`. Bytes are
written under a temporary name and moved when they are whole, and checked against their digest whenever they are read.
Nothing is ever changed: bytes that no row names, left by a crash before the commit, do no harm.
"""

import errno
import hashlib
import io
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from registry.errors import TooLargeError, UnavailableError

CHUNK_BYTES = 2**20


class StorageCorruptedError(UnavailableError):
    """Stored bytes are missing, or no longer have the digest under which they were stored."""

    def __init__(self, digest: bytes, what: str) -> None:
        super().__init__(
            f"The stored bytes with SHA-256 {digest.hex()} {what}.", "Restore them from a backup of the storage."
        )
        self.digest = digest


@dataclass(frozen=True)
class Stored:
    """Bytes that are in the storage: their SHA-256 and how many they are."""

    digest: bytes
    size_bytes: int


class Storage:
    """One folder of stored bytes. `url`: a directory or any fsspec URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def put(self, data: bytes) -> bytes:
        """Store bytes; their SHA-256.

        Raises:
            UnavailableError: the disk is full, or the storage cannot be written.
        """
        return self.put_stream([data], len(data)).digest

    def put_stream(self, chunks: Iterable[bytes], limit_bytes: int) -> Stored:
        """Store bytes that come in pieces, and stop as soon as they are more than allowed.

        Raises:
            TooLargeError: more than `limit_bytes`; nothing is kept.
            UnavailableError: the disk is full, or the storage cannot be written.
        """
        temporary = self._below("incoming", uuid.uuid4().hex)
        hasher = hashlib.sha256()
        size = 0
        with self._translated():
            self._system.makedirs(self._below("incoming"), exist_ok=True)
            try:
                with self._system.open(temporary, "wb") as file:
                    for chunk in chunks:
                        size += len(chunk)
                        if size > limit_bytes:
                            raise too_large(limit_bytes)
                        hasher.update(chunk)
                        file.write(chunk)
                    self._sync(file)
                final = self._path(hasher.digest())
                self._system.makedirs(final.rsplit("/", 1)[0], exist_ok=True)
                self._system.mv(temporary, final)
                self._sync_directory(final.rsplit("/", 1)[0])
            except BaseException:
                self._discard(temporary)
                raise
        return Stored(hasher.digest(), size)

    def get(self, digest: bytes) -> bytes:
        """The bytes with that SHA-256, checked.

        Raises:
            StorageCorruptedError: they are missing or changed.
            UnavailableError: the storage cannot be read.
        """
        buffer = io.BytesIO()
        self._copy(digest, buffer)
        return buffer.getvalue()

    @contextmanager
    def local_path(self, digest: bytes, suffix: str = "") -> Iterator[Path]:
        """A file with those bytes, checked, for as long as the context lasts; read it only.

        `suffix`: how its name ends, for programs that go by it.

        Raises:
            StorageCorruptedError: the bytes are missing or changed.
            UnavailableError: the storage cannot be read, or the disk is full.
        """
        if self._is_local and not suffix:
            self._copy(digest, None)
            yield Path(self._path(digest))
            return
        with tempfile.TemporaryDirectory(prefix="acta-") as directory:
            path = Path(directory) / f"{digest.hex()}{suffix}"
            with path.open("wb") as file:
                self._copy(digest, file)
            yield path

    @contextmanager
    def open(self, digest: bytes) -> Iterator[BinaryIO]:
        """A file of those bytes, checked before the first is handed out.

        Raises:
            StorageCorruptedError: they are missing or changed.
            UnavailableError: the storage cannot be read.
        """
        with self.local_path(digest) as path, path.open("rb") as file:
            yield file

    @property
    def is_made(self) -> bool:
        """False of a local folder in which nothing was ever stored.

        Raises:
            UnavailableError: there is no such kind of storage.
        """
        return not self._is_local or bool(self._system.exists(self._below()))

    def check(self) -> None:
        """Write, read and remove a few bytes.

        Raises:
            UnavailableError: one of these does not work.
        """
        path = self._below("incoming", uuid.uuid4().hex)
        with self._translated():
            self._system.makedirs(self._below("incoming"), exist_ok=True)
            self._system.pipe_file(path, b"acta")
            whole = self._system.cat_file(path) == b"acta"
            self._system.rm_file(path)
        if not whole:
            raise UnavailableError("The storage does not give back what was written.", "Check ACTA_STORAGE_URL.")

    @cached_property
    def _resolved(self) -> tuple[Any, str]:
        import fsspec

        try:
            system, root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise UnavailableError(f"The storage cannot be used: {error}", "Check ACTA_STORAGE_URL.") from error
        return system, str(root).rstrip("/")

    @property
    def _system(self) -> Any:  # noqa: ANN401 (fsspec has no types)
        return self._resolved[0]

    @property
    def _is_local(self) -> bool:
        from fsspec.implementations.local import LocalFileSystem

        return isinstance(self._system, LocalFileSystem)

    def _below(self, *parts: str) -> str:
        return "/".join((self._resolved[1], *parts))

    def _path(self, digest: bytes) -> str:
        text = digest.hex()
        return self._below(text[:2], text[2:4], text)

    def _copy(self, digest: bytes, target: BinaryIO | None) -> None:
        """Read all bytes, into `target` where there is one, and check them."""
        hasher = hashlib.sha256()
        with self._translated():
            try:
                with self._system.open(self._path(digest), "rb") as file:
                    while chunk := file.read(CHUNK_BYTES):
                        hasher.update(chunk)
                        if target is not None:
                            target.write(chunk)
            except FileNotFoundError:
                raise StorageCorruptedError(digest, "are missing") from None
        if hasher.digest() != digest:
            raise StorageCorruptedError(digest, "were changed: they no longer have that digest")

    def _sync(self, file: Any) -> None:  # noqa: ANN401 (fsspec has no types)
        if self._is_local:
            file.flush()
            os.fsync(file.fileno())

    def _sync_directory(self, directory: str) -> None:
        if self._is_local:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _discard(self, temporary: str) -> None:
        try:
            self._system.rm_file(temporary)
        except OSError:
            # A left-over of an unfinished upload; what went wrong first is what the caller has to know.
            return

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise UnavailableError(
                    "The disk of the storage is full; nothing was kept.", "Free some space and try again."
                ) from error
            raise UnavailableError(
                f"The storage does not answer ({error.strerror or error}).",
                "Check ACTA_STORAGE_URL, the folder and its owner.",
            ) from error


def too_large(limit_bytes: int) -> TooLargeError:
    """The refusal of more bytes than allowed."""
    return TooLargeError(
        f"These are more than the {limit_bytes:,} bytes that are allowed.",
        "Send less, or ask the administrator to raise the limit.",
    )
