"""A registry in which much has happened, everything of it by the services: what the log implies is what there is."""

from datetime import timedelta
from hashlib import sha256

import yaml

from registry.access.actor import ActorKind, Role, Scope, ScopeKind
from registry.access.delegations import delegate_role, end_delegation
from registry.access.service import add_actor, create_token, grant_role, record_leaving, revoke_role, revoke_token
from registry.catalog import service as catalog
from registry.catalog.facts import Stage
from registry.catalog.labels import remove_alias, remove_tag, set_alias, set_tag
from registry.documents.service import NewDocument, sign_off, upload
from registry.findings import service as findings
from registry.findings.service import NewFinding
from registry.lapses.service import confirm_review
from registry.monitoring.service import keep_profile, state_plan, training_sets
from registry.notifications.events import Event
from registry.notifications.keys import NotificationKey
from registry.notifications.preferences import set_preferences
from registry.notifications.webhooks import add_webhook, remove_webhook
from registry.policy.activation import activate, deactivate
from registry.policy.attestations import attest, withdraw_attestation
from registry.policy.policy import Severity
from registry.policy.tables import Answer
from registry.promotion.comments import comment
from registry.promotion.reviews import review
from registry.promotion.rollback import review_rollback, roll_back
from registry.promotion.service import withdraw as withdraw_request
from registry.promotion.tables import Decision, RollbackFinding
from registry.promotion.waivers import grant_waiver, revoke_waiver
from registry.resources import default_policy_path
from registry.storage import Storage
from tests.registry.monitoring.plans import PLAN, PROFILE
from tests.registry.promotion.conftest import NAME, Governance

DAY = timedelta(days=1)


def light_policy(version: str) -> str:
    """The default policy, whose gates to production ask for lineage and one approval."""
    raw = yaml.safe_load(default_policy_path().read_text(encoding="utf-8"))
    raw["version"] = version
    for gate in raw["gates"]:
        if gate["target_stage"] == "production":
            gate["items"], gate["approvals"] = ["lineage-complete"], [{"role": "validator", "count": 1}]
    return yaml.safe_dump(raw)


def play(governance: Governance, registered: catalog.FoundVersion) -> None:
    """Everything."""
    _people(governance)
    _facts(governance, registered)
    _answers(governance, registered)
    _findings(governance, registered)
    _promotions(governance, registered)
    _policies(governance)


def _people(governance: Governance) -> None:
    people = governance.people
    with governance.units.writing() as unit:
        leaver = add_actor(
            unit, people.administrator, kind=ActorKind.PERSON, name="L", email="l@example.org", responsible_id=None
        )
        unit.session.flush()
        everything = Scope(ScopeKind.ALL)
        ended = grant_role(unit, people.administrator, leaver.id, Role.DEVELOPER, everything)
        unit.session.flush()
        revoke_role(unit, people.administrator, ended.id)
        issued = create_token(unit, people.administrator, leaver.id, "laptop", 30)
        unit.session.flush()
        revoke_token(unit, people.administrator, issued.row.id)
        record_leaving(unit, people.administrator, leaver.id)
        set_preferences(unit, people.auditor, "a@example.org", [Event.REVIEW_DUE])
    with governance.units.writing() as unit:
        until = unit.now + 5 * DAY
        first = delegate_role(unit, people.validator, people.ethics.id, Role.VALIDATOR, everything, until)
        unit.session.flush()
        end_delegation(unit, people.validator, first.id)
        delegate_role(unit, people.validator, people.security.id, Role.VALIDATOR, everything, until)


