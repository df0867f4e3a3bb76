from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text, update
from standardwebhooks import Webhook

from registry.access.actor import Role, Scope, ScopeKind
from registry.access.service import record_leaving
from registry.errors import ConflictError, NotFoundError, RefusedError
from registry.jobs.worker import Worker
from registry.monitoring.alerts import alerts_of, send_test_alert
from registry.monitoring.plan import EmailRoute, MonitoringPlan, WebhookRoute
from registry.monitoring.service import state_plan
from registry.notifications.events import SUBSCRIBABLE
from registry.notifications.keys import AcknowledgementLink, notification_key
from registry.notifications.tables import AlertRow
from registry.notifications.webhooks import add_webhook

PAGE = "/alerts/acknowledge"
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
OWN = FORM | {"sec-fetch-site": "same-origin"}


@pytest.fixture
def settings(settings, receiver):
    return settings.model_copy(update={"webhook_allowed_hosts": (receiver.host,)})


@pytest.fixture
def webhook(units, people, settings, receiver):
    with units.writing() as unit:
        return add_webhook(
            unit,
            people.administrator,
            notification_key(settings),
            settings.webhook_allowed_hosts,
            label="on call",
            url=receiver.url,
            events=[],
            scope=Scope(ScopeKind.ALL),
        )


@pytest.fixture
def planned(units, people, registered, webhook):
    plan = MonitoringPlan(owner=people.operations.id, alert_route=WebhookRoute(webhook.row.id))
    with units.writing() as unit:
        return state_plan(unit, people.developer, registered, 0, plan)


def send(units, people, found, settings):
    with units.writing() as unit:
        alert = send_test_alert(unit, people.operations, found)
    Worker(units, settings).run_until_idle()
    return alert.row


def link_in(got, webhook):
    acknowledge = Webhook(webhook.secret).verify(got.body, got.headers)["data"]["acknowledge"]
    return acknowledge["url"]


def token_in(url):
    return parse_qs(urlsplit(url).query)["token"][0]


def acknowledged(units, found):
    with units.reading() as unit:
        return [alert.row.acknowledged_by for alert in alerts_of(unit, found.version.id)]


@pytest.fixture
def linked(units, people, registered, settings, receiver, webhook, planned):
    """The token of the link in a real test alert that the plan's webhook got."""
    send(units, people, registered, settings)
    url = link_in(receiver.received[-1], webhook)
    assert url.startswith(f"{settings.public_url}{PAGE}?token=")
    return token_in(url)


def test_an_alert_goes_along_the_plans_route_and_its_owner_acknowledges_it_by_the_link(
    units, people, registered, client, linked
):
    shown = client.http.get(PAGE, params={"token": linked}, headers=FORM)
    assert shown.status_code == 200
    assert "operations" in shown.text
    answer = client.http.post(PAGE, data={"token": linked}, headers=OWN)
    assert answer.status_code == 200
    assert "Acknowledged on" in answer.text
    assert acknowledged(units, registered) == [people.operations.id]


def test_scanners_that_open_the_link_acknowledge_nothing(units, registered, client, linked):
    for method in ("GET", "HEAD", "OPTIONS"):
        for _ in range(3):
            client.http.request(method, PAGE, params={"token": linked}, headers=FORM)
    assert acknowledged(units, registered) == [None]


