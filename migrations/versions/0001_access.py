"""The tables of actors, roles, tokens, sessions, kept answers and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acta_actor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("email", sa.String(length=250), nullable=True),
        sa.Column("responsible_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'machine') = (responsible_id IS NOT NULL)", name="ck_actor_responsible"),
        sa.CheckConstraint("kind IN ('person', 'machine')", name="ck_actor_kind"),
        sa.ForeignKeyConstraint(
            ["responsible_id"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "acta_idempotency",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key"),
    )
    op.create_index("ix_acta_idempotency_created_at", "acta_idempotency", ["created_at"], unique=False)
    op.create_table(
        "acta_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("most_attempts", sa.Integer(), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_holder", sa.String(length=250), nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("progress_text", sa.String(length=250), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'succeeded', 'dead', 'cancelled')", name="ck_job_state"),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name="ck_job_progress"),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acta_job_due", "acta_job", ["state", "run_after"], unique=False)
    op.create_index(op.f("ix_acta_job_subject_id"), "acta_job", ["subject_id"], unique=False)
    op.create_table(
        "acta_role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_name", sa.String(length=250), nullable=True),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(scope_kind = 'all') = (scope_name IS NULL)", name="ck_role_grant_scope_name"),
        sa.CheckConstraint(
            "role IN ('developer', 'validator', 'ethics reviewer', 'security reviewer', 'operations reviewer', 'risk officer', 'auditor', 'administrator')",
            name="ck_role_grant_role",
        ),
        sa.CheckConstraint("scope_kind IN ('all', 'team', 'model')", name="ck_role_grant_scope_kind"),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["granted_by"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_role_grant_actor_id"), "acta_role_grant", ["actor_id"], unique=False)
    op.create_table(
        "acta_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.String(length=250), nullable=False),
        sa.Column("is_bootstrap", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index(op.f("ix_acta_token_actor_id"), "acta_token", ["actor_id"], unique=False)
    op.create_table(
        "acta_session",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["acta_token.id"],
        ),
        sa.PrimaryKeyConstraint("secret_hash"),
    )
    op.create_index(op.f("ix_acta_session_token_id"), "acta_session", ["token_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_acta_session_token_id"), table_name="acta_session")
    op.drop_table("acta_session")
    op.drop_index(op.f("ix_acta_token_actor_id"), table_name="acta_token")
    op.drop_table("acta_token")
    op.drop_index(op.f("ix_acta_role_grant_actor_id"), table_name="acta_role_grant")
    op.drop_table("acta_role_grant")
    op.drop_index(op.f("ix_acta_job_subject_id"), table_name="acta_job")
    op.drop_index("ix_acta_job_due", table_name="acta_job")
    op.drop_table("acta_job")
    op.drop_index("ix_acta_idempotency_created_at", table_name="acta_idempotency")
    op.drop_table("acta_idempotency")
    op.drop_table("acta_actor")
