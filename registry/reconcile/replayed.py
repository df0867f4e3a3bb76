"""The tables that follow from the log, and why the others do not."""

from collections.abc import Mapping

from registry.reconcile.projection import Projection, changes, makes, removes

TIME_OF_ENTRY = "the entry's own time says it"

REPLAYED: tuple[Projection, ...] = (
    Projection(
        "acta_actor",
        (
            makes("actor.added", "kind name email responsible_id left_at=@null"),
            changes("actor.preferences-set", "email"),
            changes("actor.left", "left_at"),
        ),
        {"created_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_role_grant",
        (
            makes(
                "role.granted",
                "actor_id role scope_kind scope_name granted_by=@actor revoked_at=@null on_behalf_of=@null "
                "expires_at=@null",
            ),
            makes(
                "role.delegated",
                "actor_id role scope_kind scope_name granted_by=@actor revoked_at=@null on_behalf_of expires_at",
            ),
            changes("role.revoked", "revoked_at"),
        ),
        {"granted_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_token",
        (
            makes("token.created", "actor_id label is_bootstrap expires_at revoked_at=@null"),
            changes("token.revoked", "revoked_at"),
        ),
        {
            "secret_hash": "nothing of a secret is logged",
            "last_used_at": "uses are not logged",
            "created_at": TIME_OF_ENTRY,
        },
    ),
    Projection(
        "acta_registered_model",
        (
            makes(
                "model.registered",
                "name team owner_id purpose intended_users out_of_scope limitations affected_persons risk_profile "
                "risk_tier risk_revision created_by=@actor",
            ),
            changes(
                "model.edited",
                "owner_id purpose intended_users out_of_scope limitations affected_persons risk_profile risk_tier "
                "risk_revision",
            ),
            changes("model.handed-over", "owner_id"),
            changes("model.risk-assessed", "risk_tier=tier"),
        ),
        {
            "name_key": "it is computed from the name",
            "revision": "it counts edits, which are logged",
            "created_at": TIME_OF_ENTRY,
        },
    ),
    Projection(
        "acta_risk",
        (
            makes(
                "model.risk-assessed",
                "model_id=@subject number answers answers_revision tier reason policy_id assessed_at "
                "assessed_by=@actor",
                "id=risk_id",
            ),
        ),
    ),
    Projection(
        "acta_model_version",
        (
            makes(
                "version.registered",
                "model_id number source_uri content_digest framework framework_version run_id size_bytes description "
                "metrics parameters=details.0 signature=details.1 trained_by created_by=@actor stage='none "
                "digest_state='stated",
            ),
            changes("version.digest-checked", "digest_state"),
            changes("version.stage-changed", "stage=to"),
        ),
        {"digest_checked_at": TIME_OF_ENTRY, "created_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_lineage_edge",
        (
            makes(
                "version.registered",
                "kind=@item.kind role=@item.role name=@item.name uri=@item.uri digest=@item.digest "
                "identifier=@item.identifier",
                "version_id=@subject position=@index",
                each="details.2",
            ),
        ),
    ),
    Projection(
        "acta_alias",
        (
            makes("alias.set", "version_id", "model_id=@subject alias"),
            removes("alias.removed", "model_id=@subject alias"),
        ),
    ),
    Projection(
        "acta_version_tag",
        (
            makes("tag.set", "value", "version_id=@subject key"),
            removes("tag.removed", "version_id=@subject key"),
        ),
    ),
    Projection(
        "acta_document",
        (
            makes(
                "document.uploaded",
                "version_id kind title file_name media_type digest=sha256 size_bytes uploaded_by=@actor "
                "signed_off_by=@null sign_off_comment=@null superseded_by=@null",
            ),
            changes("document.uploaded", "superseded_by=@subject", "id=supersedes"),
            changes("document.signed-off", "signed_off_by=@actor sign_off_comment=comment"),
        ),
        {"uploaded_at": TIME_OF_ENTRY, "signed_off_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_assessment",
        (
            makes(
                "assessment.requested",
                "version_id job_id origin requested_by=@actor data_name data_digest=data_sha256 "
                "declared_digest=declared_sha256 data_size_bytes roles verdict=@null rows=@null result_digest=@null "
                "summary=@null compared=@null accuracy=@null state='waiting",
            ),
            changes(
                "assessment.finished",
                "state='done verdict rows result_digest=result_sha256 summary compared accuracy=performance.accuracy",
            ),
            changes("assessment.failed", "state='failed"),
        ),
        {
            "requested_at": TIME_OF_ENTRY,
            "finished_at": TIME_OF_ENTRY,
        },
    ),
    Projection(
        "acta_attestation",
        (
            makes(
                "attestation.given",
                "version_id item answer reason evidence rests_on risk_revision attested_by=@actor attested_at "
                "on_behalf_of withdrawn_at=@null withdrawn_by=@null withdrawal_reason=@null",
            ),
            changes("attestation.withdrawn", "withdrawn_at withdrawn_by=@actor withdrawal_reason=reason"),
        ),
    ),
    Projection(
        "acta_check_result",
        (
            makes(
                "check.finished",
                "version_id check_name=check check_version outcome reason evidence inputs_digest=inputs_sha256 "
                "checked_at",
            ),
        ),
    ),
    Projection(
        "acta_waiver",
        (
            makes(
                "waiver.granted",
                "version_id item finding_id reason compensating_measure granted_by=@actor granted_at expires_at",
            ),
            changes("waiver.revoked", "expires_at"),
        ),
    ),
    Projection(
        "acta_finding",
        (
            makes(
                "finding.opened",
                "version_id severity title description owner_id due_at state opened_by=@actor check_name=check "
                "check_result_id opened_at remediation=@null remediation_evidence=@null remediated_by=@null "
                "remediated_at=@null closed_by=@null closed_at=@null",
            ),
            changes(
                "finding.remediated",
                "state remediation remediation_evidence=evidence remediated_by=@actor remediated_at",
            ),
            changes("finding.closed", "state closed_by=@actor closed_at"),
            changes(
                "finding.reopened",
                "state due_at remediation=@null remediation_evidence=@null remediated_by=@null remediated_at=@null "
                "closed_by=@null closed_at=@null",
            ),
            changes("finding.reassigned", "owner_id due_at"),
            changes("finding.severity-changed", "severity=to"),
        ),
        {"escalated_at": "it says only whether the owners were told, which is logged"},
    ),
    Projection(
        "acta_promotion_request",
        (
            makes(
                "promotion.requested",
                "number version_id content_digest target_stage policy_id risk_tier risk_revision justification state "
                "requested_by=@actor requested_at expires_at ended_at=@null executed_by=@null gate=@null "
                "handed_to=@null evidence=#evidence_sha256",
            ),
            changes("promotion.reviewed", "state ended_at"),
            changes("promotion.executed", "state ended_at executed_by=@actor gate"),
            changes("promotion.withdrawn", "state ended_at"),
            changes("promotion.expired", "state ended_at"),
            changes("promotion.stale", "state ended_at"),
            changes("promotion.handed-over", "handed_to"),
        ),
    ),
    Projection(
        "acta_review",
        (
            makes(
                "promotion.reviewed",
                "request_id=@subject role decision reason reviewed_by=@actor reviewed_at on_behalf_of role_granted_by "
                "evidence=#evidence_sha256",
                "id=review_id",
            ),
        ),
    ),
    Projection(
        "acta_promotion_comment",
        (
            makes(
                "promotion.commented",
                "request_id=@subject text written_by=@actor written_at",
                "id=comment_id",
            ),
        ),
    ),
    Projection(
        "acta_rollback",
        (
            makes(
                "rollback.called",
                "model_id from_version_id to_version_id policy_id reason called_by=@actor on_behalf_of called_at "
                "reviewers review_due_at reviewed_at=@null",
            ),
            changes("rollback.reviewed", "reviewed_at"),
        ),
    ),
    Projection(
        "acta_rollback_review",
        (
            makes(
                "rollback.reviewed",
                "rollback_id=@subject role finding reason reviewed_by=@actor on_behalf_of reviewed_at=given_at",
                "id=review_id",
            ),
        ),
    ),
    Projection(
        "acta_lapse",
        (
            makes(
                "lapse.flagged",
                "version_id requirement title reason policy_id since flagged_at move_at then_stage ended_at=@null "
                "ended_as=@null",
            ),
            changes("lapse.ended", "ended_at ended_as"),
        ),
    ),
    Projection(
        "acta_stage_review",
        (makes("stage-review.given", "version_id reason reviewed_by=@actor reviewed_at"),),
    ),
    Projection(
        "acta_policy",
        (
            makes(
                "policy.activated", "name version digest=sha256 text=#sha256 activated_at activated_by ended_at=@null"
            ),
            changes("policy.activated", "ended_at=activated_at", "id=replaces"),
            changes("policy.deactivated", "ended_at"),
        ),
    ),
    Projection(
        "acta_policy_proposal",
        (
            makes(
                "policy.proposed",
                "kind name version digest=sha256 text=#sha256 state proposed_by=@actor proposed_at expires_at "
                "ended_by=@null ended_at=@null",
            ),
            changes("policy.activated", "state='confirmed ended_by=@actor ended_at=activated_at", "id=proposal_id"),
            changes("policy.deactivated", "state='confirmed ended_by=@actor ended_at", "id=proposal_id"),
            changes("policy.proposal-withdrawn", "state ended_by=@actor ended_at"),
        ),
    ),
    Projection(
        "acta_monitoring_plan",
        (
            makes(
                "plan.stated",
                "version_id revision plan digest=sha256 owner_id webhook_id stated_by=@actor stated_at",
            ),
        ),
        {"route_digest": "it is computed from the plan"},
    ),
    Projection(
        "acta_training_profile",
        (
            makes(
                "profile.stored",
                "dataset_name=dataset origin row_count=rows digest=sha256 stated_by=@actor made_at",
                "version_id=@subject dataset_digest=dataset_sha256",
            ),
        ),
        {"columns": "its digest is compared, and whoever wants to computes it again from the columns"},
    ),
    Projection(
        "acta_alert",
        (
            makes(
                "alert.sent",
                "version_id plan_revision route_digest=route_sha256 owner_id raised_by=@actor raised_at expires_at "
                "acknowledged_at=@null acknowledged_by=@null",
            ),
            changes("alert.acknowledged", "acknowledged_at acknowledged_by=@actor"),
        ),
    ),
    Projection(
        "acta_card",
        (
            makes(
                "card.requested",
                "version_id job_id state='waiting requested_by=@actor facts_at=@null facts_digest=@null "
                "facts_entry=@null pdf_digest=@null finished_at=@null",
            ),
            changes("card.facts-recorded", "facts_at facts_digest=facts_sha256"),
            changes("card.sealed", "state='ready facts_entry pdf_digest=pdf_sha256 finished_at"),
            changes("card.failed", "state='failed finished_at"),
        ),
        {"requested_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_webhook",
        (
            makes("webhook.added", "label url events scope_kind scope_name created_by=@actor removed_at=@null"),
            changes("webhook.removed", "removed_at"),
        ),
        {"sealed_secret": "nothing of a secret is logged", "created_at": TIME_OF_ENTRY},
    ),
    Projection(
        "acta_vulnerability_export",
        (makes("vulnerability-export.read", "digest=sha256 exported_at records read_at"),),
    ),
    Projection(
        "acta_muted_event",
        (makes("actor.preferences-set", "events=muted", "person_id=@subject"),),
    ),
)

DERIVED: Mapping[str, str] = {
    "acta_delivery": "what was sent to whom; that it was delivered or given up is logged",
    "acta_delivery_attempt": "the history of a delivery",
    "acta_idempotency": "answers kept for a day, so that a repeated request does nothing twice",
    "acta_job": "work in hand; what it comes to is logged",
    "acta_notification": "it is written with the change that it tells of, which is logged",
    "acta_periodic_job": "when a look is due next",
    "acta_session": "signing in and out is logged; nothing of a secret is",
}
"""Tables that do not follow from the log, each with the reason."""
