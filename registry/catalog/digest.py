"""From a folder or a URI to the content digest of a model version.

`registry.catalog.manifest` states the format, `registry.catalog.local_files` reads local files; here are
the rules about which places may be read at all.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote

from registry.catalog.local_files import manifest_beneath, opened, opened_parent
from registry.catalog.manifest import (
    ContentChangedError,
    ContentError,
    ContentMissingError,
    EmptyContentError,
    LinkRefusedError,
    Manifest,
    ManifestFile,
    OutsideRootsError,
    Progress,
    Seen,
    Sink,
    UnreadableNameError,
    canonical_bytes,
    content_digest,
    is_clean,
    read_manifest,
    require_unchanged,
)

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = [
    "ContentChangedError",
    "ContentError",
    "ContentMissingError",
    "EmptyContentError",
    "LinkRefusedError",
    "Manifest",
    "ManifestFile",
    "OutsideRootsError",
    "UnreadableNameError",
    "canonical_bytes",
    "content_digest",
    "manifest_of_folder",
    "manifest_of_uri",
]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URI points: scheme, host (or bucket) and the parts of its path."""

    scheme: str
    host: str
    parts: tuple[str, ...]

    @property
    def path(self) -> str:
        """The absolute path inside the scheme and host."""
        return "/" + "/".join(self.parts)


def manifest_of_folder(path: Path, on_progress: Progress | None = None, sink: Sink | None = None) -> Manifest:
    """Read a folder, or a single file, in chunks of 1 MiB, which `sink` gets too.

    Links above `path` are followed, as the caller named them; `path` itself and all below are not.

    Raises:
        ContentMissingError: nothing is there, or it may not be read.
        LinkRefusedError: a link or special file is there or below.
        EmptyContentError: no file is below it.
        UnreadableNameError: a file name is not UTF-8.
        ContentChangedError: something changed between the first and the last look.
    """
    absolute = path.absolute()  # not resolve(): that would follow a link at the end
    with opened_parent(str(absolute.parent), str(path)) as parent:
        return manifest_beneath(parent, absolute.name or ".", str(path), on_progress, sink)


def manifest_of_uri(
    uri: str, roots: Sequence[str], on_progress: Progress | None = None, sink: Sink | None = None
) -> Manifest:
    """Read a folder or file at a `file:` or fsspec URI, or absolute path, below one of `roots`; `sink` gets the bytes.

    A root is the same kind of URI or path; it may itself be or contain links, because the operator
    chose it, but nothing between the root and the files may.

    Raises:
        OutsideRootsError: it is not below a root, or hides where it leads (`..`, encoded dots,
            user names, queries, chained file systems).
        ContentError: as `manifest_of_folder`.
    """
    place = _parse(uri)
    root = next((root for root in _allowed(roots) if place is not None and _lies_below(place, root)), None)
    if place is None or root is None:
        raise OutsideRootsError(uri, roots)
    if place.scheme == "file":
        return _manifest_below_root(root, place, uri, on_progress, sink)
    return _manifest_of_remote(uri, on_progress, sink)


def _allowed(roots: Sequence[str]) -> Iterator[_Place]:
    """Each root as it is written and, for a local one, as it is once its own links are followed."""
    for root in roots:
        place = _parse(root)
        if place is None:
            continue
        yield place
        if place.scheme == "file":
            yield _Place("file", "", Path(place.path).resolve().parts[1:])


def _lies_below(place: _Place, root: _Place) -> bool:
    same_system = (place.scheme, place.host) == (root.scheme, root.host)
    # Part by part, so that /data/models-evil does not lie below /data/models.
    return same_system and place.parts[: len(root.parts)] == root.parts


