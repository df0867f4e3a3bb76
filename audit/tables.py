"""The log's four tables, and the triggers with which the database itself refuses to rewrite them.

Times are text as in the leaves (RFC 3339, 27 characters): both databases then hold the same bytes, and text order
is time order.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects import postgresql

__all__ = [
    "CHECKPOINT",
    "ENTRY",
    "METADATA",
    "TEXT",
    "TILE",
    "drop_trigger_statements",
    "trigger_statements",
]

METADATA = MetaData()

# On SQLite a primary key of this exact type is the row's own number, without a second index.
_Number = BigInteger().with_variant(Integer(), "sqlite")
# Byte order, so that comparing times does not depend on the language of the database.
_Time = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

ENTRY = Table(
    "acta_log_entry",
    METADATA,
    Column("sequence", _Number, primary_key=True, autoincrement=False),
    Column("time", _Time, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    # Canonical JSON; the columns before it repeat what filters need.
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Index("ix_acta_log_entry_time", "time"),
    Index("ix_acta_log_entry_actor", "actor", "sequence"),
    Index("ix_acta_log_entry_action", "action", "sequence"),
    Index("ix_acta_log_entry_subject", "subject_kind", "subject_id", "sequence"),
)

TEXT = Table(
    "acta_log_text",
    METADATA,
    Column("sequence", _Number, primary_key=True, autoincrement=False),
    Column("path", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
)
"""Deleting a row erases the text; that is why nothing refuses it."""

TILE = Table(
    "acta_log_tile",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile_index", BigInteger, primary_key=True, autoincrement=False),
    # Full tiles only: 256 hashes.
    Column("hashes", LargeBinary, nullable=False),
    # Root of the tile's complete subtree: one hash of the tile above it.
    Column("root", LargeBinary, nullable=False),
)

CHECKPOINT = Table(
    "acta_log_checkpoint",
    METADATA,
    Column("tree_size", _Number, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    # The signed note.
    Column("note", Text, nullable=False),
    # Hashes of the tree's largest complete subtrees, left to right: all that the next append needs.
    Column("frontier", LargeBinary, nullable=False),
    Column("created_at", _Time, nullable=False),
)

# What an INSERT must be, as a condition on the new row and what the refusal says.
_IN_ORDER = {
    "acta_log_entry": (
        "NEW.sequence = (SELECT coalesce(max(sequence) + 1, 0) FROM acta_log_entry)",
        "the next entry has the highest sequence number plus one",
    ),
    "acta_log_tile": (
        "NEW.tile_index = (SELECT coalesce(max(tile_index) + 1, 0) FROM acta_log_tile WHERE level = NEW.level)",
        "the next tile of a level has its highest index plus one",
    ),
    "acta_log_checkpoint": (
        "NEW.tree_size > (SELECT coalesce(max(tree_size), 0) FROM acta_log_checkpoint)",
        "the next checkpoint is of a larger tree",
    ),
    "acta_log_text": (
        "NOT EXISTS (SELECT 1 FROM acta_log_text WHERE sequence = NEW.sequence AND path = NEW.path)",
        "a side text is deleted, never replaced",
    ),
}
_KEPT = ("acta_log_entry", "acta_log_tile", "acta_log_checkpoint")


def trigger_statements(dialect_name: str) -> dict[str, str]:
    """Name of each trigger (and, on PostgreSQL, function) -> the statement that creates it, in order of creation.

    No statement holds a percent sign or a colon before a word, which drivers and SQLAlchemy take for parameters.

    `dialect_name`: "sqlite" or "postgresql".

    Raises:
        ValueError: another database.
    """
    if dialect_name == "sqlite":
        return _sqlite_triggers()
    if dialect_name == "postgresql":
        return _postgresql_triggers()
    raise ValueError(f"the log runs on sqlite and postgresql, not on {dialect_name}")


def drop_trigger_statements(dialect_name: str) -> dict[str, str]:
    """Name of each trigger and function -> the statement that drops it, in order of dropping."""
    names = reversed(trigger_statements(dialect_name))
    if dialect_name == "sqlite":
        return {name: f"DROP TRIGGER IF EXISTS {name}" for name in names}
    statements = {}
    for name in names:
        if name.endswith("()"):
            statements[name] = f"DROP FUNCTION IF EXISTS {name}"
        else:
            statements[name] = f"DROP TRIGGER IF EXISTS {name} ON {_table_of(name)}"
    return statements


def _table_of(trigger: str) -> str:
    return next(table for table in _IN_ORDER if trigger.startswith(f"{table}_"))


def _sqlite_triggers() -> dict[str, str]:
    statements = {}
    for table, (condition, rule) in _IN_ORDER.items():
        # "IS NOT TRUE" also refuses where the condition is unknown, as with NULL.
        statements[f"{table}_order"] = (
            f"CREATE TRIGGER {table}_order BEFORE INSERT ON {table} WHEN ({condition}) IS NOT TRUE "
            f"BEGIN SELECT RAISE(ABORT, '{table}: {rule}'); END"
        )
        statements[f"{table}_no_update"] = (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: rows are never changed'); END"
        )
    for table in _KEPT:
        statements[f"{table}_no_delete"] = (
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: rows are never deleted'); END"
        )
    return statements


def _postgresql_triggers() -> dict[str, str]:
    statements = {
        "acta_log_refuse()": (
            "CREATE FUNCTION acta_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION USING ERRCODE = 'restrict_violation', "
            "MESSAGE = TG_TABLE_NAME || ': rows are never changed or deleted (' || TG_OP || ' refused)'; END $$"
        )
    }
    for table, (condition, rule) in _IN_ORDER.items():
        statements[f"{table}_in_order()"] = (
            f"CREATE FUNCTION {table}_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF ({condition}) IS NOT TRUE THEN RAISE EXCEPTION '{table}: {rule}' "
            "USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
        )
        statements[f"{table}_order"] = (
            f"CREATE TRIGGER {table}_order BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_in_order()"
        )
        statements[f"{table}_no_update"] = (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION acta_log_refuse()"
        )
    for table in _KEPT:
        statements[f"{table}_no_delete"] = (
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION acta_log_refuse()"
        )
    return statements
