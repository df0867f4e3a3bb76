"""What clients do about a version's gate: read it, answer its items, have its checks run, grant exceptions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from registry.client.answers import AnswerWord, Attestation, Gate, Job, Reference, Waiver
from registry.client.connection import Connection, version_path


class GateCalls:
    """The part of the client that speaks of gates."""

    _connection: Connection

    def gate(self, model: str, number: int, target_stage: str) -> Gate:
        """What the version must show for that stage, and how each item stands."""
        return self._connection.get(f"{version_path(model, number)}/gate", Gate, {"target_stage": target_stage})

    def attest(
        self,
        model: str,
        number: int,
        item: str,
        answer: AnswerWord,
        reason: str,
        evidence: str | None = None,
        rests_on: Sequence[Reference] = (),
    ) -> Attestation:
        """Answer a checklist item; `rests_on` names documents, assessments and check results of the version."""
        body = {"item": item, "answer": answer, "reason": reason, "evidence": evidence, "rests_on": list(rests_on)}
        return self._connection.post(f"{version_path(model, number)}/attestations", body, Attestation)

    def attestations(self, model: str, number: int) -> list[Attestation]:
        """All answers to a version's items, newest first, those that were taken back among them."""
        return self._connection.get(f"{version_path(model, number)}/attestations", list[Attestation])

    def withdraw_attestation(self, model: str, number: int, attestation_id: UUID, reason: str) -> Attestation:
        """Take an answer back."""
        path = f"{version_path(model, number)}/attestations/{attestation_id}/withdrawal"
        return self._connection.post(path, {"reason": reason}, Attestation)

    def run_checks(self, model: str, number: int) -> Job:
        """Ask for all automatic checks; wait for the job with `wait_for_job`."""
        return self._connection.post(f"{version_path(model, number)}/checks", {}, Job)

    def waive(
        self, model: str, number: int, item: str, *, reason: str, compensating_measure: str, expires_at: datetime
    ) -> Waiver:
        """Grant a dated exception to one checklist item."""
        body = {
            "item": item,
            "reason": reason,
            "compensating_measure": compensating_measure,
            "expires_at": expires_at,
        }
        return self._connection.post(f"{version_path(model, number)}/waivers", body, Waiver)
