"""How the model will be watched: a plan, and a real alert along its route that its owner acknowledges."""

import time
from decimal import Decimal
from uuid import UUID

import httpx
import msgspec

from registry.access.actor import Role
from registry.client import Client
from registry.client.answers import Version
from registry.client.monitoring import Profile
from registry.demo.cast import Cast
from registry.demo.dataset import IDENTIFIER, LABEL
from registry.demo.narration import Narrator
from registry.demo.pager import Page, Pager
from registry.demo.server import DemoServer
from registry.demo.steps_model import JOB_SECONDS, MODEL
from registry.demo.training import TrainingOutcome
from registry.errors import UnavailableError
from registry.monitoring.plan import (
    WITHOUT_MODEL,
    Direction,
    DriftFeature,
    DriftMethod,
    HealthIndicator,
    MonitoringPlan,
    WebhookRoute,
)

WATCHED_FEATURES = 5
LABEL_DELAY_DAYS = 30
"""Whether a client defaults next month is known a month later."""


class _Acknowledge(msgspec.Struct):
    url: str


class _Data(msgspec.Struct):
    acknowledge: _Acknowledge


class _Alert(msgspec.Struct):
    type: str
    data: _Data


def monitoring(tell: Narrator, server: DemoServer, cast: Cast, version: Version, done: TrainingOutcome) -> None:
    """The plan is stated, and its alert route is tried for real."""
    tell.step("Plan how it is watched, and try the alert that would wake somebody")
    of = (MODEL, str(version.number))
    administrator, operations = cast[Role.ADMINISTRATOR].client, cast[Role.OPERATIONS_REVIEWER]
    profile = _profile(tell, cast[Role.DEVELOPER].client, version)
    tell.command("administrator", "acta", "webhook", "add", "pager", server.pager.url, "--for-alerts-only")
    added = administrator.add_webhook("pager", server.pager.url, events=[])
    assert added.secret is not None, "the server answers a first request with the secret"
    tell.command("developer", "acta", "plan", "set", *of, "plan.yaml")
    plan = _plan(profile, done, operations.id, added.webhook.id)
    stated = cast[Role.DEVELOPER].client.state_plan(MODEL, version.number, plan, based_on=0)
    tell.table(
        ["watched", "by", "called at"],
        [(one.name, f"{one.direction.value}, {one.unit}", str(one.alarm)) for one in plan.health]
        + [(one.feature, one.method.value, str(one.threshold)) for one in plan.drift],
    )
    tell.good(f"Revision {stated.revision} of the plan names everything; thresholds and owner are the tour's own.")
    tell.command("operations-reviewer", "acta", "plan", "test-alert", *of)
    sent = operations.client.send_test_alert(MODEL, version.number)
    assert sent.job_id is not None
    with tell.working("The worker sends the alert"):
        operations.client.wait_for_job(sent.job_id, seconds=JOB_SECONDS)
        link = _link(server.pager, added.secret)
    tell.say("The receiver checked the signature with the public library standardwebhooks; the alert carries a link.")
    _acknowledge(tell, server, link)
    alert = operations.client.alerts(MODEL, version.number)[0]
    assert alert.acknowledged_by == operations.id, "the link acknowledged in another name, or nothing at all"
    tell.good(f"Acknowledged by {operations.name}; opening the link alone, as mail scanners do, acknowledged nothing.")


def _profile(tell: Narrator, client: Client, version: Version) -> Profile:
    deadline = time.monotonic() + JOB_SECONDS
    with tell.working("The server's worker profiles the training data"):
        while not (found := client.training_profiles(MODEL, version.number)):
            if time.monotonic() > deadline:
                raise UnavailableError("The worker has not profiled the training data.", "Look at server.log.")
            time.sleep(0.1)
    tell.good(f"Profile of {found[0].dataset_name}: {found[0].rows:,} rows, {found[0].origin}.")
    return found[0]


def _plan(profile: Profile, done: TrainingOutcome, owner: UUID, webhook: UUID) -> MonitoringPlan:
    measured = Decimal(f"{done.evaluation.roc_auc:.3f}")
    features = [column.name for column in profile.columns if column.name not in {LABEL, IDENTIFIER}][:WATCHED_FEATURES]
    return MonitoringPlan(
        health=[
            HealthIndicator("failed requests", "share from 0 to 1", Direction.ABOVE, Decimal("0.01"), Decimal("0.05")),
            HealthIndicator("latency, 99th percentile", "ms", Direction.ABOVE, Decimal(200), Decimal(500)),
            HealthIndicator(
                "ROC AUC on labels that have come",
                "from 0 to 1",
                Direction.BELOW,
                measured - Decimal("0.02"),
                measured - Decimal("0.05"),
            ),
        ],
        drift=[DriftFeature(feature, DriftMethod.PSI, Decimal("0.2")) for feature in features],
        label_delay_days=LABEL_DELAY_DAYS,
        owner=owner,
        alert_route=WebhookRoute(webhook),
        failure_plan="Tour: here an organisation says who does what within which time.",
        rollback_target=WITHOUT_MODEL,
        retraining="Tour: here an organisation says what makes somebody train again.",
    )


def _link(pager: Pager, secret: str) -> str:
    from standardwebhooks import Webhook, WebhookVerificationError

    page: Page = pager.wait(JOB_SECONDS)
    try:
        Webhook(secret).verify(page.body, page.headers)
    except WebhookVerificationError as error:
        raise UnavailableError(f"The alert's signature is not right: {error}") from error
    return msgspec.json.decode(page.body, type=_Alert).data.acknowledge.url


def _acknowledge(tell: Narrator, server: DemoServer, link: str) -> None:
    token = httpx.URL(link).params["token"]
    page = link.partition("?")[0]
    headers = {"Accept": "text/html"}
    with httpx.Client(headers=headers, trust_env=False) as browser:
        browser.get(link).raise_for_status()
        tell.say("Its owner opens the link, sees what it is about, and presses the button: no login, this one alert.")
        answer = browser.post(page, data={"token": token}, headers={"Origin": server.url})
        answer.raise_for_status()
