"""The manifest of a model version's files and the content digest. Values only: nothing is opened here.

The format is final. Whoever holds the files can compute the digest with a few lines of any language:

1. Take every regular file below the folder. A path is relative to the folder, with `/` between
   its parts, and its characters are taken as they are (no Unicode normalisation). A single file is
   a manifest of one path, its name. Folders without files leave no trace.
2. Sort by path, by Unicode code point. That is also the order of the UTF-8 bytes; it is *not* the
   UTF-16 order which RFC 8785 uses for the keys inside an object.
3. Write the list `[{"path": ..., "sha256": ..., "size": ...}, ...]` in the canonical JSON of RFC 8785,
   `sha256` in lower-case hexadecimal and `size` in bytes.
4. The content digest is the SHA-256 of those UTF-8 bytes.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import rfc8785

CHUNK_BYTES = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes to read in all."""

Sink = Callable[[str, bytes], None]
"""Called with a file's path and each chunk of it, in order; at least once for each file, the last time with none."""


class ContentError(ValueError):
    """The bytes of a model version could not be turned into a manifest."""


class ContentMissingError(ContentError):
    """There is nothing at the place named."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"There is no file or folder at {place!r}. Check the spelling and the rights to read it.")


class LinkRefusedError(ContentError):
    """A symbolic link or special file (device, pipe, socket) stands where bytes were expected."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path!r} is a link or a special file; replace it by a copy of the bytes it stands for.")


class EmptyContentError(ContentError):
    """A folder without a single file has no content to state."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"The folder {place!r} holds no file; name the folder that holds the model.")


class UnreadableNameError(ContentError):
    """A file name cannot be written into a manifest."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"The file name {path!r} is not a clean UTF-8 path; rename the file.")


class ContentChangedError(ContentError):
    """The files changed while they were read, so that no digest describes them."""

    def __init__(self, path: str, expected: str, found: str) -> None:
        self.path, self.expected, self.found = path, expected, found
        super().__init__(
            f"{path!r} changed while it was read: expected {expected}, found {found}. Try again when it is at rest."
        )


class OutsideRootsError(ContentError):
    """The place is not below one of the folders from which bytes may be read."""

    def __init__(self, uri: str, roots: Sequence[str]) -> None:
        self.uri, self.roots = uri, tuple(roots)
        allowed = ", ".join(self.roots) or "none is set"
        super().__init__(
            f"{uri!r} does not lie below an allowed root ({allowed}). "
            "Copy the model there, or have the operator add its root to ACTA_ARTIFACT_ROOTS."
        )


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file: `path` relative to the folder, `sha256` in lower-case hexadecimal, `size_bytes`."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of a model version, at least one, sorted by code point of their unique paths.

    Raises:
        ValueError: the files are none, unsorted or name a path twice.
    """

    files: tuple[ManifestFile, ...]

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if not paths or any(later <= earlier for earlier, later in pairwise(paths)):
            raise ValueError(f"A manifest needs files sorted by unique path, got {paths!r}.")

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)


def canonical_bytes(manifest: Manifest) -> bytes:
    """The RFC 8785 list whose SHA-256 is the content digest."""
    return rfc8785.dumps(
        [{"path": file.path, "sha256": file.sha256, "size": file.size_bytes} for file in manifest.files]
    )


def content_digest(manifest: Manifest) -> bytes:
    """The 32 bytes that name the content of a model version."""
    return hashlib.sha256(canonical_bytes(manifest)).digest()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a listing says of one file, before and after its bytes are read."""

    size_bytes: int
    version: str
    """Changes when the bytes do: inode and times of a local file, the entity tag of an object."""


OpenFile = Callable[[str], AbstractContextManager[BinaryIO]]


def read_manifest(
    listing: dict[str, Seen], opened: OpenFile, on_progress: Progress | None, sink: Sink | None = None
) -> Manifest:
    """Hash every file of a listing (at least one) in chunks of 1 MiB, and hand them to `sink`.

    Raises:
        ContentChangedError: a file has not as many bytes as the listing says.
    """
    total = sum(seen.size_bytes for seen in listing.values())
    done = 0
    files = []
    for path, seen in sorted(listing.items()):
        sha256 = hashlib.sha256()
        size = 0
        with opened(path) as stream:
            while size <= seen.size_bytes and (chunk := stream.read(CHUNK_BYTES)):
                sha256.update(chunk)
                size += len(chunk)
                if sink is not None:
                    sink(path, chunk)
                if on_progress is not None:
                    on_progress(min(done + size, total), total)
        if size != seen.size_bytes:
            found = f"{size} bytes" if size < seen.size_bytes else "more"
            raise ContentChangedError(path, f"{seen.size_bytes} bytes", found)
        if sink is not None:
            sink(path, b"")
        done += size
        files.append(ManifestFile(path, sha256.hexdigest(), size))
    return Manifest(tuple(files))


def require_unchanged(before: dict[str, Seen], after: dict[str, Seen]) -> None:
    """Raise ContentChangedError for the first path that came, went or changed between two listings."""
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            raise ContentChangedError(path, _described(before.get(path)), _described(after.get(path)))


def _described(seen: Seen | None) -> str:
    return "no file" if seen is None else f"{seen.size_bytes} bytes in state {seen.version}"


def is_clean(path: str) -> bool:
    """Whether a relative path can stand in a manifest: UTF-8, and no part that moves elsewhere."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return all(part not in ("", ".", "..") for part in path.split("/")) and "\0" not in path
