"""Delegates, withdrawn answers, what approvals rest on, comments, emergency rollbacks, who trained a version."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACTORS = (
    ("acta_role_grant", "on_behalf_of"),
    ("acta_model_version", "trained_by"),
    ("acta_attestation", "on_behalf_of"),
    ("acta_attestation", "withdrawn_by"),
    ("acta_promotion_request", "handed_to"),
    ("acta_review", "on_behalf_of"),
)
"""Columns that name an actor."""

COLUMNS = (
    ("acta_role_grant", "expires_at", sa.DateTime(timezone=True)),
    ("acta_attestation", "rests_on", sa.JSON()),
    ("acta_attestation", "withdrawal_reason", sa.Text()),
    ("acta_promotion_request", "evidence", sa.JSON()),
    ("acta_review", "evidence", sa.JSON()),
    ("acta_review", "role_granted_by", sa.JSON()),
)


def upgrade() -> None:
    for table, column in ACTORS:
        _add_actor(table, column)
    for table, column, kind in COLUMNS:
        op.add_column(table, sa.Column(column, kind, nullable=True))
    op.create_table(
        "acta_promotion_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["acta_promotion_request.id"]),
        sa.ForeignKeyConstraint(["written_by"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_promotion_comment_request_id"), "acta_promotion_comment", ["request_id"])
    _create_rollbacks()


def _add_actor(table: str, column: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        # Alembic would add the foreign key by itself, which SQLite cannot; within the column it can.
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} CHAR(32) REFERENCES acta_actor (id)")
        return
    op.add_column(table, sa.Column(column, sa.Uuid(), sa.ForeignKey("acta_actor.id"), nullable=True))


def _create_rollbacks() -> None:
    op.create_table(
        "acta_rollback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=False),
        sa.Column("to_version_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewers", sa.Integer(), nullable=False),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reviewers >= 1", name="ck_rollback_reviewers"),
        sa.ForeignKeyConstraint(["model_id"], ["acta_registered_model.id"]),
        sa.ForeignKeyConstraint(["from_version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["to_version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["policy_id"], ["acta_policy.id"]),
        sa.ForeignKeyConstraint(["called_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_rollback_model_id"), "acta_rollback", ["model_id"])
    roles = (
        "'developer', 'validator', 'ethics reviewer', 'security reviewer', 'operations reviewer', 'risk officer', "
        "'auditor', 'administrator'"
    )
    op.create_table(
        "acta_rollback_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rollback_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"role IN ({roles})", name="ck_rollback_review_role"),
        sa.CheckConstraint("finding IN ('justified', 'not justified')", name="ck_rollback_review_finding"),
        sa.ForeignKeyConstraint(["rollback_id"], ["acta_rollback.id"]),
        sa.ForeignKeyConstraint(["reviewed_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rollback_id", "reviewed_by", name="uq_rollback_review_person"),
    )
    op.create_index(op.f("ix_acta_rollback_review_rollback_id"), "acta_rollback_review", ["rollback_id"])


def downgrade() -> None:
    op.drop_table("acta_rollback_review")
    op.drop_table("acta_rollback")
    op.drop_table("acta_promotion_comment")
    for table, column, _ in COLUMNS:
        op.drop_column(table, column)
    for table, name in ACTORS:
        op.drop_column(table, name)
