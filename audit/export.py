"""Writes a log into a folder that any tlog client reads, from a disk or from a plain web server.

Layout, after C2SP tlog-tiles: `checkpoint`, `tile/<level>/<index>[.p/<width>]`, `tile/entries/<index>[.p/<width>]`.
Besides: `key`, the verifier key; `checkpoints/<size>`, the earlier checkpoints; where it is wanted `texts.ndjson`, the
texts behind commitments, one line of JSON each; and `README.txt`, which says what all of it is.
"""

import base64
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp

import msgspec
from sqlalchemy import Connection, select

from audit.errors import NotInLogError
from audit.hashes import entry_bundle, tile_bytes
from audit.note import VerifierKey
from audit.reads import latest_checkpoint
from audit.served import CHECKPOINTS, KEY_FILE, TEXTS_FILE, TextLine
from audit.tables import CHECKPOINT, TEXT
from audit.tiles import TILE_WIDTH, TilePath, tile_paths, width_in

__all__ = ["export_log"]

Progress = Callable[[int, int], None]

_ROWS = 5_000
_README = """An audit log of {size} entries, exported as C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

checkpoint        the signed tree head (https://c2sp.org/tlog-checkpoint)
tile/             the hashes of the tree and, below tile/entries, the entries
checkpoints/      earlier checkpoints, by the size of the tree
texts.ndjson      if it is there: texts that entries only name by a salted hash; without it they are withheld
key               the log's verifier key. Compare it with the one that you have from elsewhere: whoever made this folder
                  could have put in another.

Verify it with Acta:  acta audit verify FOLDER --key KEY --from-checkpoint CHECKPOINT-THAT-YOU-KEPT
"""


def export_log(
    connection: Connection,
    folder: Path,
    key: VerifierKey,
    *,
    with_texts: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> int:
    """Write the log up to its newest checkpoint; the number of entries. The folder is there whole, or not at all.

    The connection is best in one read transaction. `progress`: files written, files in all.

    Raises:
        FileExistsError: there is something of that name already.
        NotInLogError: the log has no checkpoint yet, or lacks what its checkpoint says.
        OSError: it cannot be written.
    """
    latest = latest_checkpoint(connection)
    if latest is None:
        raise NotInLogError("The log has no entries yet.")
    size = latest.checkpoint.size
    if folder.exists():
        raise FileExistsError(f"{folder} exists already.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made.chmod(0o755)
        _write_tiles(connection, made, size, progress)
        _write_checkpoints(connection, made, size)
        if with_texts:
            _write_texts(connection, made, size)
        (made / KEY_FILE).write_text(f"{key}\n")
        (made / "README.txt").write_text(_README.format(size=size))
        (made / "checkpoint").write_text(latest.note)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return size


def _write_tiles(connection: Connection, folder: Path, size: int, progress: Progress) -> None:
    bundles = [TilePath(None, index, width_in(0, index, size)) for index in range(-(-size // TILE_WIDTH))]
    paths: Sequence[TilePath] = [*tile_paths(size), *bundles]
    for number, path in enumerate(paths, start=1):
        file = folder / str(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.level is None:
            file.write_bytes(entry_bundle(connection, path.index, path.width))
        else:
            file.write_bytes(tile_bytes(connection, path.level, path.index, path.width))
        progress(number, len(paths))


def _write_checkpoints(connection: Connection, folder: Path, size: int) -> None:
    (folder / CHECKPOINTS).mkdir()
    after = 0
    while True:
        query = (
            select(CHECKPOINT.c.tree_size, CHECKPOINT.c.note)
            .where(CHECKPOINT.c.tree_size > after, CHECKPOINT.c.tree_size < size)
            .order_by(CHECKPOINT.c.tree_size)
            .limit(_ROWS)
        )
        rows = connection.execute(query).all()
        if not rows:
            return
        for of, note in rows:
            (folder / CHECKPOINTS / str(of)).write_text(note)
        after = rows[-1][0]


def _write_texts(connection: Connection, folder: Path, size: int) -> None:
    with (folder / TEXTS_FILE).open("wb") as file:
        for first in range(0, size, _ROWS):
            query = (
                select(TEXT.c.sequence, TEXT.c.path, TEXT.c.salt, TEXT.c.text)
                .where(TEXT.c.sequence >= first, TEXT.c.sequence < min(first + _ROWS, size))
                .order_by(TEXT.c.sequence, TEXT.c.path)
            )
            for sequence, path, salt, text in connection.execute(query):
                line = TextLine(sequence, path, base64.b64encode(salt).decode(), text)
                file.write(msgspec.json.encode(line) + b"\n")
