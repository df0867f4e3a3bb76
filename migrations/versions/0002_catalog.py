"""The tables of models, versions, lineage, aliases and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_table("acta_version_tag")
    op.drop_index(op.f("ix_acta_lineage_edge_digest"), table_name="acta_lineage_edge")
    op.drop_table("acta_lineage_edge")
    op.drop_index(op.f("ix_acta_alias_version_id"), table_name="acta_alias")
    op.drop_table("acta_alias")
    op.drop_index("ix_acta_model_version_stage", table_name="acta_model_version")
    op.drop_index(op.f("ix_acta_model_version_run_id"), table_name="acta_model_version")
    op.drop_index(op.f("ix_acta_model_version_model_id"), table_name="acta_model_version")
    op.drop_index("ix_acta_model_version_created", table_name="acta_model_version")
    op.drop_table("acta_model_version")
    op.drop_index(op.f("ix_acta_registered_model_team"), table_name="acta_registered_model")
    op.drop_table("acta_registered_model")
