"""What somebody could do to the log who has the database file, and even its signing key: done to copies of it.

Each attack takes a copy and leaves it as an attacker would. What catches it is `audit.verifier`, not this module.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import rfc8785

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.keys import Ed25519Signer
from audit.tables import drop_trigger_statements
from audit.tiles import FilledTile, TiledTree
from audit.tree import CompactRange, leaf_hash


def copy_database(source: Path, copy: Path) -> None:
    """A consistent copy of a SQLite database, whoever writes to it meanwhile."""
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(copy)) as target:
        opened.backup(target)


def triggers_refuse(copy: Path, sequence: int) -> str:
    """What the database itself says when somebody edits a row without having thought of its triggers."""
    with closing(sqlite3.connect(copy)) as connection:
        try:
            connection.execute("UPDATE acta_log_entry SET actor = 'somebody else' WHERE sequence = ?", [sequence])
        except sqlite3.IntegrityError as refusal:
            return str(refusal)
    return "nothing"


def edit_old_row(copy: Path, sequence: int, actor: str) -> None:
    """Make entry `sequence` say that `actor` did it: in the leaf, in its column, and in the hash stored beside them."""
    with _without_triggers(copy) as connection:
        leaf = _with_actor(connection, sequence, actor)
        connection.execute(
            "UPDATE acta_log_entry SET leaf = ?, actor = ?, leaf_hash = ? WHERE sequence = ?",
            [leaf, actor, leaf_hash(leaf), sequence],
        )


def rebuild(copy: Path, sequence: int, actor: str, stolen: Ed25519Signer) -> None:
    """Edit entry `sequence` likewise, then compute every tile and checkpoint anew and sign each with the log's key."""
    edit_old_row(copy, sequence, actor)
    with _without_triggers(copy) as connection:
        hashes = [row[0] for row in connection.execute("SELECT leaf_hash FROM acta_log_entry ORDER BY sequence")]
        sizes = connection.execute(
            "SELECT tree_size, created_at FROM acta_log_checkpoint ORDER BY tree_size"
        ).fetchall()
        connection.execute("DELETE FROM acta_log_tile")
        connection.execute("DELETE FROM acta_log_checkpoint")
        tree, edge = TiledTree(), CompactRange()
        for size, created_at in sizes:
            grown = hashes[tree.size : size]
            edge.extend(grown)
            connection.executemany("INSERT INTO acta_log_tile VALUES (?, ?, ?, ?)", map(_tile_row, tree.extend(grown)))
            note = sign_checkpoint(Checkpoint(stolen.verifier_key.name, size, tree.root()), stolen)
            connection.execute(
                "INSERT INTO acta_log_checkpoint (tree_size, root, note, frontier, created_at) VALUES (?, ?, ?, ?, ?)",
                [size, tree.root(), note, edge.frontier(), created_at],
            )


def cut_tail(copy: Path, sequence: int) -> int:
    """Cut off the log before entry `sequence`, at the checkpoint before it; how many entries are left."""
    with _without_triggers(copy) as connection:
        size: int = connection.execute(
            "SELECT max(tree_size) FROM acta_log_checkpoint WHERE tree_size <= ?", [sequence]
        ).fetchone()[0]
        connection.execute("DELETE FROM acta_log_entry WHERE sequence >= ?", [size])
        connection.execute("DELETE FROM acta_log_text WHERE sequence >= ?", [size])
        connection.execute("DELETE FROM acta_log_checkpoint WHERE tree_size > ?", [size])
        # A tile of level l covers 256 ** (l + 1) entries.
        for level, index in connection.execute("SELECT level, tile_index FROM acta_log_tile").fetchall():
            if (index + 1) * 256 ** (level + 1) > size:
                connection.execute("DELETE FROM acta_log_tile WHERE level = ? AND tile_index = ?", [level, index])
        return size


@contextmanager
def _without_triggers(copy: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody who owns the file: the triggers are dropped, as nothing can prevent."""
    with closing(sqlite3.connect(copy)) as connection:
        for statement in drop_trigger_statements("sqlite").values():
            connection.execute(statement)
        yield connection
        connection.commit()


def _with_actor(connection: sqlite3.Connection, sequence: int, actor: str) -> bytes:
    leaf: bytes = connection.execute("SELECT leaf FROM acta_log_entry WHERE sequence = ?", [sequence]).fetchone()[0]
    return rfc8785.dumps(json.loads(leaf) | {"actor": actor})


def _tile_row(tile: FilledTile) -> tuple[int, int, bytes, bytes]:
    return tile.level, tile.number, b"".join(tile.hashes), tile.root
