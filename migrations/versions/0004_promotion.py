"""The tables of policies, answers, check results, promotion requests, reviews and waivers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acta_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activated_by"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "version", name="uq_policy_name_version"),
    )
    op.create_table(
        "acta_attestation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("attested_by", sa.Uuid(), nullable=False),
        sa.Column("attested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('yes', 'no', 'not applicable')", name="ck_attestation_answer"),
        sa.ForeignKeyConstraint(
            ["attested_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acta_attestation_item", "acta_attestation", ["version_id", "item"], unique=False)
    op.create_table(
        "acta_check_result",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("check_name", sa.String(length=100), nullable=False),
        sa.Column("check_version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("inputs_digest", sa.LargeBinary(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('passed', 'failed', 'inconclusive', 'not applicable', 'error')", name="ck_check_result_outcome"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_acta_check_result_latest", "acta_check_result", ["version_id", "check_name", "checked_at"], unique=False
    )
    op.create_table(
        "acta_promotion_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("target_stage", sa.String(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("risk_tier", sa.String(length=50), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("executed_by", sa.Uuid(), nullable=True),
        sa.Column("gate", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'executed', 'rejected', 'withdrawn', 'expired', 'stale')",
            name="ck_promotion_request_state",
        ),
        sa.CheckConstraint(
            "target_stage IN ('none', 'development', 'staging', 'production', 'archived')",
            name="ck_promotion_request_target",
        ),
        sa.ForeignKeyConstraint(
            ["executed_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["acta_policy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        op.f("ix_acta_promotion_request_version_id"), "acta_promotion_request", ["version_id"], unique=False
    )
    op.create_index(
        "uq_acta_promotion_request_live",
        "acta_promotion_request",
        ["version_id", "target_stage"],
        unique=True,
        sqlite_where=sa.text("state IN ('open', 'approved')"),
        postgresql_where=sa.text("state IN ('open', 'approved')"),
    )
    op.create_table(
        "acta_waiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("compensating_measure", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("expires_at >= granted_at", name="ck_waiver_dates"),
        sa.ForeignKeyConstraint(
            ["granted_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acta_waiver_item", "acta_waiver", ["version_id", "item"], unique=False)
    op.create_table(
        "acta_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('approve', 'reject', 'ask for changes')", name="ck_review_decision"),
        sa.CheckConstraint(
            "role IN ('developer', 'validator', 'ethics reviewer', 'security reviewer', 'operations reviewer', 'risk officer', 'auditor', 'administrator')",
            name="ck_review_role",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["acta_promotion_request.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "reviewed_by", "role", name="uq_review_person_role"),
    )
    op.create_index(op.f("ix_acta_review_request_id"), "acta_review", ["request_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_acta_review_request_id"), table_name="acta_review")
    op.drop_table("acta_review")
    op.drop_index("ix_acta_waiver_item", table_name="acta_waiver")
    op.drop_table("acta_waiver")
    op.drop_index(
        "uq_acta_promotion_request_live",
        table_name="acta_promotion_request",
        sqlite_where=sa.text("state IN ('open', 'approved')"),
        postgresql_where=sa.text("state IN ('open', 'approved')"),
    )
    op.drop_index(op.f("ix_acta_promotion_request_version_id"), table_name="acta_promotion_request")
    op.drop_table("acta_promotion_request")
    op.drop_index("ix_acta_check_result_latest", table_name="acta_check_result")
    op.drop_table("acta_check_result")
    op.drop_index("ix_acta_attestation_item", table_name="acta_attestation")
    op.drop_table("acta_attestation")
    op.drop_table("acta_policy")
