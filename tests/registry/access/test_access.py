from datetime import timedelta
from uuid import uuid4

import pytest

from registry.access import service
from registry.access.actor import Actor, ActorKind, Grant, Place, Role, Scope, ScopeKind
from registry.access.authentication import actor_of_session, actor_of_token
from registry.access.tables import TokenRow
from registry.errors import ConflictError, InvalidInputError, RefusedError, UnauthenticatedError

EVERYTHING = Scope(ScopeKind.ALL)


def actor_with(*grants: tuple[Role, Scope]) -> Actor:
    return Actor(uuid4(), ActorKind.PERSON, None, tuple(Grant(role, scope, None) for role, scope in grants))


@pytest.mark.parametrize(
    "scope, place, reached",
    [
        (EVERYTHING, Place("credit", "retail"), True),
        (Scope(ScopeKind.TEAM, "retail"), Place("credit", "retail"), True),
        (Scope(ScopeKind.TEAM, "retail"), Place("credit", "health"), False),
        (Scope(ScopeKind.TEAM, "credit"), Place("credit", "retail"), False),
        (Scope(ScopeKind.MODEL, "credit"), Place("credit", "retail"), True),
        (Scope(ScopeKind.MODEL, "credit"), Place("credit2", "retail"), False),
        (Scope(ScopeKind.MODEL, "credit"), Place(), False),
    ],
)
def test_a_role_reaches_what_its_scope_covers_and_no_more(scope, place, reached):
    actor = actor_with((Role.DEVELOPER, scope))
    assert actor.holds(Role.DEVELOPER, place) is reached
    assert actor.reads(place) is reached
    assert not actor.holds(Role.RISK_OFFICER, place)


def test_only_an_administrator_makes_actors_known(units, people):
    with pytest.raises(RefusedError), units.writing() as unit:
        service.add_actor(unit, people.developer, kind=ActorKind.PERSON, name="new", email=None, responsible_id=None)


def test_a_machine_needs_a_responsible_person(units, people):
    machine = {"kind": ActorKind.MACHINE, "name": "pipeline", "email": None}
    for responsible in (None, uuid4()):
        with pytest.raises((InvalidInputError, Exception)) as refusal, units.writing() as unit:
            service.add_actor(unit, people.administrator, responsible_id=responsible, **machine)
        assert "responsible" in str(refusal.value) or "actor" in str(refusal.value)
    with units.writing() as unit:
        row = service.add_actor(unit, people.administrator, responsible_id=people.developer.id, **machine)
        assert row.responsible_id == people.developer.id
    with pytest.raises(InvalidInputError, match="person"), units.writing() as unit:
        service.add_actor(
            unit, people.administrator, kind=ActorKind.MACHINE, name="other", email=None, responsible_id=row.id
        )


def test_nobody_grants_a_role_to_themselves(units, people):
    with pytest.raises(RefusedError, match="themselves"), units.writing() as unit:
        service.grant_role(unit, people.administrator, people.administrator.id, Role.RISK_OFFICER, EVERYTHING)


def test_nobody_grants_a_role_to_a_machine_that_they_answer_for(units, people):
    with units.writing() as unit:
        machine = service.add_actor(
            unit,
            people.administrator,
            kind=ActorKind.MACHINE,
            name="own machine",
            email=None,
            responsible_id=people.administrator.id,
        )
    with pytest.raises(RefusedError, match="answer for"), units.writing() as unit:
        service.grant_role(unit, people.administrator, machine.id, Role.VALIDATOR, EVERYTHING)


def test_a_grant_is_logged_with_who_granted_it(units, people):
    with units.writing() as unit:
        service.grant_role(unit, people.administrator, people.stranger.id, Role.AUDITOR, Scope(ScopeKind.TEAM, "x"))
    [entry] = unit.entries
    assert (entry.action, entry.actor) == ("role.granted", str(people.administrator.id))
    assert entry.changes["actor_id"] == str(people.stranger.id)
    assert (entry.changes["role"], entry.changes["scope_kind"], entry.changes["scope_name"]) == ("auditor", "team", "x")


