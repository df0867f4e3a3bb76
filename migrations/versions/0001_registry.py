"""The registry's tables: access, catalog, documents, assessments, policy, promotion, cards, jobs."""

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
        "acta_registered_model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("team", sa.String(length=250), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("intended_users", sa.Text(), nullable=True),
        sa.Column("out_of_scope", sa.Text(), nullable=True),
        sa.Column("limitations", sa.Text(), nullable=True),
        sa.Column("risk_profile", sa.JSON(), nullable=False),
        sa.Column("risk_tier", sa.String(length=50), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["acta_actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index(op.f("ix_acta_registered_model_team"), "acta_registered_model", ["team"], unique=False)
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
        "acta_model_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source_uri", sa.String(length=2000), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("digest_state", sa.String(), nullable=False),
        sa.Column("digest_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("framework", sa.String(length=250), nullable=False),
        sa.Column("framework_version", sa.String(length=250), nullable=True),
        sa.Column("run_id", sa.String(length=250), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("digest_state IN ('stated', 'verified', 'mismatch')", name="ck_model_version_digest_state"),
        sa.CheckConstraint(
            "stage IN ('none', 'development', 'staging', 'production', 'archived')", name="ck_model_version_stage"
        ),
        sa.CheckConstraint("length(content_digest) = 32", name="ck_model_version_digest"),
        sa.CheckConstraint("number >= 1", name="ck_model_version_number"),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["acta_registered_model.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model_id", "number", name="uq_model_version_number"),
    )
    op.create_index("ix_acta_model_version_created", "acta_model_version", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_acta_model_version_model_id"), "acta_model_version", ["model_id"], unique=False)
    op.create_index(op.f("ix_acta_model_version_run_id"), "acta_model_version", ["run_id"], unique=False)
    op.create_index("ix_acta_model_version_stage", "acta_model_version", ["stage"], unique=False)
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
    op.create_table(
        "acta_alias",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("alias", sa.String(length=250), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["acta_registered_model.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("model_id", "alias"),
    )
    op.create_index(op.f("ix_acta_alias_version_id"), "acta_alias", ["version_id"], unique=False)
    op.create_table(
        "acta_assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_name", sa.String(length=250), nullable=False),
        sa.Column("data_digest", sa.LargeBinary(), nullable=False),
        sa.Column("declared_digest", sa.LargeBinary(), nullable=True),
        sa.Column("data_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("result_digest", sa.LargeBinary(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("origin IN ('uploaded', 'recomputed')", name="ck_assessment_origin"),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name="ck_assessment_state"),
        sa.CheckConstraint("verdict IN ('pass', 'fail', 'inconclusive')", name="ck_assessment_verdict"),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["acta_job.id"],
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
    )
    op.create_index(op.f("ix_acta_assessment_version_id"), "acta_assessment", ["version_id"], unique=False)
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
        "acta_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts_digest", sa.LargeBinary(), nullable=True),
        sa.Column("facts_entry", sa.Integer(), nullable=True),
        sa.Column("pdf_digest", sa.LargeBinary(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'ready', 'failed')", name="ck_card_state"),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["acta_job.id"],
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
    )
    op.create_index(op.f("ix_acta_card_version_id"), "acta_card", ["version_id"], unique=False)
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
        "acta_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("file_name", sa.String(length=250), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_off_by", sa.Uuid(), nullable=True),
        sa.Column("signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_off_comment", sa.Text(), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(signed_off_by IS NULL) = (signed_off_at IS NULL)", name="ck_document_signed_off"),
        sa.CheckConstraint("length(digest) = 32", name="ck_document_digest"),
        sa.CheckConstraint("signed_off_by IS NULL OR signed_off_by <> uploaded_by", name="ck_document_four_eyes"),
        sa.ForeignKeyConstraint(
            ["signed_off_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["acta_document.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"],
            ["acta_actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_document_digest"), "acta_document", ["digest"], unique=False)
    op.create_index(op.f("ix_acta_document_version_id"), "acta_document", ["version_id"], unique=False)
    op.create_table(
        "acta_lineage_edge",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("identifier", sa.String(length=250), nullable=True),
        sa.CheckConstraint("kind IN ('dataset', 'code', 'run', 'environment', 'parent')", name="ck_lineage_edge_kind"),
        sa.CheckConstraint("role IN ('training', 'validation', 'test')", name="ck_lineage_edge_role"),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "position"),
    )
    op.create_index(op.f("ix_acta_lineage_edge_digest"), "acta_lineage_edge", ["digest"], unique=False)
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
        "acta_version_tag",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["acta_model_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "key"),
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
    op.drop_table("acta_version_tag")
    op.drop_index(
        "uq_acta_promotion_request_live",
        table_name="acta_promotion_request",
        sqlite_where=sa.text("state IN ('open', 'approved')"),
        postgresql_where=sa.text("state IN ('open', 'approved')"),
    )
    op.drop_index(op.f("ix_acta_promotion_request_version_id"), table_name="acta_promotion_request")
    op.drop_table("acta_promotion_request")
    op.drop_index(op.f("ix_acta_lineage_edge_digest"), table_name="acta_lineage_edge")
    op.drop_table("acta_lineage_edge")
    op.drop_index(op.f("ix_acta_document_version_id"), table_name="acta_document")
    op.drop_index(op.f("ix_acta_document_digest"), table_name="acta_document")
    op.drop_table("acta_document")
    op.drop_index("ix_acta_check_result_latest", table_name="acta_check_result")
    op.drop_table("acta_check_result")
    op.drop_index(op.f("ix_acta_card_version_id"), table_name="acta_card")
    op.drop_table("acta_card")
    op.drop_index("ix_acta_attestation_item", table_name="acta_attestation")
    op.drop_table("acta_attestation")
    op.drop_index(op.f("ix_acta_assessment_version_id"), table_name="acta_assessment")
    op.drop_table("acta_assessment")
    op.drop_index(op.f("ix_acta_alias_version_id"), table_name="acta_alias")
    op.drop_table("acta_alias")
    op.drop_index(op.f("ix_acta_session_token_id"), table_name="acta_session")
    op.drop_table("acta_session")
    op.drop_index("ix_acta_model_version_stage", table_name="acta_model_version")
    op.drop_index(op.f("ix_acta_model_version_run_id"), table_name="acta_model_version")
    op.drop_index(op.f("ix_acta_model_version_model_id"), table_name="acta_model_version")
    op.drop_index("ix_acta_model_version_created", table_name="acta_model_version")
    op.drop_table("acta_model_version")
    op.drop_index(op.f("ix_acta_token_actor_id"), table_name="acta_token")
    op.drop_table("acta_token")
    op.drop_index(op.f("ix_acta_role_grant_actor_id"), table_name="acta_role_grant")
    op.drop_table("acta_role_grant")
    op.drop_index(op.f("ix_acta_registered_model_team"), table_name="acta_registered_model")
    op.drop_table("acta_registered_model")
    op.drop_table("acta_policy")
    op.drop_index(op.f("ix_acta_job_subject_id"), table_name="acta_job")
    op.drop_index("ix_acta_job_due", table_name="acta_job")
    op.drop_table("acta_job")
    op.drop_index("ix_acta_idempotency_created_at", table_name="acta_idempotency")
    op.drop_table("acta_idempotency")
    op.drop_table("acta_actor")
