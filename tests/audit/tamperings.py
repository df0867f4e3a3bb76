"""Ways to tamper with a log whose triggers were dropped, and the problems that verifying it names."""

from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate

from sqlalchemy import text

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.entry import compose
from audit.keys import Ed25519Signer
from audit.reads import checkpoint_at
from audit.tables import CHECKPOINT, ENTRY, TILE
from audit.tree import leaf_hash, root_hash
from audit.verification import ProblemKind
from tests.audit.examples import ORIGIN, SIGNER, START, counted_salts, draft

BATCHES = [1, 2, 253, 1, 300, 20, 1]
SIZE = sum(BATCHES)


def forged_leaf(number: int, **fields) -> bytes:
    base = draft(number)
    values = {
        name: getattr(base, name) for name in ("actor", "action", "subject_kind", "subject_id", "changes", "request")
    }
    changed = type(base)(**values | fields)
    first_of_batch = max(first for first in accumulate(BATCHES, initial=0) if first <= number)
    return compose(changed, number, START + timedelta(seconds=first_of_batch), counted_salts())[0].leaf


def edit_leaf(connection) -> None:
    connection.execute(ENTRY.update().where(ENTRY.c.sequence == 7), {"leaf": forged_leaf(7, actor="nobody")})


def edit_leaf_and_row(connection) -> None:
    leaf = forged_leaf(7, actor="nobody")
    row = {"leaf": leaf, "leaf_hash": leaf_hash(leaf), "actor": "nobody"}
    connection.execute(ENTRY.update().where(ENTRY.c.sequence == 7), row)


def edit_last_leaf_and_row(connection) -> None:
    leaf = forged_leaf(SIZE - 1, actor="nobody")
    row = {"leaf": leaf, "leaf_hash": leaf_hash(leaf), "actor": "nobody"}
    connection.execute(ENTRY.update().where(ENTRY.c.sequence == SIZE - 1), row)


def edit_everything_but_checkpoints(connection) -> None:
    edit_leaf_and_row(connection)
    hashes = list(
        connection.execute(ENTRY.select().where(ENTRY.c.sequence < 256).order_by(ENTRY.c.sequence)).mappings()
    )
    tile = [row["leaf_hash"] for row in hashes]
    values = {"hashes": b"".join(tile), "root": root_hash(tile)}
    connection.execute(TILE.update().where(TILE.c.level == 0, TILE.c.tile_index == 0), values)


def swap_entries(connection) -> None:
    rows = {
        row["sequence"]: dict(row)
        for row in connection.execute(ENTRY.select().where(ENTRY.c.sequence.in_([7, 8]))).mappings()
    }
    for here, there in ((7, 8), (8, 7)):
        values = {name: value for name, value in rows[there].items() if name != "sequence"}
        connection.execute(ENTRY.update().where(ENTRY.c.sequence == here), values)


def turn_time_back(connection) -> None:
    leaf = compose(draft(300), 300, START - timedelta(days=1), counted_salts())[0].leaf
    row = {"leaf": leaf, "leaf_hash": leaf_hash(leaf), "time": "2026-11-23T09:00:00.000000Z"}
    connection.execute(ENTRY.update().where(ENTRY.c.sequence == 300), row)


def note_of_stranger(connection) -> None:
    stranger = Ed25519Signer.of_seed(ORIGIN, bytes(32))
    checkpoint = checkpoint_at(connection, 256).checkpoint
    values = {"note": sign_checkpoint(checkpoint, stranger)}
    connection.execute(CHECKPOINT.update().where(CHECKPOINT.c.tree_size == 256), values)


def signed_lie(connection) -> None:
    lie = Checkpoint(ORIGIN, 256, bytes(32))
    values = {"note": sign_checkpoint(lie, SIGNER), "root": lie.root}
    connection.execute(CHECKPOINT.update().where(CHECKPOINT.c.tree_size == 256), values)


def sql(statement: str) -> Callable:
    return lambda connection: connection.execute(text(statement))


