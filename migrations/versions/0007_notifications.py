"""The tables of webhooks, notifications and alerts, and of monitoring plans and profiles of training data."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acta_alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("plan_revision", sa.Integer(), nullable=False),
        sa.Column("route_digest", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="ck_alert_acknowledged"),
        sa.CheckConstraint("expires_at > raised_at", name="ck_alert_dates"),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["owner_id"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["raised_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_alert_version_id"), "acta_alert", ["version_id"], unique=False)
    op.create_table(
        "acta_webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=250), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_name", sa.String(length=250), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope_kind IN ('all', 'team', 'model')", name="ck_webhook_scope_kind"),
        sa.CheckConstraint("(scope_kind = 'all') = (scope_name IS NULL)", name="ck_webhook_scope_name"),
        sa.ForeignKeyConstraint(["created_by"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "acta_notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("subject_kind", sa.String(length=50), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=250), nullable=True),
        sa.Column("team", sa.String(length=250), nullable=True),
        sa.Column("persons", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["acta_alert.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acta_notification_subject", "acta_notification", ["subject_id", "raised_at"], unique=False)
    op.create_index(op.f("ix_acta_notification_raised_at"), "acta_notification", ["raised_at"], unique=False)
    op.create_table(
        "acta_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=250), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name="ck_delivery_channel"),
        sa.CheckConstraint("state IN ('queued', 'delivered', 'dead')", name="ck_delivery_state"),
        sa.CheckConstraint("(channel = 'webhook') = (webhook_id IS NOT NULL)", name="ck_delivery_webhook"),
        sa.CheckConstraint(
            "(channel = 'email') = (person_id IS NOT NULL OR address IS NOT NULL)", name="ck_delivery_mailbox"
        ),
        sa.ForeignKeyConstraint(["notification_id"], ["acta_notification.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["webhook_id"], ["acta_webhook.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_acta_delivery_created_at"), "acta_delivery", ["created_at"], unique=False)
    op.create_index(op.f("ix_acta_delivery_notification_id"), "acta_delivery", ["notification_id"], unique=False)
    op.create_index(op.f("ix_acta_delivery_webhook_id"), "acta_delivery", ["webhook_id"], unique=False)
    op.create_table(
        "acta_delivery_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["acta_delivery.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_acta_delivery_attempt_delivery_id"), "acta_delivery_attempt", ["delivery_id"], unique=False
    )
    op.create_table(
        "acta_muted_event",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "acta_monitoring_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("route_digest", sa.LargeBinary(), nullable=True),
        sa.Column("stated_by", sa.Uuid(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision >= 1", name="ck_monitoring_plan_revision"),
        sa.ForeignKeyConstraint(["owner_id"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["stated_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.ForeignKeyConstraint(["webhook_id"], ["acta_webhook.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version_id", "revision", name="uq_monitoring_plan_revision"),
    )
    op.create_table(
        "acta_training_profile",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_digest", sa.LargeBinary(), nullable=False),
        sa.Column("dataset_name", sa.String(length=250), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("origin IN ('read by Acta', 'stated by the client')", name="ck_training_profile_origin"),
        sa.CheckConstraint("row_count >= 0", name="ck_training_profile_rows"),
        sa.CheckConstraint("(origin = 'read by Acta') = (stated_by IS NULL)", name="ck_training_profile_stated_by"),
        sa.ForeignKeyConstraint(["stated_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["acta_model_version.id"]),
        sa.PrimaryKeyConstraint("version_id", "dataset_digest"),
    )


def downgrade() -> None:
    for table in (
        "acta_training_profile",
        "acta_monitoring_plan",
        "acta_muted_event",
        "acta_delivery_attempt",
        "acta_delivery",
        "acta_notification",
        "acta_webhook",
        "acta_alert",
    ):
        op.drop_table(table)
