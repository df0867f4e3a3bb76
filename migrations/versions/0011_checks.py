"""What a bias assessment compared, and which export of known vulnerabilities counts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acta_vulnerability_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_vulnerability_export_digest")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_acta_vulnerability_export_read_at"), "acta_vulnerability_export", ["read_at"], unique=False
    )
    op.add_column("acta_assessment", sa.Column("compared", sa.JSON(), nullable=True))
    op.add_column("acta_assessment", sa.Column("accuracy", sa.String(length=250), nullable=True))
    op.create_index(
        "ix_acta_model_version_production",
        "acta_model_version",
        ["model_id", "number"],
        unique=False,
        sqlite_where=sa.text("stage = 'production'"),
        postgresql_where=sa.text("stage = 'production'"),
    )


def downgrade() -> None:
    op.drop_index("ix_acta_model_version_production", table_name="acta_model_version")
    op.drop_column("acta_assessment", "accuracy")
    op.drop_column("acta_assessment", "compared")
    op.drop_index(op.f("ix_acta_vulnerability_export_read_at"), table_name="acta_vulnerability_export")
    op.drop_table("acta_vulnerability_export")
