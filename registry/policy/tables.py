"""Tables of policies, of answers to checklist items, and of the results of automatic checks."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of
from registry.policy.outcomes import Outcome


class Answer(StrEnum):
    """What a person answers to an attestation."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not applicable"


class PolicyRow(SQLModel, table=True):
    """An activated policy, word for word. Of each name one version is in force, until another one or the end."""

    __tablename__ = "acta_policy"
    __table_args__ = (
        UniqueConstraint("name", "version", name="uq_policy_name_version"),
        Index(
            "uq_acta_policy_in_force",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(max_length=250)
    version: str = Field(max_length=50)
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the text."""
    text: str = Field(sa_type=Text)
    activated_at: datetime = Field(sa_type=UTCDateTime)
    activated_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """None where the installation itself activated its default."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """From this instant on it governs no new request: a newer version was activated, or it was deactivated."""


class Proposal(StrEnum):
    """What an administrator proposes to do about a policy."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class ProposalState(StrEnum):
    """How far a proposal is."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class PolicyProposalRow(SQLModel, table=True):
    """What one administrator proposed, for a second one to confirm."""

    __tablename__ = "acta_policy_proposal"
    __table_args__ = (
        one_of("kind", Proposal, "policy_proposal_kind"),
        one_of("state", ProposalState, "policy_proposal_state"),
        CheckConstraint("expires_at > proposed_at", name="ck_policy_proposal_dates"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: str
    state: str = ProposalState.WAITING.value
    name: str = Field(max_length=250)
    version: str = Field(max_length=50)
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the text."""
    text: str = Field(sa_type=Text)
    proposed_by: UUID = Field(foreign_key="acta_actor.id")
    proposed_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    """From this instant on nobody can confirm it."""
    ended_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """Who confirmed or withdrew it."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AttestationRow(SQLModel, table=True):
    """A person's answer to a checklist item, with reason and evidence."""

    __tablename__ = "acta_attestation"
    __table_args__ = (
        one_of("answer", Answer, "attestation_answer"),
        Index("ix_acta_attestation_item", "version_id", "item"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    item: str = Field(max_length=100)
    answer: str
    reason: str = Field(sa_type=Text)
    evidence: str | None = Field(default=None, sa_type=Text)
    """A link, or where to look."""
    rests_on: list[dict[str, str]] | None = Field(default=None, sa_type=JSON)
    """Documents, assessments and check results of the version: `kind` and `id` of each."""
    risk_revision: int = 1
    """The revision of the model's risk answers that the person could read."""
    attested_by: UUID = Field(foreign_key="acta_actor.id")
    attested_at: datetime = Field(sa_type=UTCDateTime)
    on_behalf_of: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """The person whose delegate answered."""
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    withdrawal_reason: str | None = Field(default=None, sa_type=Text)


class CheckResultRow(SQLModel, table=True):
    """A dated result of an automatic check. Gates read these and compute nothing."""

    __tablename__ = "acta_check_result"
    __table_args__ = (
        one_of("outcome", Outcome, "check_result_outcome"),
        Index("ix_acta_check_result_latest", "version_id", "check_name", "checked_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    check_name: str = Field(max_length=100)
    check_version: int
    outcome: str
    reason: str = Field(sa_type=Text)
    evidence: dict[str, str] = Field(sa_type=JSON)
    inputs_digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 over the digests of what the check looked at: a result is stale when they change."""
    checked_at: datetime = Field(sa_type=UTCDateTime)
