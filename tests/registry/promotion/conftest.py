"""A version brought to the gate to production, with everything that the default policy asks of high risk."""

from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from audit.entry import Entry
from audit.reads import EntryFilter, entries_after
from registry.access.actor import Actor, ActorKind, Role
from registry.access.service import add_actor
from registry.assessments.tables import AssessmentRow, AssessmentState, Verdict
from registry.catalog import service as catalog
from registry.catalog.facts import DigestState, Stage
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion
from registry.documents.service import NewDocument, sign_off, upload
from registry.jobs.worker import Worker
from registry.policy.attestations import attest
from registry.policy.jobs import request_checks
from registry.policy.policy import AttestationNeeded, DocumentNeeded, parse
from registry.policy.service import gate_of
from registry.policy.tables import Answer
from registry.promotion import service
from registry.promotion.reviews import review
from registry.promotion.tables import Decision
from registry.resources import default_policy_path
from registry.settings import Settings
from registry.storage import Storage
from registry.unit import Unit, Units
from tests.registry.conftest import FACTS, TEST_DATA_DIGEST, People
from tests.registry.monitoring.plans import monitor_in

POLICY = parse(default_policy_path().read_text(encoding="utf-8"))
NAME = "credit-default"
READ = {item.shown.kind for item in POLICY.items.values() if isinstance(item.shown, DocumentNeeded)} | {
    "validation-report",
    "data-protection-impact",
    "fundamental-rights-impact",
}
"""Kinds of documents that an item or an automatic check looks at."""


