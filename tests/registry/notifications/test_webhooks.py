from datetime import timedelta

import pytest
from sqlalchemy import event, select, text, update
from sqlmodel import col
from standardwebhooks import Webhook

from registry.access.actor import Actor, ActorKind, Grant, Place, Role, Scope, ScopeKind
from registry.errors import InvalidInputError, NotFoundError, RefusedError
from registry.jobs.service import replay
from registry.jobs.tables import JobRow
from registry.jobs.worker import Worker
from registry.notifications.deliveries import all_deliveries, deliveries_to
from registry.notifications.events import SUBSCRIBABLE, Event, Subject
from registry.notifications.keys import notification_key
from registry.notifications.service import holders_of, notify
from registry.notifications.webhooks import add_webhook, list_webhooks, remove_webhook, send_test

PLACE = Place("credit-default", "retail-risk")
EVERYTHING = Scope(ScopeKind.ALL)


@pytest.fixture
def settings(settings, receiver):
    return settings.model_copy(update={"webhook_allowed_hosts": (receiver.host,)})


@pytest.fixture
def add(units, people, settings, receiver):
    """Adds a webhook at the receiver."""

    def added(*, actor=None, url=None, events=SUBSCRIBABLE, scope=EVERYTHING):
        with units.writing() as unit:
            return add_webhook(
                unit,
                actor or people.administrator,
                notification_key(settings),
                settings.webhook_allowed_hosts,
                label="risk desk",
                url=url or receiver.url,
                events=events,
                scope=scope,
            )

    return added


def tell(units, found, kind=Event.PROMOTION_REQUESTED, place=PLACE):
    with units.writing() as unit:
        subject = Subject("promotion", found.version.id, "Request 1", "/promotions/1", place)
        return notify(unit, kind, subject, (), {"model": "credit-default", "version": "1"})


def work_off(units, settings):
    return Worker(units, settings).run_until_idle()


def make_due(units):
    """Let the next attempt be due now."""
    with units.writing() as unit:
        unit.session.execute(
            update(JobRow).where(col(JobRow.state) == "queued").values(run_after=unit.now - timedelta(seconds=1))
        )


def test_a_subscriber_gets_a_request_that_its_secret_verifies(units, settings, receiver, registered, add):
    added = add()
    tell(units, registered)
    work_off(units, settings)
    (got,) = receiver.received
    verified = Webhook(added.secret).verify(got.body, got.headers)
    assert verified["type"] == "promotion.requested"
    assert verified["data"]["facts"] == {"model": "credit-default", "version": "1"}
    assert verified["data"]["subject"]["url"] == "http://127.0.0.1:8700/promotions/1"
    assert "acknowledge" not in verified["data"]
    with pytest.raises(Exception, match="signature"):
        Webhook(added.secret).verify(got.body.replace(b"Request 1", b"Request 2"), got.headers)


def test_nothing_is_sent_when_the_change_of_state_is_rolled_back(units, settings, receiver, registered, add):
    add()
    with pytest.raises(RuntimeError), units.writing() as unit:
        subject = Subject("promotion", registered.version.id, "Request 1", "/promotions/1", PLACE)
        notify(unit, Event.PROMOTION_REQUESTED, subject, (), {})
        raise RuntimeError
    work_off(units, settings)
    assert receiver.received == []


def test_telling_writes_two_rows_and_reads_nothing_whoever_listens(units, registered, add):
    for _ in range(5):
        add()
    seen = []
    with units.writing() as unit:
        connection = unit.connection
        event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given[2]))
        subject = Subject("promotion", registered.version.id, "Request 1", "/promotions/1", PLACE)
        notify(unit, Event.PROMOTION_REQUESTED, subject, (), {})
        told = list(seen)
    assert 1 <= len(told) <= 2
    assert all(statement.startswith("INSERT") for statement in told)


