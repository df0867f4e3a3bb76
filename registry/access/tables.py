"""Tables of access: actors, role grants, API tokens, browser sessions, answers kept for repeated requests."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, LargeBinary, PrimaryKeyConstraint, Text
from sqlmodel import Field, SQLModel

from registry.access.actor import ActorKind, Role, ScopeKind
from registry.database import UTCDateTime, one_of


class ActorRow(SQLModel, table=True):
    """A person or a machine."""

    __tablename__ = "acta_actor"
    __table_args__ = (
        one_of("kind", ActorKind, "actor_kind"),
        CheckConstraint("(kind = 'machine') = (responsible_id IS NOT NULL)", name="ck_actor_responsible"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: str
    name: str = Field(max_length=250, unique=True)
    """Clear text lives here only: the log knows the id and a commitment."""
    email: str | None = Field(default=None, max_length=250)
    responsible_id: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    created_at: datetime = Field(sa_type=UTCDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """From this instant on the actor's tokens open nothing."""


class GrantRow(SQLModel, table=True):
    """A role of an actor on a scope."""

    __tablename__ = "acta_role_grant"
    __table_args__ = (
        one_of("role", Role, "role_grant_role"),
        one_of("scope_kind", ScopeKind, "role_grant_scope_kind"),
        CheckConstraint("(scope_kind = 'all') = (scope_name IS NULL)", name="ck_role_grant_scope_name"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    actor_id: UUID = Field(foreign_key="acta_actor.id", index=True)
    role: str
    scope_kind: str
    scope_name: str | None = Field(default=None, max_length=250)
    granted_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """None only for the first administrator, whom the installation itself made."""
    granted_at: datetime = Field(sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    on_behalf_of: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """The person who made the actor a delegate in this role of theirs; None for a role of the actor's own."""
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When a delegation ends by itself."""


class TokenRow(SQLModel, table=True):
    """An API token; only its hash is kept."""

    __tablename__ = "acta_token"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    actor_id: UUID = Field(foreign_key="acta_actor.id", index=True)
    secret_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    """SHA-256 of the token; its 256 random bits need no salt and no stretching."""
    label: str = Field(max_length=250)
    is_bootstrap: bool = False
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """To the minute."""
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class SessionRow(SQLModel, table=True):
    """A signed-in browser: its cookie's hash, and the token that signed it in and ends it."""

    __tablename__ = "acta_session"

    secret_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    token_id: UUID = Field(foreign_key="acta_token.id", index=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)


class IdempotencyRow(SQLModel, table=True):
    """The answer to a creating request, so that its repetition creates nothing. Holds no secrets."""

    __tablename__ = "acta_idempotency"
    __table_args__ = (
        PrimaryKeyConstraint("actor_id", "key"),
        Index("ix_acta_idempotency_created_at", "created_at"),
    )

    actor_id: UUID
    key: str = Field(max_length=250)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    status: int
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