def _facts(governance: Governance, registered: catalog.FoundVersion) -> None:
    people, number = governance.people, registered.version.number
    with governance.units.writing() as unit:
        for alias in ("champion", "gone"):
            set_alias(unit, people.developer, NAME, alias, number)
        for key in ("note", "gone"):
            set_tag(unit, people.developer, NAME, number, key, "Kept for the audit.")
    with governance.units.writing() as unit:
        remove_alias(unit, people.developer, NAME, "gone")
        remove_tag(unit, people.developer, NAME, number, "gone")
        for text in (b"# First\n", b"# Second\n"):
            Storage(governance.settings.storage).put(text)
            new = NewDocument("qa", "QA", "qa.md", "text/markdown", sha256(text).digest(), len(text), text)
            row = upload(unit, people.developer, NAME, number, new)
            unit.session.flush()
        sign_off(unit, people.validator, row.id, "Read.")
        for edge in training_sets(unit, registered.version.id):
            keep_profile(unit, registered.version.id, edge, PROFILE, None)
        found = catalog.find_version(unit, people.developer, NAME, number)
        state_plan(unit, people.developer, found, 0, PLAN)
        key = NotificationKey(bytes(32))
        for label in ("desk", "gone"):
            hook = add_webhook(
                unit,
                people.operations,
                key,
                (),
                label=label,
                url="https://hooks.example.org/acta",
                events=[Event.REVIEW_DUE],
                scope=Scope(ScopeKind.ALL),
            )
            unit.session.flush()
        remove_webhook(unit, people.operations, hook.row.id)


def _answers(governance: Governance, registered: catalog.FoundVersion) -> None:
    people = governance.people
    with governance.units.writing() as unit:
        given = attest(unit, people.ethics, registered, "lawful-basis", Answer.YES, "Contract.", "Article 6(1)(b)")
        attest(unit, people.ethics, registered, "human-oversight", Answer.NO, "Nobody can stop it.", None)
        unit.session.flush()
        withdraw_attestation(unit, people.ethics, registered, given.id, "It ended.")
        for item in ("bias-assessed", "human-oversight"):
            row = grant_waiver(
                unit,
                people.risk,
                registered,
                item,
                reason="Late labels.",
                compensating_measure="By hand.",
                expires_at=unit.now + 20 * DAY,
            )
            unit.session.flush()
    with governance.units.writing() as unit:
        revoke_waiver(unit, people.risk, row.id, "It was mended.")


def _findings(governance: Governance, registered: catalog.FoundVersion) -> None:
    people = governance.people
    made = []
    for number in range(3):
        with governance.units.writing() as unit:
            fresh = catalog.version_by_id(unit, people.validator, registered.version.id)
            new = NewFinding(Severity.LOW, f"Finding {number}", "Income is in cents.", people.developer.id, None)
            made.append(findings.open_finding(unit, people.validator, fresh, new).id)
    with governance.units.writing() as unit:
        for finding in made[:2]:
            findings.remediate(unit, people.developer, finding, "Divided by 100.", "Commit 6f2c.")
    with governance.units.writing() as unit:
        findings.close(unit, people.validator, made[0], "Looked.")
        findings.reopen(unit, people.validator, made[1], "It is back.")
        findings.reassign(unit, people.risk, made[2], people.other_developer.id, "Better placed.")
        findings.change_severity(unit, people.risk, made[2], Severity.MEDIUM, "Graver.")


def _promotions(governance: Governance, registered: catalog.FoundVersion) -> None:
    people = governance.people
    with governance.units.writing() as unit:
        activate(unit, people.administrator, light_policy("900.1"))
    second = governance.register()
    for found in (registered, second):
        governance.run_checks(found)
        request_id = governance.request(found)
        with governance.units.writing() as unit:
            comment(unit, people.validator, request_id, "Looks well.")
            review(unit, people.validator, request_id, Role.VALIDATOR, Decision.APPROVE, "Read.")
        governance.execute(request_id)
    third = governance.register()
    request_id = governance.request(third, Stage.DEVELOPMENT)
    with governance.units.writing() as unit:
        withdraw_request(unit, people.developer, request_id, "Not yet.")
    with governance.units.writing() as unit:
        called = roll_back(unit, people.operations, NAME, "It refuses everybody.").row
    for actor in (people.validator, people.risk):
        with governance.units.writing() as unit:
            review_rollback(unit, actor, called.id, RollbackFinding.JUSTIFIED, "It failed.")
    with governance.units.writing() as unit:
        fresh = catalog.version_by_id(unit, people.validator, registered.version.id)
        confirm_review(unit, people.validator, fresh, "Looked at again.")


def _policies(governance: Governance) -> None:
    people = governance.people
    extra = light_policy("1.0").replace("name: acta-default", "name: credit").replace("- '*'", "- never-*")
    with governance.units.writing() as unit:
        change = activate(unit, people.administrator, extra)
    with governance.units.writing() as unit:
        assert change.policy is not None
        deactivate(unit, people.administrator, change.policy.id)
