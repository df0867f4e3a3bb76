"""Routes of gates, answers to checklist items, and automatic checks."""

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from registry.access.actor import PARTICIPANTS, REVIEWERS, Actor, Role
from registry.catalog.facts import Stage
from registry.catalog.service import find_version
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.jobs.api import JobView
from registry.policy import service
from registry.policy.attestations import attest, list_attestations, withdraw_attestation
from registry.policy.jobs import list_results, request_checks
from registry.policy.references import Reference
from registry.policy.tables import Answer
from registry.policy.views import AttestationView, CheckResultView, GateView
from registry.unit import Unit

ANSWERING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER, Role.DEVELOPER)
"""The roles that take part in bringing a version through a gate."""


class NewAttestation(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to an item of a checklist."""

    item: str
    answer: Answer
    reason: str
    evidence: str | None = None
    """A link, or where to look."""
    rests_on: list[Reference] = []
    """Documents, assessments and check results of the version."""


class AttestationWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Why an answer is taken back."""

    reason: str


class GateController(Controller):
    """Gates: what a version must show before it may enter a stage."""

    path = "/api/v1/models/{name:str}/versions/{number:int}"
    tags = ["gates"]

    @get("/gate", guards=[signed_in])
    @reads
    def show(
        self,
        name: FromPath[str],
        number: FromPath[int],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        target_stage: FromQuery[Stage] = Stage.PRODUCTION,
    ) -> GateView:
        """How far a version is from entering a stage, item by item."""
        found = find_version(unit, actor, name, number)
        return GateView.of(service.gate_of(unit, found, target_stage))

    @post("/attestations", guards=[requires(*ANSWERING)])
    @writes
    def attest(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[NewAttestation],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> AttestationView:
        """Answer an item."""
        found = find_version(unit, actor, name, number)
        return AttestationView.of(
            attest(unit, actor, found, data.item, data.answer, data.reason, data.evidence, data.rests_on)
        )

    @post("/attestations/{attestation_id:uuid}/withdrawal", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def withdraw(
        self,
        name: FromPath[str],
        number: FromPath[int],
        attestation_id: FromPath[UUID],
        data: JSONBody[AttestationWithdrawal],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> AttestationView:
        """Take an answer back."""
        found = find_version(unit, actor, name, number)
        return AttestationView.of(withdraw_attestation(unit, actor, found, attestation_id, data.reason))

    @get("/attestations", guards=[signed_in])
    @reads
    def attestations(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[AttestationView]:
        """All answers, newest first."""
        found = find_version(unit, actor, name, number)
        return [AttestationView.of(row) for row in list_attestations(unit, found.version.id)]

    @post("/checks", guards=[requires(*ANSWERING)], status_code=202)
    @writes
    def run_checks(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[JobView]:
        """Run all automatic checks, in a job."""
        found = find_version(unit, actor, name, number)
        actor.require(*ANSWERING, place=found.place)
        return Response(JobView.of(request_checks(unit, actor, found.version.id)), status_code=202)

    @get("/checks", guards=[signed_in])
    @reads
    def results(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[CheckResultView]:
        """Results of the automatic checks, newest first."""
        found = find_version(unit, actor, name, number)
        return [CheckResultView.of(row) for row in list_results(unit, found.version.id)]
