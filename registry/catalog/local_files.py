"""Reading files below an open folder without ever following a link.

A link could make the same digest mean other bytes tomorrow, or lead out of the folder: links and
special files are refused. Every file is opened part by part with `O_NOFOLLOW`, starting at one open
folder, so that swapping a folder for a link while it is read leads nowhere either. POSIX only.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from registry.catalog.manifest import (
    ContentMissingError,
    EmptyContentError,
    LinkRefusedError,
    Manifest,
    Progress,
    Seen,
    Sink,
    UnreadableNameError,
    is_clean,
    read_manifest,
    require_unchanged,
)


def manifest_beneath(
    parent: int, name: str, shown: str, on_progress: Progress | None, sink: Sink | None = None
) -> Manifest:
    """Manifest of `name` in the open folder `parent`; errors show the place as `shown`."""
    try:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError as error:
        raise ContentMissingError(shown) from error
    if stat.S_ISREG(status.st_mode):
        if not is_clean(name):
            raise UnreadableNameError(name)
        seen = {name: _seen(status)}
        manifest = read_manifest(seen, lambda path: _stream(parent, path), on_progress, sink)
        require_unchanged(seen, {name: _seen(os.stat(name, dir_fd=parent, follow_symlinks=False))})
        return manifest
    if not stat.S_ISDIR(status.st_mode):
        raise LinkRefusedError(shown)
    with opened(parent, (name,), os.O_DIRECTORY, shown) as folder:
        seen = _list_folder(folder)
        if not seen:
            raise EmptyContentError(shown)
        manifest = read_manifest(seen, lambda path: _stream(folder, path), on_progress, sink)
        require_unchanged(seen, _list_folder(folder))
    return manifest


def _list_folder(folder: int) -> dict[str, Seen]:
    """All regular files below an open folder; anything but files and folders is refused."""
    seen: dict[str, Seen] = {}
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        with opened(folder, parts, os.O_DIRECTORY, "/".join(parts)) as current, os.scandir(current) as entries:
            for entry in entries:
                path = "/".join((*parts, entry.name))
                if not is_clean(path):
                    raise UnreadableNameError(path)
                status = os.stat(entry.name, dir_fd=current, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append((*parts, entry.name))
                elif stat.S_ISREG(status.st_mode):
                    seen[path] = _seen(status)
                else:
                    raise LinkRefusedError(path)
    return seen


def _seen(status: os.stat_result) -> Seen:
    return Seen(status.st_size, f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}:{status.st_ctime_ns}")


@contextmanager
def opened_parent(path: str, shown: str) -> Iterator[int]:
    """An open folder that the caller or operator named: links in it are theirs, and followed."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ContentMissingError(shown) from error
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def opened(folder: int, parts: Sequence[str], kind: int, shown: str) -> Iterator[int]:
    """Open `parts` below an open folder one by one, following no link; O_NONBLOCK so that a pipe cannot hang us."""
    current = os.dup(folder)
    try:
        for depth, part in enumerate(parts or (".",), start=1):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            flags |= os.O_DIRECTORY if depth < len(parts) else kind
            try:
                following = os.open(part, flags, dir_fd=current)
            except FileNotFoundError as error:
                raise ContentMissingError(shown) from error
            except PermissionError as error:
                raise ContentMissingError(shown) from error
            except OSError as error:  # ELOOP for a link, ENOTDIR where a folder became something else
                raise LinkRefusedError(shown) from error
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


@contextmanager
def _stream(folder: int, path: str) -> Iterator[BinaryIO]:
    with opened(folder, path.split("/"), 0, path) as file:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise LinkRefusedError(path)
        with os.fdopen(os.dup(file), "rb", buffering=0) as stream:
            yield stream
