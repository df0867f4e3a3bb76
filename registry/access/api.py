"""Routes of actors, roles and API tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from registry.access import service
from registry.access.actor import Actor, ActorKind, Role, Scope, ScopeKind
from registry.access.service import IssuedToken
from registry.access.tables import ActorRow, GrantRow, TokenRow
from registry.http.guards import bootstrap_or_signed_in, requires, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, page_of
from registry.http.transactions import reads, writes
from registry.settings import Settings
from registry.unit import Unit


class NewActor(msgspec.Struct, forbid_unknown_fields=True):
    """A person or a machine to be made known."""

    name: str
    kind: ActorKind = ActorKind.PERSON
    email: str | None = None
    responsible_id: UUID | None = None
    """The person who answers for a machine."""


class ActorView(msgspec.Struct):
    """An actor."""

    id: UUID
    kind: str
    name: str
    email: str | None
    responsible_id: UUID | None
    created_at: datetime
    left_at: datetime | None

    @classmethod
    def of(cls, row: ActorRow) -> "ActorView":
        """The view of a row."""
        return cls(row.id, row.kind, row.name, row.email, row.responsible_id, row.created_at, row.left_at)


class NewGrant(msgspec.Struct, forbid_unknown_fields=True):
    """A role on a scope: everything, a team (its name), or a model (its name)."""

    role: Role
    scope_kind: ScopeKind = ScopeKind.ALL
    scope_name: str | None = None


class GrantView(msgspec.Struct):
    """A role of an actor on a scope."""

    id: UUID
    actor_id: UUID
    role: str
    scope_kind: str
    scope_name: str | None
    granted_by: UUID | None
    granted_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: GrantRow) -> "GrantView":
        """The view of a row."""
        return cls(
            row.id,
            row.actor_id,
            row.role,
            row.scope_kind,
            row.scope_name,
            row.granted_by,
            row.granted_at,
            row.revoked_at,
        )


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """An API token to be made: for oneself unless `actor_id` says otherwise."""

    label: Annotated[str, msgspec.Meta(min_length=1)]
    actor_id: UUID | None = None
    days: int | None = None
    """Lifetime; None for the installation's own."""


class TokenView(msgspec.Struct):
    """An API token, without its secret."""

    id: UUID
    actor_id: UUID
    label: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: TokenRow) -> "TokenView":
        """The view of a row."""
        return cls(row.id, row.actor_id, row.label, row.created_at, row.expires_at, row.last_used_at, row.revoked_at)


class IssuedTokenView(msgspec.Struct):
    """A new API token. `secret` is shown this once; a repeated request gets None there."""

    token: TokenView
    secret: str | None

    @classmethod
    def of(cls, issued: IssuedToken) -> "IssuedTokenView":
        """The view of a new token."""
        return cls(TokenView.of(issued.row), issued.secret)

    def without_secret(self) -> "IssuedTokenView":
        """What is kept for a repeated request."""
        return IssuedTokenView(self.token, None)


class Me(msgspec.Struct):
    """Who asks, and what this actor may do."""

    actor: ActorView
    grants: list[GrantView]


class ActorController(Controller):
    """Persons and machines, and their roles."""

    path = "/api/v1"
    tags = ["access"]

    @get("/me", guards=[bootstrap_or_signed_in])
    @reads
    def me(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Me:
        """Who asks."""
        grants = [row for row in service.list_grants(unit, actor, actor.id) if row.revoked_at is None]
        return Me(ActorView.of(service.get_actor(unit, actor.id)), [GrantView.of(row) for row in grants])

    @post("/actors", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def add(self, data: JSONBody[NewActor], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> ActorView:
        """Make a person or a machine known."""
        row = service.add_actor(
            unit, actor, kind=data.kind, name=data.name, email=data.email, responsible_id=data.responsible_id
        )
        return ActorView.of(row)

    @get("/actors", guards=[requires(Role.ADMINISTRATOR, Role.AUDITOR, Role.RISK_OFFICER)])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[ActorView]:
        """Actors by name."""
        rows = service.list_actors(unit, actor, decode_cursor(cursor), limit + 1)
        return page_of(rows, limit, ActorView.of, lambda row: row.name)

    @post("/actors/{actor_id:uuid}/leaving", guards=[requires(Role.ADMINISTRATOR)], status_code=200)
    @writes
    def leave(self, actor_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> ActorView:
        """An actor leaves: its tokens open nothing any more."""
        return ActorView.of(service.record_leaving(unit, actor, actor_id))

    @post("/actors/{actor_id:uuid}/roles", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def grant(
        self,
        actor_id: FromPath[UUID],
        data: JSONBody[NewGrant],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> GrantView:
        """Grant a role on a scope."""
        scope = Scope(data.scope_kind, data.scope_name)
        return GrantView.of(service.grant_role(unit, actor, actor_id, data.role, scope))

    @get("/actors/{actor_id:uuid}/roles", guards=[signed_in])
    @reads
    def grants(
        self, actor_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[GrantView]:
        """All grants of an actor, ended ones too."""
        return [GrantView.of(row) for row in service.list_grants(unit, actor, actor_id)]

    @delete("/roles/{grant_id:uuid}", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def revoke(self, grant_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> None:
        """End a grant."""
        service.revoke_role(unit, actor, grant_id)


class TokenController(Controller):
    """API tokens."""

    path = "/api/v1/tokens"
    tags = ["access"]

    @post("/", guards=[bootstrap_or_signed_in])
    @writes
    def create(
        self,
        data: JSONBody[NewToken],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        settings: NamedDependency[Settings],
    ) -> IssuedTokenView:
        """Make a token. Its secret is in this answer and nowhere else."""
        days = settings.token_days if data.days is None else data.days
        return IssuedTokenView.of(service.create_token(unit, actor, data.actor_id or actor.id, data.label, days))

    @get("/", guards=[signed_in])
    @reads
    def search(
        self, unit: NamedDependency[Unit], actor: NamedDependency[Actor], actor_id: FromQuery[UUID | None] = None
    ) -> list[TokenView]:
        """An actor's tokens, newest first: one's own unless `actor_id` says otherwise."""
        return [TokenView.of(row) for row in service.list_tokens(unit, actor, actor_id or actor.id)]

    @delete("/{token_id:uuid}", guards=[signed_in])
    @writes
    def revoke(self, token_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> None:
        """End a token."""
        service.revoke_token(unit, actor, token_id)