@pytest.mark.parametrize(
    "scope, hears",
    [
        (EVERYTHING, True),
        (Scope(ScopeKind.TEAM, "retail-risk"), True),
        (Scope(ScopeKind.TEAM, "claims"), False),
        (Scope(ScopeKind.MODEL, "credit-default"), True),
    ],
)
def test_a_webhook_hears_as_far_as_its_scope_reaches(units, settings, receiver, registered, add, scope, hears):
    add(scope=scope)
    tell(units, registered)
    work_off(units, settings)
    assert bool(receiver.received) is hears


def test_a_webhook_hears_the_kinds_of_events_that_it_names(units, settings, receiver, registered, add):
    add(events=[Event.FINDING_OPENED])
    add(events=[])
    tell(units, registered)
    work_off(units, settings)
    assert receiver.received == []
    tell(units, registered, Event.FINDING_OPENED)
    work_off(units, settings)
    assert len(receiver.received) == 1


def test_a_failed_attempt_is_repeated_with_the_same_id_and_kept_in_the_history(
    units, people, settings, receiver, registered, add
):
    added = add()
    receiver.answers = [503, 500]
    tell(units, registered)
    for _ in range(3):
        work_off(units, settings)
        make_due(units)
    assert [got.headers["webhook-id"] for got in receiver.received] == [receiver.received[0].headers["webhook-id"]] * 3
    assert len({got.body for got in receiver.received}) == 1
    with units.reading() as unit:
        (delivery,) = deliveries_to(unit, people.administrator, added.row.id, None)
    assert delivery.row.state == "delivered"
    assert [attempt.status for attempt in delivery.attempts] == [503, 500, 204]
    assert [attempt.attempt for attempt in delivery.attempts] == [1, 2, 3]
    assert delivery.attempts[0].error == "the receiver answered 503"


def test_a_delivery_that_fails_each_time_is_dead_and_can_be_replayed(
    units, people, settings, receiver, registered, add
):
    added = add()
    receiver.answers = [500] * 20
    tell(units, registered)
    for _ in range(21):
        work_off(units, settings)
        make_due(units)
    assert len(receiver.received) == 20
    with units.writing() as unit:
        (delivery,) = deliveries_to(unit, people.administrator, added.row.id, None)
        assert delivery.row.state == "dead"
        replay(unit, people.administrator, delivery.row.job_id)
    work_off(units, settings)
    with units.reading() as unit:
        (delivery,) = deliveries_to(unit, people.administrator, added.row.id, None)
    assert delivery.row.state == "delivered"
    assert len(delivery.attempts) == 21


def test_a_receiver_that_is_gone_is_not_asked_again(units, people, settings, receiver, registered, add):
    added = add()
    receiver.answers = [410]
    tell(units, registered)
    for _ in range(2):
        work_off(units, settings)
        make_due(units)
    assert len(receiver.received) == 1
    with units.reading() as unit:
        (delivery,) = deliveries_to(unit, people.administrator, added.row.id, None)
    assert delivery.row.state == "dead"


def test_what_the_settings_no_longer_allow_is_not_sent(units, people, settings, receiver, registered, add):
    added = add(url=receiver.url)
    tell(units, registered)
    work_off(units, settings.model_copy(update={"webhook_allowed_hosts": ()}))
    assert receiver.received == []
    with units.reading() as unit:
        (delivery,) = deliveries_to(unit, people.administrator, added.row.id, None)
    assert delivery.row.state == "dead"
    assert "ACTA_WEBHOOK_ALLOWED_HOSTS" in delivery.attempts[0].error


def test_a_removed_webhook_gets_nothing_more_not_even_what_was_on_its_way(
    units, people, settings, receiver, registered, add
):
    added = add()
    work_off(units, settings)
    tell(units, registered)
    Worker(units, settings).run_one()
    with units.writing() as unit:
        remove_webhook(unit, people.administrator, added.row.id)
    work_off(units, settings)
    tell(units, registered)
    work_off(units, settings)
    assert receiver.received == []
    with units.reading() as unit:
        assert list_webhooks(unit, people.administrator) == []
        (delivery,) = all_deliveries(unit, people.administrator, None)
    assert delivery.row.state == "dead"