@pytest.mark.parametrize("site", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_another_sites_form_acknowledges_nothing(units, registered, client, linked, site):
    answer = client.http.post(PAGE, data={"token": linked}, headers=FORM | site)
    assert answer.status_code == 403
    assert acknowledged(units, registered) == [None]


def test_a_second_click_changes_nothing(units, people, registered, client, linked):
    first = client.http.post(PAGE, data={"token": linked}, headers=OWN)
    second = client.http.post(PAGE, data={"token": linked}, headers=OWN)
    assert (first.status_code, second.status_code) == (200, 200)
    with units.reading() as unit:
        entries = unit.session.execute(
            text("SELECT actor FROM acta_log_entry WHERE action = 'alert.acknowledged'")
        ).scalars()
        assert list(entries) == [str(people.operations.id)]


def test_a_forged_link_acknowledges_nothing(units, registered, client, linked):
    forged = ("A" if linked[0] != "A" else "B") + linked[1:]
    for token in (forged, "", "x", linked[:-1], "🙂", "a" * 500):
        assert client.http.get(PAGE, params={"token": token}, headers=FORM).status_code in {400, 404}
        assert client.http.post(PAGE, data={"token": token}, headers=OWN).status_code in {400, 404}
    assert acknowledged(units, registered) == [None]


def test_a_link_is_good_for_seven_days(units, registered, client, linked):
    with units.writing() as unit:
        past = {"raised_at": unit.now - timedelta(days=8), "expires_at": unit.now - timedelta(seconds=1)}
        unit.session.execute(update(AlertRow).values(**past))
    assert client.http.get(PAGE, params={"token": linked}, headers=FORM).status_code == 409
    assert client.http.post(PAGE, data={"token": linked}, headers=OWN).status_code == 409
    assert acknowledged(units, registered) == [None]


def test_a_links_own_time_counts_whatever_the_row_says(units, registered, client, settings, linked):
    with units.reading() as unit:
        (alert,) = alerts_of(unit, registered.version.id)
        earlier = AcknowledgementLink(alert.row.id, unit.now - timedelta(seconds=5))
    token = notification_key(settings).sign_link(earlier)
    assert client.http.post(PAGE, data={"token": token}, headers=OWN).status_code == 409
    assert acknowledged(units, registered) == [None]


def test_whoever_has_left_acknowledges_nothing(units, people, registered, client, linked):
    with units.writing() as unit:
        record_leaving(unit, people.administrator, people.operations.id)
    assert client.http.post(PAGE, data={"token": linked}, headers=OWN).status_code == 409
    assert acknowledged(units, registered) == [None]


def test_one_alerts_link_acknowledges_no_other(units, people, registered, settings, client, linked):
    send(units, people, registered, settings)
    client.http.post(PAGE, data={"token": linked}, headers=OWN)
    assert acknowledged(units, registered) == [None, people.operations.id]


def test_a_subscriber_that_is_not_the_route_hears_of_no_alert(
    units,
    people,
    registered,
    settings,
    receiver,
    planned,
):
    with units.writing() as unit:
        add_webhook(
            unit,
            people.administrator,
            notification_key(settings),
            settings.webhook_allowed_hosts,
            label="everything",
            url=receiver.url + "/everything",
            events=SUBSCRIBABLE,
            scope=Scope(ScopeKind.ALL),
        )
    send(units, people, registered, settings)
    assert [got.path for got in receiver.received] == ["/hook"]


def test_a_link_stands_in_no_row_and_no_log(units, linked):
    with units.reading() as unit:
        for table in (
            "acta_alert",
            "acta_notification",
            "acta_delivery",
            "acta_job",
            "acta_log_entry",
            "acta_log_text",
        ):
            for row in unit.session.execute(text(f"SELECT * FROM {table}")):
                assert linked not in str([bytes(one) if isinstance(one, memoryview) else one for one in row])


def test_an_alert_takes_a_plan_with_owner_and_route(units, people, registered):
    with pytest.raises(NotFoundError), units.writing() as unit:
        send_test_alert(unit, people.operations, registered)
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, MonitoringPlan(owner=people.operations.id))
    with pytest.raises(ConflictError, match="alert route"), units.writing() as unit:
        send_test_alert(unit, people.operations, registered)
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 1, MonitoringPlan(alert_route=EmailRoute()))
    with pytest.raises(ConflictError, match="owner"), units.writing() as unit:
        send_test_alert(unit, people.operations, registered)


def test_a_validator_sends_no_alert(units, people, registered, planned):
    assert all(grant.role is Role.VALIDATOR for grant in people.validator.grants)
    with pytest.raises(RefusedError), units.writing() as unit:
        send_test_alert(unit, people.validator, registered)


def test_an_alert_by_email_without_a_mail_server_is_given_up_and_says_so(units, people, registered, settings):
    plan = MonitoringPlan(owner=people.operations.id, alert_route=EmailRoute("oncall@example.org"))
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, plan)
    send(units, people, registered, settings)
    with units.reading() as unit:
        (alert,) = alerts_of(unit, registered.version.id)
    assert alert.delivery_state == "dead"


def test_routes_over_http(client, people, registered, planned):
    base = "/api/v1/models/credit-default/versions/1"
    headers = client.as_(people.operations)
    sent = client.http.post(f"{base}/monitoring-plan/test-alert", headers=headers)
    assert sent.status_code == 202
    (listed,) = client.http.get(f"{base}/alerts", headers=headers).json()
    assert listed == sent.json()
    assert listed["acknowledged_at"] is None
