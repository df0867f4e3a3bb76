"""Risk answers that are versioned, several policies in force at once, and activation by two administrators."""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CAREFUL = {"decision_autonomy": "decides alone", "reversibility": "not", "legal_domain": "not stated"}
"""What is assumed of models that were registered before this was asked: the most careful answer to each question."""
REASON = (
    "Carried over from before risk was versioned. Where a question had not been asked, the most careful answer stands."
)


def upgrade() -> None:
    op.add_column("acta_registered_model", sa.Column("risk_revision", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("acta_registered_model", sa.Column("affected_persons", sa.Text(), nullable=True))
    op.add_column(
        "acta_promotion_request", sa.Column("risk_revision", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column("acta_attestation", sa.Column("risk_revision", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_acta_model_version_content", "acta_model_version", ["content_digest"], unique=False)
    op.create_table(
        "acta_risk",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("answers_revision", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("number >= 1", name="ck_risk_number"),
        sa.ForeignKeyConstraint(["assessed_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["model_id"], ["acta_registered_model.id"]),
        sa.ForeignKeyConstraint(["policy_id"], ["acta_policy.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model_id", "number", name="uq_risk_number"),
    )
    op.create_index(op.f("ix_acta_risk_model_id"), "acta_risk", ["model_id"], unique=False)
    op.create_table(
        "acta_policy_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('activate', 'deactivate')", name="ck_policy_proposal_kind"),
        sa.CheckConstraint("state IN ('waiting', 'confirmed', 'withdrawn')", name="ck_policy_proposal_state"),
        sa.CheckConstraint("expires_at > proposed_at", name="ck_policy_proposal_dates"),
        sa.ForeignKeyConstraint(["ended_by"], ["acta_actor.id"]),
        sa.ForeignKeyConstraint(["proposed_by"], ["acta_actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("acta_policy", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    _end_older_policies()
    op.create_index(
        "uq_acta_policy_in_force",
        "acta_policy",
        ["name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    _complete_answers()


def _end_older_policies() -> None:
    """Until now the policy activated last governed alone."""
    policy = sa.table(
        "acta_policy",
        sa.column("id", sa.Uuid()),
        sa.column("activated_at", sa.DateTime(timezone=True)),
        sa.column("ended_at", sa.DateTime(timezone=True)),
    )
    newest = (
        op.get_bind()
        .execute(sa.select(policy.c.id, policy.c.activated_at).order_by(policy.c.activated_at.desc()).limit(1))
        .first()
    )
    if newest is not None:
        op.execute(sa.update(policy).where(policy.c.id != newest.id).values(ended_at=newest.activated_at))


def _complete_answers() -> None:
    model = sa.table(
        "acta_registered_model",
        sa.column("id", sa.Uuid()),
        sa.column("risk_profile", sa.JSON()),
        sa.column("risk_tier", sa.String()),
    )
    risk = sa.table(
        "acta_risk",
        sa.column("id", sa.Uuid()),
        sa.column("model_id", sa.Uuid()),
        sa.column("number", sa.Integer()),
        sa.column("answers", sa.JSON()),
        sa.column("answers_revision", sa.Integer()),
        sa.column("tier", sa.String()),
        sa.column("reason", sa.Text()),
        sa.column("assessed_at", sa.DateTime(timezone=True)),
    )
    for row in op.get_bind().execute(sa.select(model.c.id, model.c.risk_profile, model.c.risk_tier)).all():
        answers = CAREFUL | row.risk_profile
        op.execute(sa.update(model).where(model.c.id == row.id).values(risk_profile=answers))
        op.execute(
            sa.insert(risk).values(
                id=uuid.uuid4(),
                model_id=row.id,
                number=1,
                answers=answers,
                answers_revision=1,
                tier=row.risk_tier,
                reason=REASON,
                assessed_at=datetime.now(UTC),
            )
        )


def downgrade() -> None:
    _forget_answers()
    op.drop_index("uq_acta_policy_in_force", table_name="acta_policy")
    op.drop_column("acta_policy", "ended_at")
    op.drop_table("acta_policy_proposal")
    op.drop_index(op.f("ix_acta_risk_model_id"), table_name="acta_risk")
    op.drop_table("acta_risk")
    op.drop_index("ix_acta_model_version_content", table_name="acta_model_version")
    op.drop_column("acta_attestation", "risk_revision")
    op.drop_column("acta_promotion_request", "risk_revision")
    op.drop_column("acta_registered_model", "affected_persons")
    op.drop_column("acta_registered_model", "risk_revision")


def _forget_answers() -> None:
    """An older Acta refuses answers that it does not know."""
    model = sa.table("acta_registered_model", sa.column("id", sa.Uuid()), sa.column("risk_profile", sa.JSON()))
    for row in op.get_bind().execute(sa.select(model.c.id, model.c.risk_profile)).all():
        answers = {question: answer for question, answer in row.risk_profile.items() if question not in CAREFUL}
        op.execute(sa.update(model).where(model.c.id == row.id).values(risk_profile=answers))