@dataclass(frozen=True)
class Governance:
    """People who bring versions of one model through gates."""

    units: Units
    people: People
    settings: Settings

    def actor_with(self, role: Role) -> Actor:
        """The actor of that role, by the names of `People`."""
        names = {
            Role.DEVELOPER: "developer",
            Role.VALIDATOR: "validator",
            Role.ETHICS_REVIEWER: "ethics",
            Role.SECURITY_REVIEWER: "security",
            Role.OPERATIONS_REVIEWER: "operations",
            Role.RISK_OFFICER: "risk",
        }
        actor: Actor = getattr(self.people, names[role])
        return actor

    def register(self) -> FoundVersion:
        """Another version of the model."""
        with self.units.writing() as unit:
            number = catalog.register_version(unit, self.people.developer, NAME, FACTS).number
            return catalog.find_version(unit, self.people.developer, NAME, number)

    def complete(self, found: FoundVersion) -> None:
        """Everything but approvals."""
        with self.units.writing() as unit:
            self._answer(unit, found)
            self._document(unit, found)
            _verify(unit, found)
            assess(unit, self.people.developer, found, Verdict.PASS)
            monitor_in(unit, self.people, found)
        self.run_checks(found)

    def _answer(self, unit: Unit, found: FoundVersion) -> None:
        for item in POLICY.items.values():
            if isinstance(item.shown, AttestationNeeded):
                attest(unit, self.actor_with(item.shown.roles[0]), found, item.id, Answer.YES, "Seen.", None)

    def _document(self, unit: Unit, found: FoundVersion) -> None:
        for kind in POLICY.documents:
            if kind.kind in READ:
                body = f"# {kind.title}\n".encode()
                Storage(self.settings.storage).put(body)
                document = NewDocument(
                    kind.kind, kind.title, f"{kind.kind}.md", "text/markdown", sha256(body).digest(), len(body), body
                )
                validated = kind.kind == "validation-report"
                author = self.people.validator if validated else self.people.developer
                signer = self.people.risk if validated else self.people.validator
                row = upload(unit, author, NAME, found.version.number, document)
                sign_off(unit, signer, row.id, "Read.")

    def run_checks(self, found: FoundVersion) -> None:
        """Run the automatic checks by a real worker."""
        with self.units.writing() as unit:
            request_checks(unit, self.people.developer, found.version.id)
        Worker(self.units, self.settings).run_until_idle()

    def request(self, found: FoundVersion, stage: Stage = Stage.PRODUCTION, by: Actor | None = None) -> UUID:
        """A request of the developer, or of somebody else."""
        with self.units.writing() as unit:
            fresh = catalog.version_by_id(unit, self.people.developer, found.version.id)
            return service.request(unit, by or self.people.developer, fresh, stage, "It is ready.").request.id

    def review(self, request_id: UUID, actor: Actor, role: Role, decision: Decision = Decision.APPROVE) -> str:
        """The state after a review."""
        with self.units.writing() as unit:
            return review(unit, actor, request_id, role, decision, "Considered.").state.value

    def approve(self, request_id: UUID) -> None:
        """The approvals that production asks for high risk."""
        for approval in POLICY.gate(Stage.PRODUCTION, "high").approvals:
            self.review(request_id, self.actor_with(approval.role), approval.role)

    def execute(self, request_id: UUID) -> str:
        """The state after an execution."""
        with self.units.writing() as unit:
            return service.execute(unit, self.people.developer, request_id).state.value

    def promote(self, found: FoundVersion) -> UUID:
        """All the way into production."""
        self.complete(found)
        request_id = self.request(found)
        self.approve(request_id)
        assert self.execute(request_id) == "executed"
        return request_id

    def stage(self, found: FoundVersion) -> str:
        """Where a version stands."""
        with self.units.reading() as unit:
            return unit.session.get_one(ModelVersion, found.version.id).stage

    def unmet(self, found: FoundVersion, stage: Stage = Stage.PRODUCTION) -> list[str]:
        """Ids of everything missing at the gate."""
        with self.units.reading() as unit:
            fresh = catalog.version_by_id(unit, self.people.developer, found.version.id)
            return [requirement.id for requirement in gate_of(unit, fresh, stage).unmet]

    def actions(self) -> list[str]:
        """The actions in the log, in order."""
        return [entry.action for entry in self.entries()]

    def entries(self) -> list[Entry]:
        """The whole log, in order."""
        with self.units.reading() as unit:
            return entries_after(unit.session.connection(), EntryFilter(), None, 10_000)

    def machine_of(self, person: Actor, *grants: Role) -> Actor:
        """A machine for which a person answers, with roles."""
        with self.units.writing() as unit:
            row = add_actor(
                unit,
                self.people.administrator,
                kind=ActorKind.MACHINE,
                name=f"machine {uuid4()}",
                email=None,
                responsible_id=person.id,
            )
            sources = [self.actor_with(role).grants[0] for role in grants]
            return Actor(row.id, ActorKind.MACHINE, person.id, tuple(sources))

    def also(self, actor: Actor, *roles: Role) -> Actor:
        """The same actor with more roles."""
        return replace(actor, grants=actor.grants + tuple(self.actor_with(role).grants[0] for role in roles))


def _verify(unit: Unit, found: FoundVersion) -> None:
    """What the digest job writes where the stored bytes have the stated digest."""
    unit.session.execute(
        update(ModelVersion)
        .where(col(ModelVersion.id) == found.version.id)
        .values(digest_state=DigestState.VERIFIED.value, digest_checked_at=unit.now)
    )


def assess(unit: Unit, actor: Actor, found: FoundVersion, verdict: Verdict) -> None:
    """What the assessment job writes."""
    unit.session.add(
        AssessmentRow(
            version_id=found.version.id,
            requested_by=actor.id,
            requested_at=unit.now,
            data_name="holdout.parquet",
            data_digest=bytes(32),
            declared_digest=bytes.fromhex(TEST_DATA_DIGEST),
            data_size_bytes=1000,
            roles={},
            state=AssessmentState.DONE.value,
            verdict=verdict.value,
            rows=6000,
            result_digest=sha256(verdict.value.encode()).digest(),
            summary=f"The verdict is {verdict.value}.",
            finished_at=unit.now,
        )
    )


@pytest.fixture
def governance(units: Units, people: People, settings: Settings) -> Governance:
    """People at work."""
    return Governance(units, people, settings)
