"""Copies of model files for programs that look into them: what is hashed is what is copied, byte by byte."""

from collections.abc import Sequence
from pathlib import Path

from registry.catalog.digest import manifest_of_folder, manifest_of_uri
from registry.catalog.manifest import ContentError, Manifest


class CopyTooLargeError(ContentError):
    """There are more bytes than may be copied."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"It has more than the {limit_bytes:,} bytes that are copied for checks. "
            "Make it smaller, or have the operator raise ACTA_CHECK_LIMIT_BYTES."
        )


class _Copier:
    """Writes what it is handed below a folder; files are read-only once they are whole."""

    def __init__(self, folder: Path, limit_bytes: int | None) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.written = 0

    def __call__(self, path: str, chunk: bytes) -> None:
        self.written += len(chunk)
        if self.limit_bytes is not None and self.written > self.limit_bytes:
            raise CopyTooLargeError(self.limit_bytes)
        file = self.folder / path
        if not chunk and file.exists():
            file.chmod(0o400)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as opened:
            opened.write(chunk)


def copy_of_uri(uri: str, roots: Sequence[str], folder: Path, limit_bytes: int) -> Manifest:
    """Copy the files at a URI below one of `roots` into an empty folder.

    Raises:
        CopyTooLargeError: they have more than `limit_bytes`.
        ContentError: as `registry.catalog.digest.manifest_of_uri`.
    """
    return manifest_of_uri(uri, roots, sink=_Copier(folder, limit_bytes))


def copy_of_folder(source: Path, folder: Path) -> Manifest:
    """Copy a folder, or a single file, into an empty folder.

    Raises:
        ContentError: as `registry.catalog.digest.manifest_of_folder`.
    """
    return manifest_of_folder(source, sink=_Copier(folder, None))
