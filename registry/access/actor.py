"""Actors, roles and scopes as values. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from registry.errors import RefusedError


class ActorKind(StrEnum):
    """Who acts."""

    PERSON = "person"
    MACHINE = "machine"


class Role(StrEnum):
    """What an actor may do within a scope."""

    DEVELOPER = "developer"
    VALIDATOR = "validator"
    ETHICS_REVIEWER = "ethics reviewer"
    SECURITY_REVIEWER = "security reviewer"
    OPERATIONS_REVIEWER = "operations reviewer"
    RISK_OFFICER = "risk officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


REVIEWERS = (Role.ETHICS_REVIEWER, Role.SECURITY_REVIEWER, Role.OPERATIONS_REVIEWER)


PARTICIPANTS = tuple(role for role in Role if role is not Role.AUDITOR)
"""Who may change anything at all: an auditor reads."""


class ScopeKind(StrEnum):
    """How far a role reaches."""

    ALL = "all"
    TEAM = "team"
    MODEL = "model"


@dataclass(frozen=True)
class Scope:
    """Everything, one team's models, or one model; `name` is the team's or the model's."""

    kind: ScopeKind
    name: str | None = None

    def covers(self, place: "Place") -> bool:
        """Whether a role on this scope reaches `place`."""
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.TEAM:
                return place.team == self.name
            case ScopeKind.MODEL:
                return place.model == self.name

    def __str__(self) -> str:
        return self.kind.value if self.name is None else f"{self.kind.value} {self.name}"


@dataclass(frozen=True)
class Place:
    """Where something is done: a model and the team that it belongs to. `Place()` is the whole installation."""

    model: str | None = None
    team: str | None = None


EVERYWHERE = Place()


@dataclass(frozen=True)
class Grant:
    """A role on a scope, and who granted it."""

    role: Role
    scope: Scope
    granted_by: UUID | None
    on_behalf_of: UUID | None = None
    """The person whose delegate the actor is by this grant; None for a role of its own."""


@dataclass(frozen=True)
class Capacity:
    """In which role an actor acts, by which grants, and on whose behalf."""

    role: Role
    persons: frozenset[UUID]
    """Who counts in every rule of separation: the actor's person, and the one on whose behalf it acts."""
    grants: tuple[Grant, ...]
    on_behalf_of: UUID | None = None


@dataclass(frozen=True)
class Actor:
    """Whoever asks: a person, or a machine for which a person answers."""

    id: UUID
    kind: ActorKind
    responsible_id: UUID | None
    grants: tuple[Grant, ...]
    token_id: UUID | None = None
    token_used_at: datetime | None = None
    """When the token was last used, to the minute, before this request."""
    is_bootstrap: bool = False
    """The one-time token of the first start: it can only be exchanged for an ordinary one."""
    delegated: tuple[Grant, ...] = ()
    """Roles of other persons, as their delegate. They count only where a service asks for a capacity."""

    @property
    def person_id(self) -> UUID:
        """The person who counts: a machine counts as the person responsible for it."""
        return self.responsible_id or self.id

    def holds(self, role: Role, place: Place = EVERYWHERE) -> bool:
        """Whether one of the grants gives this role at `place`."""
        return any(grant.role is role and grant.scope.covers(place) for grant in self.grants)

    def holds_any(self, roles: Iterable[Role], place: Place = EVERYWHERE) -> bool:
        """Whether one of the grants gives one of these roles at `place`."""
        return any(self.holds(role, place) for role in roles)

    def reads(self, place: Place) -> bool:
        """Whether the actor may see what is at `place`: every role reads within its scope."""
        return any(grant.scope.covers(place) for grant in self.reach)

    @property
    def reach(self) -> tuple[Grant, ...]:
        """All grants by which the actor sees anything."""
        return self.grants + self.delegated

    @property
    def reads_everything(self) -> bool:
        """Whether some role reaches the whole installation."""
        return any(grant.scope.kind is ScopeKind.ALL for grant in self.reach)

    def capacity(self, *roles: Role, place: Place = EVERYWHERE) -> Capacity:
        """How the actor acts in one of `roles` at `place`: in its own right where it can, else as a delegate.

        Raises:
            RefusedError: naming the roles and the scope that are missing.
        """
        for role in roles:
            own = tuple(grant for grant in self.grants if grant.role is role and grant.scope.covers(place))
            if own:
                return Capacity(role, frozenset({self.person_id}), own)
        for role in roles:
            for grant in self.delegated:
                if grant.role is role and grant.scope.covers(place) and grant.on_behalf_of is not None:
                    persons = frozenset({self.person_id, grant.on_behalf_of})
                    return Capacity(role, persons, (grant,), grant.on_behalf_of)
        raise _missing(roles, place)

    def require(self, *roles: Role, place: Place = EVERYWHERE) -> None:
        """Refuse unless the actor holds one of `roles` at `place`.

        Raises:
            RefusedError: naming the roles and the scope that are missing.
        """
        if self.holds_any(roles, place):
            return
        raise _missing(roles, place)


def _missing(roles: Iterable[Role], place: Place) -> RefusedError:
    wanted = " or ".join(role.value for role in roles)
    where = f"model {place.model!r}" if place.model else "the whole installation"
    return RefusedError(f"This needs the role {wanted} for {where}.", "An administrator grants it: `acta role grant`.")
