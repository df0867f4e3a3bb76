"""The audit log's tables, and the triggers with which the database refuses to rewrite them."""

import sqlalchemy as sa
from alembic import op

from audit.tables import drop_trigger_statements, trigger_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "acta_log_checkpoint",
        sa.Column("tree_size", NUMBER, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("tree_size"),
    )
    op.create_table(
        "acta_log_entry",
        sa.Column("sequence", NUMBER, autoincrement=False, nullable=False),
        sa.Column("time", sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("ix_acta_log_entry_action", "acta_log_entry", ["action", "sequence"], unique=False)
    op.create_index("ix_acta_log_entry_actor", "acta_log_entry", ["actor", "sequence"], unique=False)
    op.create_index(
        "ix_acta_log_entry_subject", "acta_log_entry", ["subject_kind", "subject_id", "sequence"], unique=False
    )
    op.create_index("ix_acta_log_entry_time", "acta_log_entry", ["time"], unique=False)
    op.create_table(
        "acta_log_text",
        sa.Column("sequence", NUMBER, autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", "path"),
    )
    op.create_table(
        "acta_log_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "tile_index"),
    )
    for statement in trigger_statements(op.get_bind().dialect.name).values():
        op.execute(sa.DDL(statement.replace("%", "%%")))


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM acta_log_entry LIMIT 1")).first():
        raise RuntimeError(
            "This downgrade would drop the entries of the audit log: export them and start a new database."
        )
    for statement in drop_trigger_statements(op.get_bind().dialect.name).values():
        op.execute(sa.DDL(statement.replace("%", "%%")))
    op.drop_table("acta_log_tile")
    op.drop_table("acta_log_text")
    op.drop_index("ix_acta_log_entry_time", table_name="acta_log_entry")
    op.drop_index("ix_acta_log_entry_subject", table_name="acta_log_entry")
    op.drop_index("ix_acta_log_entry_actor", table_name="acta_log_entry")
    op.drop_index("ix_acta_log_entry_action", table_name="acta_log_entry")
    op.drop_table("acta_log_entry")
    op.drop_table("acta_log_checkpoint")