def _manifest_below_root(
    root: _Place, place: _Place, uri: str, on_progress: Progress | None, sink: Sink | None
) -> Manifest:
    below = place.parts[len(root.parts) :]
    with opened_parent(root.path, uri) as root_folder:
        if not below:
            return manifest_beneath(root_folder, ".", uri, on_progress, sink)
        with opened(root_folder, below[:-1], os.O_DIRECTORY, uri) as parent:
            return manifest_beneath(parent, below[-1], uri, on_progress, sink)


def _parse(uri: str) -> _Place | None:
    """The place a URI names, or None when it is ambiguous about where it leads."""
    scheme, mark, rest = uri.partition("://")
    if not mark and uri.startswith("file:/"):
        scheme, rest = "file", uri.removeprefix("file:")
    elif not mark:
        # A plain path: nothing in it is encoded.
        return _place("file", "", uri) if uri.startswith("/") else None
    # fsspec chains file systems with "::" ("zip://x::file:///etc"), and the others change what is asked for.
    if "::" in uri or any(character in rest for character in "?#@\\"):
        return None
    scheme = scheme.lower()
    if scheme in ("file", "local"):  # both are fsspec's names for the local file system
        host, slash, path = rest.partition("/")
        return _place("file", "", unquote(slash + path)) if host in ("", "localhost") else None
    host, slash, path = rest.partition("/")
    return _place(scheme, host, path)


def _place(scheme: str, host: str, path: str) -> _Place | None:
    parts = tuple(part for part in path.split("/") if part)
    if any(_is_hostile(part) for part in (host, *parts)):
        return None
    return _Place(scheme, host, parts)


def _is_hostile(part: str) -> bool:
    """Whether a part of a path, however often it is percent-decoded, moves elsewhere."""
    while True:
        if part in (".", "..") or "/" in part or not part.isprintable():
            return True
        decoded = unquote(part)
        if decoded == part:
            return False
        part = decoded


def _manifest_of_remote(uri: str, on_progress: Progress | None, sink: Sink | None) -> Manifest:
    """Manifest of a folder or object on any other file system that fsspec knows."""
    from fsspec.core import url_to_fs

    try:
        filesystem, base = cast("tuple[AbstractFileSystem, str]", url_to_fs(uri.rstrip("/")))
    except (ImportError, ValueError) as error:  # fsspec says which package reads this scheme, or that none does
        raise ContentError(f"{uri!r} cannot be read here: {error}") from error
    seen = _list_remote(filesystem, base, uri)
    folder = base.rpartition("/")[0] if filesystem.isfile(base) else base

    @contextmanager
    def stream(path: str) -> Iterator[BinaryIO]:
        with filesystem.open(f"{folder}/{path}", "rb") as file:
            yield cast(BinaryIO, file)

    try:
        manifest = read_manifest(seen, stream, on_progress, sink)
    except FileNotFoundError as error:
        raise ContentChangedError(str(error), "a file", "none") from error
    require_unchanged(seen, _list_remote(filesystem, base, uri))
    return manifest


def _list_remote(filesystem: "AbstractFileSystem", base: str, uri: str) -> dict[str, Seen]:
    """All files below `base` by relative path; a single file by its name."""
    filesystem.invalidate_cache()
    found: dict[str, Seen] = {}
    if filesystem.isfile(base):
        listing = {base: filesystem.info(base)}
        prefix = base.rpartition("/")[0] + "/"
    elif filesystem.isdir(base):
        listing = filesystem.find(base, withdirs=True, detail=True)
        prefix = base + "/"
    else:
        raise ContentMissingError(uri)
    for name, info in listing.items():
        if info["type"] == "directory":
            continue
        path = name.removeprefix(prefix)
        # A server may list what it likes: a name outside the folder, or one that climbs, is not ours.
        if not name.startswith(prefix) or not is_clean(path):
            raise UnreadableNameError(name)
        if info["type"] != "file" or info.get("islink"):
            raise LinkRefusedError(path)
        version = next(
            (str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "created") if key in info), ""
        )
        found[path] = Seen(info["size"], version)
    if not found:
        raise EmptyContentError(uri)
    return found