def test_the_last_administrator_stays(units, people):
    with pytest.raises(ConflictError, match="last administrator"), units.writing() as unit:
        service.record_leaving(unit, people.administrator, people.administrator.id)


def test_a_token_opens_until_it_is_revoked(units, people):
    with units.writing() as unit:
        issued = service.create_token(unit, people.developer, people.developer.id, "laptop", 1)
    with units.reading() as unit:
        actor = actor_of_token(unit, issued.secret)
    assert actor.id == people.developer.id
    assert actor.holds(Role.DEVELOPER)
    with units.writing() as unit:
        service.revoke_token(unit, people.developer, issued.row.id)
    with pytest.raises(UnauthenticatedError, match="revoked"), units.reading() as unit:
        actor_of_token(unit, issued.secret)


def test_a_token_opens_nothing_after_its_expiry(units, people):
    with units.writing() as unit:
        issued = service.create_token(unit, people.developer, people.developer.id, "laptop", 1)
        unit.session.get_one(TokenRow, issued.row.id).expires_at = unit.now
    with pytest.raises(UnauthenticatedError, match="expired"), units.reading() as unit:
        actor_of_token(unit, issued.secret)


def test_the_database_never_holds_the_secret(units, people, migrated_url):
    with units.writing() as unit:
        issued = service.create_token(unit, people.developer, people.developer.id, "laptop", 1)
    with units.reading() as unit:
        row = unit.session.get_one(TokenRow, issued.row.id)
    assert issued.secret.encode() not in row.secret_hash
    assert len(row.secret_hash) == 32
    assert all(issued.secret not in entry.leaf.decode() for entry in unit.entries)


def test_a_leaver_s_tokens_open_nothing(units, people):
    with units.writing() as unit:
        issued = service.create_token(unit, people.developer, people.developer.id, "laptop", 1)
    with units.writing() as unit:
        service.record_leaving(unit, people.administrator, people.developer.id)
    with pytest.raises(UnauthenticatedError, match="left"), units.reading() as unit:
        actor_of_token(unit, issued.secret)


def test_only_an_administrator_makes_tokens_for_others(units, people):
    with pytest.raises(RefusedError), units.writing() as unit:
        service.create_token(unit, people.developer, people.risk.id, "theirs", 1)
    with units.writing() as unit:
        assert (
            service.create_token(unit, people.administrator, people.risk.id, "theirs", 1).row.actor_id == people.risk.id
        )


def test_the_bootstrap_token_makes_one_token_and_is_used_up(units):
    with units.writing() as unit:
        first = service.found_installation(unit)
    assert first is not None
    with units.writing() as unit:
        assert service.found_installation(unit) is None
    with units.reading() as unit:
        actor = actor_of_token(unit, first.secret)
    assert actor.is_bootstrap
    with units.writing() as unit:
        ordinary = service.create_token(unit, actor, actor.id, "mine", 90)
    with units.reading() as unit:
        assert not actor_of_token(unit, ordinary.secret).is_bootstrap
    with pytest.raises(UnauthenticatedError, match="revoked"), units.reading() as unit:
        actor_of_token(unit, first.secret)


def test_a_session_ends_with_its_hours_and_with_its_token(units, people):
    with units.writing() as unit:
        issued = service.create_token(unit, people.developer, people.developer.id, "laptop", 1)
    with units.writing() as unit:
        cookie = service.sign_in(unit, issued.secret, 8)
    with units.reading() as unit:
        assert actor_of_session(unit, cookie).id == people.developer.id
        unit.now += timedelta(hours=8)
        with pytest.raises(UnauthenticatedError):
            actor_of_session(unit, cookie)
    with units.writing() as unit:
        service.revoke_token(unit, people.developer, issued.row.id)
    with pytest.raises(UnauthenticatedError), units.reading() as unit:
        actor_of_session(unit, cookie)