def test_a_test_goes_to_the_one_webhook(units, people, settings, receiver, add):
    added = add(events=[])
    add(url=receiver.url + "/other")
    with units.writing() as unit:
        send_test(unit, people.administrator, added.row.id)
    work_off(units, settings)
    assert [got.path for got in receiver.received] == ["/hook"]
    assert (
        Webhook(added.secret).verify(receiver.received[0].body, receiver.received[0].headers)["type"] == "webhook.test"
    )


def test_a_secret_lies_nowhere_in_the_database_in_clear(units, add):
    secret = add().secret
    with units.reading() as unit:
        tables = ["acta_webhook", "acta_log_entry", "acta_log_text", "acta_idempotency", "acta_job"]
        for table in tables:
            for row in unit.session.execute(text(f"SELECT * FROM {table}")):
                assert secret not in str([bytes(one) if isinstance(one, memoryview) else one for one in row])
                assert secret.removeprefix("whsec_") not in str(row)


def test_a_secret_is_shown_once(client, people, settings, receiver):
    headers = client.as_(people.administrator) | {"Idempotency-Key": "once"}
    body = {"label": "risk desk", "url": "https://hooks.example/acta"}
    first = client.http.post("/api/v1/webhooks", headers=headers, json=body).json()
    assert first["secret"].startswith("whsec_")
    again = client.http.post("/api/v1/webhooks", headers=headers, json=body).json()
    assert again["webhook"] == first["webhook"]
    assert again["secret"] is None
    (listed,) = client.http.get("/api/v1/webhooks", headers=headers).json()
    assert "secret" not in str(listed)


def reviewer_of(people, *scopes):
    grants = tuple(Grant(Role.OPERATIONS_REVIEWER, scope, people.administrator.id) for scope in scopes)
    return Actor(people.operations.id, ActorKind.PERSON, None, grants)


def test_a_reviewer_manages_webhooks_as_far_as_the_role_reaches(units, people, registered, add):
    mine = reviewer_of(people, Scope(ScopeKind.TEAM, "retail-risk"))
    team = add(actor=mine, scope=Scope(ScopeKind.TEAM, "retail-risk"))
    model = add(actor=mine, scope=Scope(ScopeKind.MODEL, "credit-default"))
    everything = add()
    for scope in (EVERYTHING, Scope(ScopeKind.TEAM, "claims")):
        with pytest.raises(RefusedError):
            add(actor=mine, scope=scope)
    with units.writing() as unit:
        assert {row.id for row in list_webhooks(unit, mine)} == {team.row.id, model.row.id}
        with pytest.raises(NotFoundError):
            remove_webhook(unit, mine, everything.row.id)


def test_a_developer_adds_no_webhook(add, people):
    with pytest.raises(RefusedError):
        add(actor=people.developer)


def test_an_address_in_clear_is_for_allowed_hosts_only(add):
    with pytest.raises(InvalidInputError, match="https"):
        add(url="http://hooks.example/acta")


def test_entries_tell_of_webhooks_without_their_addresses(units, people, settings, receiver, registered, add):
    added = add()
    tell(units, registered)
    work_off(units, settings)
    with units.reading() as unit:
        rows = unit.session.execute(
            text("SELECT action, leaf FROM acta_log_entry WHERE subject_id = :id ORDER BY sequence"),
            {"id": str(added.row.id)},
        ).all()
    assert [row.action for row in rows] == ["webhook.added", "webhook.delivered"]
    assert all(receiver.host not in bytes(row.leaf).decode() for row in rows)


def test_reviewers_are_those_whose_role_reaches_the_model_and_who_are_here(units, people):
    with units.reading() as unit:
        found = holders_of(unit, PLACE, [Role.VALIDATOR, Role.RISK_OFFICER])
    assert found == {people.validator.id, people.risk.id}


def test_what_is_told_has_no_job_left_behind(units, settings, receiver, registered, add):
    add()
    tell(units, registered)
    work_off(units, settings)
    with units.reading() as unit:
        states = unit.session.execute(select(col(JobRow.kind), col(JobRow.state))).all()
    assert {state for kind, state in states if kind in {"notify", "deliver"}} == {"succeeded"}
