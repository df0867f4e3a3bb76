"""Rules of access that look at several rows hold when many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from registry.access.actor import Role
from registry.access.authentication import actor_as_of_now, actor_of_token
from registry.access.service import (
    create_token,
    list_grants,
    record_leaving,
    recover_administration,
    revoke_role,
    revoke_token,
)
from registry.access.tables import GrantRow
from registry.errors import UnauthenticatedError

TOGETHER = 8


@pytest.fixture
def at_once(client):
    """Sends the same requests from many threads; their statuses, sorted."""

    def send(requests):
        with ThreadPoolExecutor(TOGETHER) as threads:
            return sorted(
                answer.status_code for answer in threads.map(lambda request: client.http.request(**request), requests)
            )

    return send


def test_the_one_time_token_makes_one_token(client, units, at_once):
    with units.writing() as unit:
        secret = recover_administration(unit).secret
    request = {
        "method": "POST",
        "url": "/api/v1/tokens",
        "json": {"label": "first"},
        "headers": {"Authorization": f"Bearer {secret}"},
    }
    statuses = at_once([request] * TOGETHER)
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 401, 409}


def test_a_grant_is_given_once_and_ends_once(client, people, at_once):
    headers = client.as_(people.administrator)
    grant = {"role": "auditor", "scope_kind": "team", "scope_name": "retail-risk"}
    path = f"/api/v1/actors/{people.developer.id}/roles"
    request = {"method": "POST", "url": path, "json": grant, "headers": headers}
    assert at_once([request] * TOGETHER) == [201] + [409] * (TOGETHER - 1)
    granted = next(one for one in client.http.get(path, headers=headers).json() if one["role"] == "auditor")
    ending = {"method": "DELETE", "url": f"/api/v1/roles/{granted['id']}", "headers": headers}
    assert at_once([ending] * TOGETHER) == [204] + [409] * (TOGETHER - 1)


def test_two_administrators_cannot_both_make_each_other_leave(client, units, people, at_once):
    headers = client.as_(people.administrator)
    made = client.http.post("/api/v1/actors", json={"name": "second", "kind": "person"}, headers=headers).json()
    grant = {"role": "administrator", "scope_kind": "all"}
    client.http.post(f"/api/v1/actors/{made['id']}/roles", json=grant, headers=headers)
    token = client.http.post(
        "/api/v1/tokens", json={"label": "second", "actor_id": made["id"]}, headers=headers
    ).json()["secret"]
    second = {"Authorization": f"Bearer {token}"}
    statuses = at_once(
        [
            {"method": "POST", "url": f"/api/v1/actors/{made['id']}/leaving", "headers": headers},
            {"method": "POST", "url": f"/api/v1/actors/{people.administrator.id}/leaving", "headers": second},
        ]
    )
    assert statuses[0] == 200
    assert statuses[1] in {401, 409}


@pytest.mark.parametrize("ended", ["token", "role", "actor"])
def test_whoever_writes_does_so_by_what_holds_at_that_instant(units, people, ended):
    with units.writing() as unit:
        issued = create_token(unit, people.developer, people.developer.id, "slow", 1)
    with units.asking() as unit:
        seen = actor_of_token(unit, issued.secret)
        assert actor_as_of_now(unit, seen) == seen
    with units.writing() as unit:
        if ended == "token":
            revoke_token(unit, people.developer, issued.row.id)
        elif ended == "role":
            for grant in list_grants(unit, people.developer, people.developer.id):
                revoke_role(unit, people.administrator, grant.id)
        else:
            record_leaving(unit, people.administrator, people.developer.id)
    with units.reading() as unit:
        if ended == "role":
            assert actor_as_of_now(unit, seen).grants == ()
        else:
            with pytest.raises(UnauthenticatedError):
                actor_as_of_now(unit, seen)


def test_administration_is_recovered_where_nobody_is_left_to_administer(units, people):
    with units.writing() as unit:
        unit.session.execute(update(GrantRow).values(revoked_at=unit.now))
        secret = recover_administration(unit).secret
    with units.asking() as unit:
        actor = actor_of_token(unit, secret)
    assert actor.is_bootstrap
    assert actor.holds(Role.ADMINISTRATOR)
    assert actor.id != people.administrator.id