K = ProblemKind
SIDE = "WHERE sequence = 2 AND path = 'reason'"
# What is done, with the triggers dropped -> the problems named: (kind, entry, checkpoint's size).
TAMPERINGS = {
    "leaf": (edit_leaf, [(K.LEAF, 7, None)]),
    "leaf that is no JSON": (
        lambda c: c.execute(ENTRY.update().where(ENTRY.c.sequence == 7), {"leaf": b"x", "leaf_hash": leaf_hash(b"x")}),
        [(K.LEAF, 7, None), (K.CHECKPOINT, 3, 256), (K.TILE, 7, None)],
    ),
    "leaf, hash and columns": (edit_leaf_and_row, [(K.CHECKPOINT, 3, 256), (K.TILE, 7, None)]),
    "last leaf, hash and columns": (edit_last_leaf_and_row, [(K.CHECKPOINT, SIZE - 1, SIZE)]),
    "leaf, hash, columns and tile": (edit_everything_but_checkpoints, [(K.CHECKPOINT, 3, 256)]),
    "column": (sql("UPDATE acta_log_entry SET actor = 'nobody' WHERE sequence = 7"), [(K.ROW, 7, None)]),
    "time column": (
        sql("UPDATE acta_log_entry SET time = '2026-01-01T00:00:00.000000Z' WHERE sequence = 7"),
        [(K.ROW, 7, None)],
    ),
    "stored hash": (
        sql("UPDATE acta_log_entry SET leaf_hash = leaf WHERE sequence = 570"),
        [(K.LEAF, 570, None), (K.CHECKPOINT, 557, 577)],
    ),
    "deleted entry": (sql("DELETE FROM acta_log_entry WHERE sequence = 7"), [(K.MISSING, 7, None)]),
    "deleted entries": (sql("DELETE FROM acta_log_entry WHERE sequence < 9"), [(K.MISSING, 0, None)]),
    "deleted last entry": (
        sql(f"DELETE FROM acta_log_entry WHERE sequence = {SIZE - 1}"),
        [(K.CHECKPOINT, SIZE - 1, SIZE)],
    ),
    "all entries deleted": (
        sql("DELETE FROM acta_log_entry"),
        [(K.CHECKPOINT, 0, SIZE), (K.TILE, None, None)],
    ),
    "swapped entries": (
        swap_entries,
        [(K.LEAF, 7, None), (K.LEAF, 8, None), (K.CHECKPOINT, 3, 256), (K.TILE, 7, None)],
    ),
    "time turned back": (turn_time_back, [(K.TIME, 300, None), (K.CHECKPOINT, 257, 557), (K.TILE, 300, None)]),
    "tile": (sql("UPDATE acta_log_tile SET hashes = root WHERE tile_index = 1"), [(K.TILE, 256, None)]),
    "tile's root": (sql("UPDATE acta_log_tile SET root = hashes WHERE tile_index = 1"), [(K.TILE, 256, None)]),
    "deleted tile": (
        sql("DELETE FROM acta_log_tile WHERE tile_index = 1"),
        [(K.TILE, 256, None), (K.TILE, None, None)],
    ),
    "surplus tile": (
        sql("INSERT INTO acta_log_tile SELECT 3, tile_index, hashes, root FROM acta_log_tile WHERE tile_index = 1"),
        [(K.TILE, None, None)],
    ),
    "note": (
        sql("UPDATE acta_log_checkpoint SET note = replace(note, '256', '255') WHERE tree_size = 256"),
        [(K.CHECKPOINT, None, 256)],
    ),
    "empty note": (sql("UPDATE acta_log_checkpoint SET note = '' WHERE tree_size = 3"), [(K.CHECKPOINT, None, 3)]),
    "another checkpoint's note": (
        sql(
            "UPDATE acta_log_checkpoint SET note = (SELECT note FROM acta_log_checkpoint WHERE tree_size = 3) "
            "WHERE tree_size = 256"
        ),
        [(K.CHECKPOINT, None, 256)],
    ),
    "root beside the note": (
        sql("UPDATE acta_log_checkpoint SET root = frontier WHERE tree_size = 3"),
        [(K.CHECKPOINT, None, 3)],
    ),
    "note of another key": (note_of_stranger, [(K.CHECKPOINT, None, 256)]),
    "signed lie": (signed_lie, [(K.CHECKPOINT, 3, 256)]),
    "deleted newest checkpoint": (
        sql(f"DELETE FROM acta_log_checkpoint WHERE tree_size = {SIZE}"),
        [(K.CHECKPOINT, SIZE - 1, SIZE - 1)],
    ),
    "side text": (sql(f"UPDATE acta_log_text SET text = 'x' {SIDE}"), [(K.TEXT, 2, None)]),
    "salt": (sql(f"UPDATE acta_log_text SET salt = '' {SIDE}"), [(K.TEXT, 2, None)]),
    "surplus side text": (
        sql(f"INSERT INTO acta_log_text SELECT 4, path, salt, text FROM acta_log_text {SIDE}"),
        [(K.TEXT, 4, None)],
    ),
}
