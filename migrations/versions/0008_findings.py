"""The tables of findings, lapses, reviews in production and periodic jobs; a waiver may except a finding."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_findings()
    _create_lapses()
    op.create_table(
        "acta_periodic_job",
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    # Batch mode, because SQLite cannot loosen a column of an existing table.
    with op.batch_alter_table("acta_waiver") as waiver:
        waiver.alter_column("item", existing_type=sa.String(length=100), nullable=True)
        waiver.add_column(sa.Column("finding_id", sa.Uuid(), nullable=True))
        waiver.create_foreign_key("fk_waiver_finding", "acta_finding", ["finding_id"], ["id"])
        waiver.create_check_constraint("ck_waiver_subject", "(item IS NULL) <> (finding_id IS NULL)")
    op.create_index(op.f("ix_acta_waiver_finding_id"), "acta_waiver", ["finding_id"], unique=False)


def _create_findings() -> None:
    op.create_table(
        "acta_finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("check_name", sa.String(length=100), nullable=True),
        sa.Column("check_result_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remediation", sa.Text(), nullable=True),
        sa.Column("remediation_evidence", sa.Text(), nullable=True),
        sa.Column("remediated_by", sa.Uuid(), nullable=True),
        sa.Column("remediated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("severity IN ('critical', 'high', 'medium', 'low')", name="ck_finding_severity"),
        sa.CheckConstraint("state IN ('open', 'remediated', 'closed')", name="ck_finding_state"),
        sa.CheckConstraint("(opened_by IS NULL) = (check_name IS NOT NULL)", name="ck_finding_opened_by"),
        sa.CheckConstraint("(state = 'open') = (remediated_at IS NULL)", name="ck_finding_remediated"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_finding_closed"),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["owner_id"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["opened_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["check_result_id"], ["acta_check_result.id"]),
        sa.ForeignKeyConstraint(["remediated_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["closed_by"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version_id", "check_name", name="uq_finding_check"),
    )
    op.create_index("ix_acta_finding_version", "acta_finding", ["version_id", "state"], unique=False)
    op.create_index("ix_acta_finding_due", "acta_finding", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_acta_finding_owner_id"), "acta_finding", ["owner_id"], unique=False)


def _create_lapses() -> None:
    op.create_table(
        "acta_lapse",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("move_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("then_stage", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.String(), nullable=True),
        sa.CheckConstraint("then_stage IN ('staging', 'archived')", name="ck_lapse_then_stage"),
        sa.CheckConstraint("ended_as IN ('met again', 'moved', 'left production')", name="ck_lapse_ended_as"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ck_lapse_ended"),
        sa.CheckConstraint("(move_at IS NULL) = (then_stage IS NULL)", name="ck_lapse_follows"),
        sa.CheckConstraint("move_at IS NULL OR move_at >= flagged_at", name="ck_lapse_grace"),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["policy_id"], ["acta_policy.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_lapse_version_id"), "acta_lapse", ["version_id"], unique=False)
    op.create_index(
        "uq_acta_lapse_lasting",
        "acta_lapse",
        ["version_id", "requirement"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "acta_stage_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["reviewed_by"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_stage_review_version_id"), "acta_stage_review", ["version_id"], unique=False)


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM acta_waiver WHERE finding_id IS NOT NULL LIMIT 1")).first():
        raise RuntimeError("A downgrade would drop the waivers of findings.")
    op.drop_index(op.f("ix_acta_waiver_finding_id"), table_name="acta_waiver")
    with op.batch_alter_table("acta_waiver") as waiver:
        waiver.drop_constraint("ck_waiver_subject", type_="check")
        waiver.drop_constraint("fk_waiver_finding", type_="foreignkey")
        waiver.drop_column("finding_id")
        waiver.alter_column("item", existing_type=sa.String(length=100), nullable=False)
    op.drop_table("acta_periodic_job")
    op.drop_table("acta_stage_review")
    op.drop_table("acta_lapse")
    op.drop_table("acta_finding")
