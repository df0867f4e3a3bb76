"""Logs laid out as C2SP tlog-tiles: below the address of a web server, or in a folder that was exported.

Both hold `checkpoint`, `tile/<level>/<index>` and `tile/entries/<index>`. An exported folder (`audit.export`) also
holds the earlier checkpoints and, where its maker wanted that, the texts behind commitments.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import msgspec

from audit.checkpoint import read_checkpoint
from audit.errors import CheckpointError, SourceError
from audit.sources import Extent, StoredCheckpoint, StoredEntry, StoredText, StoredTile
from audit.tiles import TILE_WIDTH, TilePath, decode_bundle, hashes_at, width_in

__all__ = ["CHECKPOINTS", "KEY_FILE", "TEXTS_FILE", "FolderSource", "HttpSource", "TextLine"]

KEY_FILE = "key"
"""The verifier key, in an exported folder: for comparison with the one that an auditor has from elsewhere."""
TEXTS_FILE = "texts.ndjson"
CHECKPOINTS = "checkpoints"
"""The folder of earlier checkpoints: each file's name is the tree's size."""
MAX_RESPONSE_BYTES = TILE_WIDTH * (65_535 + 2)


class TextLine(msgspec.Struct, frozen=True):
    """One line of `texts.ndjson`: a text behind the commitment at `path` of an entry; the salt in base64."""

    sequence: int
    path: str
    salt: str
    text: str


class _Files(Protocol):
    """The files of a log, by their paths below its address."""

    where: str
    """The address, ending in a slash."""

    def get(self, path: str) -> bytes:
        """A file.

        Raises:
            SourceError: it is not there, or cannot be read.
        """


class _TiledSource:
    """What both kinds have in common. Columns beside the leaves, and roots beside the tiles, are not served."""

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._checkpoint = StoredCheckpoint(0, None, "")

    def extent(self) -> Extent:
        try:
            note = self._files.get("checkpoint").decode()
            size = read_checkpoint(note).size
        except (CheckpointError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._files.where}checkpoint holds no checkpoint: {error}") from None
        self._checkpoint = StoredCheckpoint(size, None, note)
        return Extent(size, size, size, None)

    def entries(self, after: int | None, limit: int) -> Sequence[StoredEntry]:
        first = 0 if after is None else after + 1
        end = min(first + limit, self._checkpoint.size)
        found: list[StoredEntry] = []
        for index in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
            width = width_in(0, index, self._checkpoint.size)
            path = TilePath(None, index, width)
            bundle = self._get_tile(path)
            try:
                leaves = decode_bundle(bundle)[:width]
            except ValueError as error:
                raise SourceError(f"{self._files.where}{path}: {error}.") from None
            if len(leaves) < width:
                raise SourceError(f"{self._files.where}{path} has only {len(leaves)} entries.")
            found += [
                StoredEntry(number, leaf, None, None, None, None, None, None)
                for number, leaf in enumerate(leaves, index * TILE_WIDTH)
                if first <= number < end
            ]
        return found

    def full_tiles(self, level: int, first: int, end: int) -> Sequence[StoredTile]:
        last = hashes_at(level, self._checkpoint.size) // TILE_WIDTH
        return [
            StoredTile(index, self._get_tile(TilePath(level, index)), None) for index in range(first, min(end, last))
        ]

    def partial_tile(self, path: TilePath) -> bytes | None:
        return self._get_tile(path)[: path.width * 32]

    def checkpoints(self, after: int, up_to: int) -> Sequence[StoredCheckpoint]:
        return [self._checkpoint] if after < self._checkpoint.size <= up_to else []

    def texts(self, first: int, end: int) -> Sequence[StoredText] | None:
        return None

    def _get_tile(self, path: TilePath) -> bytes:
        try:
            return self._files.get(str(path))
        except SourceError:
            if path.width == TILE_WIDTH:
                raise
            # A log may drop a partial tile once the full one exists.
            return self._files.get(str(TilePath(path.level, path.index)))


class _Server:
    """Files below an address. Redirects are not followed, so that the token reaches no other server."""

    def __init__(self, address: str, token: str | None, timeout_seconds: float) -> None:
        import httpx

        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.where = address
        self.client = httpx.Client(headers=headers, timeout=timeout_seconds)

    def get(self, path: str) -> bytes:
        import httpx

        url = self.where + path
        try:
            with self.client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise SourceError(f"{url} answered {response.status_code}.{_remedy(response.status_code)}")
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_RESPONSE_BYTES:
                        raise SourceError(f"{url} sent more than {MAX_RESPONSE_BYTES:,} bytes.")
                return bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{url} could not be read: {error}.") from None


class HttpSource(_TiledSource):
    """A log that a server serves below `<base_url>/log/`, as Acta does. Side texts are not served there."""

    MAX_RESPONSE_BYTES = MAX_RESPONSE_BYTES

    def __init__(self, base_url: str, token: str | None = None, timeout_seconds: float = 30.0) -> None:
        self._server = _Server(base_url.rstrip("/") + "/log/", token, timeout_seconds)
        super().__init__(self._server)

    def close(self) -> None:
        """Close the connections."""
        self._server.client.close()


class _Folder:
    """Files in a folder. Links are not followed out of it."""

    def __init__(self, folder: Path) -> None:
        self.where = f"{folder}/"
        self.folder = folder.resolve()

    def get(self, path: str) -> bytes:
        file = self.folder / path
        try:
            if not file.resolve().is_relative_to(self.folder):
                raise SourceError(f"{self.where}{path} leads out of the folder.")
            if file.stat().st_size > MAX_RESPONSE_BYTES:
                raise SourceError(f"{self.where}{path} has more than {MAX_RESPONSE_BYTES:,} bytes.")
            return file.read_bytes()
        except OSError as error:
            raise SourceError(f"{self.where}{path} could not be read: {error.strerror}.") from None


class FolderSource(_TiledSource):
    """A log that was exported into a folder, or copied there from a web server."""

    def __init__(self, folder: Path) -> None:
        self._folder = _Folder(folder)
        self._lines: Iterator[StoredText] | None = None
        self._ahead: StoredText | None = None
        self._read_up_to = 0
        super().__init__(self._folder)

    def checkpoints(self, after: int, up_to: int) -> Sequence[StoredCheckpoint]:
        newest = super().checkpoints(after, up_to)
        sizes = [size for size in self._sizes if after < size <= up_to and size != self._checkpoint.size]
        earlier = [StoredCheckpoint(size, None, self._note(size)) for size in sizes]
        return [*earlier, *newest]

    def texts(self, first: int, end: int) -> Sequence[StoredText] | None:
        if not (self._folder.folder / TEXTS_FILE).is_file():
            return None
        if self._lines is None or first < self._read_up_to:
            self._lines, self._ahead = self._text_lines(), None
        self._read_up_to = end
        found = []
        line = self._ahead or next(self._lines, None)
        while line is not None and line.sequence < end:
            if line.sequence >= first:
                found.append(line)
            line = next(self._lines, None)
        self._ahead = line
        return found

    def _text_lines(self) -> Iterator[StoredText]:
        """The lines of the file, which is in the order of the entries: a verifier asks in that order, too."""
        with (self._folder.folder / TEXTS_FILE).open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    read = msgspec.json.decode(line, type=TextLine)
                    yield StoredText(read.sequence, read.path, base64.b64decode(read.salt, validate=True), read.text)
                except (msgspec.DecodeError, ValueError) as error:
                    raise SourceError(f"{self._folder.where}{TEXTS_FILE}, line {number}: {error}.") from None

    @cached_property
    def _sizes(self) -> list[int]:
        """Of the earlier checkpoints, in order."""
        folder = self._folder.folder / CHECKPOINTS
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name) for name in names if re.fullmatch(r"[1-9][0-9]{0,18}", name))

    def _note(self, size: int) -> str:
        try:
            return self._folder.get(f"{CHECKPOINTS}/{size}").decode()
        except UnicodeDecodeError:
            raise SourceError(f"{self._folder.where}{CHECKPOINTS}/{size} is no text.") from None


def _remedy(status: int) -> str:
    return " It wants an API token that may read the log, from a file (--token-file)." if status in (401, 403) else ""
