"""The tables of documents, bias assessments and model cards."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_index(op.f("ix_acta_document_version_id"), table_name="acta_document")
    op.drop_index(op.f("ix_acta_document_digest"), table_name="acta_document")
    op.drop_table("acta_document")
    op.drop_index(op.f("ix_acta_card_version_id"), table_name="acta_card")
    op.drop_table("acta_card")
    op.drop_index(op.f("ix_acta_assessment_version_id"), table_name="acta_assessment")
    op.drop_table("acta_assessment")
