"""Routes of delegations: who may act for whom, in which role, until when."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from registry.access.actor import Actor, Role, Scope, ScopeKind
from registry.access.delegations import delegate_role, end_delegation
from registry.access.tables import GrantRow
from registry.http.guards import signed_in
from registry.http.transactions import writes
from registry.unit import Unit


class NewDelegation(msgspec.Struct, forbid_unknown_fields=True):
    """A person who is to act in one of one's own roles until an instant."""

    actor_id: UUID
    role: Role
    expires_at: datetime
    scope_kind: ScopeKind = ScopeKind.ALL
    scope_name: str | None = None


class DelegationView(msgspec.Struct, frozen=True):
    """A delegation."""

    id: UUID
    actor_id: UUID
    on_behalf_of: UUID | None
    role: str
    scope_kind: str
    scope_name: str | None
    granted_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: GrantRow) -> "DelegationView":
        """The view of a row."""
        return cls(
            row.id,
            row.actor_id,
            row.on_behalf_of,
            row.role,
            row.scope_kind,
            row.scope_name,
            row.granted_at,
            row.expires_at,
            row.revoked_at,
        )


class DelegationController(Controller):
    """Delegations."""

    path = "/api/v1/delegations"
    tags = ["access"]

    @post("/", guards=[signed_in])
    @writes
    def delegate(
        self, data: JSONBody[NewDelegation], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> DelegationView:
        """Let another person act in one of your roles; the log names both."""
        scope = Scope(data.scope_kind, data.scope_name)
        return DelegationView.of(delegate_role(unit, actor, data.actor_id, data.role, scope, data.expires_at))

    @delete("/{grant_id:uuid}", guards=[signed_in])
    @writes
    def end(self, grant_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> None:
        """End a delegation of yours now."""
        end_delegation(unit, actor, grant_id)
