"""Every action that the audit log may hold, with its fields. The kind of an entry's subject is the action's first word.

A field is spelled `name:kind`; `?` says that it may be null, `~` that it may be left out (`registry.actions.fields`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from audit.entry import Entry
from registry.actions.fields import Field, fields_of, fits

STATED = (
    "owner_id:identifier risk_profile:mapping risk_tier:word risk_revision:number purpose:text intended_users:text? "
    "out_of_scope:text? limitations:text? affected_persons:text?"
)
"""What is stated of a model."""


@dataclass(frozen=True)
class Action:
    """One action: what happened, and its fields as they are spelled."""

    meaning: str
    spelled: str

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields, by name."""
        return {field.name: field for field in fields_of(self.spelled)}


ACTIONS: Mapping[str, Action] = {
    "access.refused": Action("Somebody asked for what their roles do not allow.", "reason:text"),
    "actor.added": Action(
        "A person or machine was made known. `responsible_id`: who answers for a machine.",
        "kind:word name:text email:text~ responsible_id:identifier?~",
    ),
    "actor.left": Action("A person left, or a machine was retired.", "left_at:instant"),
    "actor.preferences-set": Action(
        "Somebody chose where they are told of events, and of which not.", "email:text? muted:words"
    ),
    "actor.work-handed-over": Action(
        "The open work of somebody who left went to another person; the counts say how much.",
        "to:identifier reason:text models:number findings:number requests:number",
    ),
    "alert.acknowledged": Action(
        "An alert's owner pressed the button behind its link.",
        "version_id:identifier acknowledged_at:instant by:word",
    ),
    "alert.sent": Action(
        "A test alert went along the route of a monitoring plan.",
        "version_id:identifier plan_revision:number route_sha256:digest owner_id:identifier delivery_id:identifier "
        "raised_at:instant expires_at:instant",
    ),
    "alias.removed": Action("An alias of a model was taken away.", "alias:word before:identifier"),
    "alias.set": Action(
        "An alias of a model was pointed at a version. `before`: the version at which it pointed.",
        "alias:word version_id:identifier before:identifier?",
    ),
    "assessment.downloaded": Action(
        "Somebody was given the result of a bias assessment.",
        "version_id:identifier? media_type:word sha256:digest",
    ),
    "assessment.failed": Action("A bias assessment could not be made.", "version_id:identifier reason:text"),
    "assessment.finished": Action(
        "A bias assessment was made. `performance`: measured values, as decimal text.",
        "version_id:identifier origin:word verdict:word rows:number data_sha256:digest result_sha256:digest "
        "summary:text performance:mapping compared:text",
    ),
    "assessment.requested": Action(
        "A bias assessment was asked for. `declared_sha256`: of the declared test set, where one was named.",
        "version_id:identifier job_id:identifier origin:word data_name:text data_sha256:digest "
        "data_size_bytes:number declared_sha256:digest? roles:text",
    ),
    "attestation.given": Action(
        "A person answered an item of a checklist. `on_behalf_of`: in whose role a delegate did.",
        "version_id:identifier item:word answer:word reason:text evidence:text? rests_on:references "
        "on_behalf_of:identifier? risk_revision:number attested_at:instant",
    ),
    "attestation.withdrawn": Action(
        "An answer was taken back.", "version_id:identifier item:word withdrawn_at:instant reason:text"
    ),
    "card.downloaded": Action(
        "Somebody was given a model card or its facts.", "version_id:identifier? media_type:word sha256:digest"
    ),
    "card.facts-recorded": Action(
        "The facts of a card were gathered, before it was rendered.",
        "version_id:identifier facts_sha256:digest facts_at:instant",
    ),
    "card.failed": Action("A card could not be rendered.", "version_id:identifier reason:text finished_at:instant"),
    "card.requested": Action("A card was asked for.", "version_id:identifier job_id:identifier"),
    "card.sealed": Action(
        "A card was rendered and sealed. `facts_entry`: the entry that holds the digest of its facts.",
        "version_id:identifier facts_entry:number unsealed_sha256:digest pdf_sha256:digest finished_at:instant",
    ),
    "check.finished": Action(
        "An automatic check left a result. `inputs_sha256`: of what it looked at.",
        "version_id:identifier check:word check_version:number outcome:word reason:text evidence:text "
        "inputs_sha256:digest checked_at:instant",
    ),
    "document.downloaded": Action(
        "Somebody was given a document.", "version_id:identifier? media_type:word sha256:digest"
    ),
    "document.signed-off": Action(
        "Somebody who did not write it said that a document is good.",
        "version_id:identifier sha256:digest comment:text?",
    ),
    "document.uploaded": Action(
        "A document was added to a version. `supersedes`: the older one of its kind.",
        "version_id:identifier kind:word title:text file_name:text media_type:word sha256:digest size_bytes:number "
        "supersedes:identifier?",
    ),
    "finding.closed": Action(
        "Somebody agreed that a finding is mended.", "version_id:identifier reason:text state:word closed_at:instant"
    ),
    "finding.escalated": Action(
        "A finding was overdue, and its owners and risk officers were told.",
        "version_id:identifier due_at:instant escalated_at:instant",
    ),
    "finding.opened": Action(
        "A finding was opened, by a person or by a check that failed.",
        "version_id:identifier severity:word title:text description:text owner_id:identifier due_at:instant "
        "check:word? check_result_id:identifier? state:word opened_at:instant",
    ),
    "finding.reassigned": Action(
        "A finding has another owner or day.",
        "version_id:identifier owner_id:identifier due_at:instant reason:text",
    ),
    "finding.remediated": Action(
        "A finding's owner said how it was mended.",
        "version_id:identifier remediation:text evidence:text? state:word remediated_at:instant",
    ),
    "finding.reopened": Action(
        "A remediated or closed finding is open again.",
        "version_id:identifier reason:text state:word due_at:instant",
    ),
    "finding.severity-changed": Action(
        "A finding is graver or less grave than it was.", "version_id:identifier from:word to:word reason:text"
    ),
    "job.cancelled": Action("A job was cancelled.", "kind:word"),
    "job.replayed": Action("A job that had failed for good was queued again.", "kind:word"),
    "lapse.ended": Action(
        "What had lapsed is met again, or the version left production.",
        "version_id:identifier ended_at:instant ended_as:word",
    ),
    "lapse.flagged": Action(
        "A version in production shows no longer what it must. `move_at`: when it is moved unless it is met again.",
        "version_id:identifier requirement:word title:text reason:text policy_id:identifier since:instant "
        "flagged_at:instant move_at:instant? then_stage:word?",
    ),
    "mail.delivered": Action(
        "A mail server took an e-mail. `status`: its reply code.",
        "delivery_id:identifier event:word subject_id:word attempt:number status:number?",
    ),
    "mail.given-up": Action(
        "An e-mail could not be delivered.",
        "delivery_id:identifier event:word subject_id:word attempt:number status:number?",
    ),
    "model.edited": Action("What is stated of a model was changed.", f"revision:number {STATED}"),
    "model.handed-over": Action(
        "A model went from somebody who left to another owner.", "owner_id:identifier revision:number"
    ),
    "model.registered": Action("A model was registered.", f"name:word team:word {STATED}"),
    "model.risk-assessed": Action(
        "A model's answers gave a risk tier, by the rules of the governing policy.",
        "risk_id:identifier number:number answers:mapping answers_revision:number tier:word reason:word "
        "policy_id:identifier? assessed_at:instant",
    ),
    "plan.stated": Action(
        "A revision of a monitoring plan was stated.",
        "version_id:identifier revision:number owner_id:identifier? webhook_id:identifier? sha256:digest plan:text "
        "stated_at:instant",
    ),
    "policy.activated": Action(
        "A policy governs from now on.",
        "name:word version:word sha256:digest governs:word~ activated_at:instant activated_by:identifier?~ "
        "replaces:identifier?~ proposal_id:identifier?~",
    ),
    "policy.deactivated": Action(
        "A policy governs no longer.", "name:word version:word ended_at:instant proposal_id:identifier?"
    ),
    "policy.proposal-withdrawn": Action(
        "A proposal to activate or end a policy was withdrawn.", "state:word ended_at:instant"
    ),
    "policy.proposed": Action(
        "An administrator proposed to activate or end a policy; another one has to confirm.",
        "kind:word name:word version:word sha256:digest state:word proposed_at:instant expires_at:instant",
    ),
    "profile.stored": Action(
        "The profile of training data was kept: read here, or stated by a client.",
        "dataset_sha256:digest dataset:text origin:word rows:number columns:number sha256:digest profile:text "
        "made_at:instant",
    ),
    "promotion.commented": Action(
        "Somebody said something about a request.", "comment_id:identifier text:text written_at:instant"
    ),
    "promotion.executed": Action(
        "A request was executed: the gate was met at that instant. `items`: how each stood; `gate`: all of it.",
        "version_id:identifier content_digest:digest target_stage:word policy_id:identifier state:word "
        "ended_at:instant items:mapping gate:text",
    ),
    "promotion.expired": Action("The days of a request were over.", "state:word ended_at:instant cause:word"),
    "promotion.handed-over": Action(
        "A live request of somebody who left went to another person.", "handed_to:identifier"
    ),
    "promotion.refused": Action("A request could not be executed, or not be reviewed by that person.", "reason:text"),
    "promotion.requested": Action(
        "A promotion was asked for. `evidence_sha256`: of the evidence as it stood.",
        "number:number version_id:identifier content_digest:digest target_stage:word policy_id:identifier "
        "risk_tier:word risk_revision:number justification:text state:word requested_at:instant expires_at:instant "
        "evidence_sha256:digest",
    ),
    "promotion.reviewed": Action(
        "A reviewer approved, rejected, or asked for changes. `role_granted_by`: who granted the role.",
        "review_id:identifier role:word decision:word reason:text on_behalf_of:identifier? reviewed_at:instant "
        "evidence_sha256:digest role_granted_by:identifiers state:word ended_at:instant?",
    ),
    "promotion.stale": Action(
        "A request no longer fits what it was made for. `items`: whose evidence is another one.",
        "state:word ended_at:instant cause:word items:words~ policy_id:identifier?~",
    ),
    "promotion.withdrawn": Action("A request was withdrawn.", "reason:text state:word ended_at:instant"),
    "role.delegated": Action(
        "A person named a delegate for one of their roles.",
        "actor_id:identifier role:word scope_kind:word scope_name:word? on_behalf_of:identifier granted_at:instant "
        "expires_at:instant",
    ),
    "role.granted": Action("A role was granted.", "actor_id:identifier role:word scope_kind:word scope_name:word?"),
    "role.revoked": Action("A role, or a delegation of one, ended.", "revoked_at:instant on_behalf_of:identifier~"),
    "rollback.called": Action(
        "Somebody went back in an emergency to the version that was in production before.",
        "model_id:identifier from_version_id:identifier to_version_id:identifier policy_id:identifier reason:text "
        "on_behalf_of:identifier? called_at:instant reviewers:number review_due_at:instant",
    ),
    "rollback.reviewed": Action(
        "Somebody said whether a rollback was justified. `reviewed_at`: when it owed no review any more.",
        "review_id:identifier role:word finding:word reason:text on_behalf_of:identifier? given_at:instant "
        "reviewed_at:instant?",
    ),
    "session.closed": Action("Somebody signed out of the pages.", "token_id:identifier"),
    "session.opened": Action("Somebody signed in to the pages.", "token_id:identifier expires_at:instant"),
    "stage-review.given": Action(
        "A version in production was looked at again, and may stay.",
        "version_id:identifier reason:text reviewed_at:instant",
    ),
    "tag.removed": Action("A tag of a version was taken away.", "key:word"),
    "tag.set": Action("A tag of a version was set.", "key:word value:text"),
    "token.created": Action(
        "An API token was made. `is_bootstrap`: the one-time token of an installation.",
        "actor_id:identifier label:text expires_at:instant is_bootstrap:truth",
    ),
    "token.revoked": Action("An API token was revoked.", "revoked_at:instant"),
    "version.digest-checked": Action(
        "The content digest was computed from the stored bytes: as stated, or another one.",
        "digest_state:word stated:digest found:digest",
    ),
    "version.registered": Action(
        "A version was registered. `details`: parameters, signature and lineage, as JSON.",
        "model_id:identifier number:number source_uri:text content_digest:digest framework:word "
        "framework_version:word? run_id:word? size_bytes:number? description:text? metrics:text details:text "
        "details_sha256:digest trained_by:identifier?",
    ),
    "version.stage-changed": Action(
        "A version was moved: by a promotion, a rollback, or because evidence lapsed.",
        "from:word to:word promotion_id:identifier~ rollback_id:identifier~ rule:word~ lapse_id:identifier~ "
        "requirement:word~ policy_id:identifier~ move_at:instant~",
    ),
    "vulnerability-export.read": Action(
        "The operator's export of known vulnerabilities was read for the first time.",
        "sha256:digest exported_at:instant records:number read_at:instant",
    ),
    "waiver.granted": Action(
        "An item or a finding was excepted for a while.",
        "version_id:identifier item:word? finding_id:identifier? reason:text compensating_measure:text "
        "granted_at:instant expires_at:instant",
    ),
    "waiver.revoked": Action("A waiver was ended early.", "expires_at:instant reason:text"),
    "webhook.added": Action(
        "A webhook was added.", "label:text url:text events:words scope_kind:word scope_name:word?"
    ),
    "webhook.delivered": Action(
        "A receiver took an event. `status`: its HTTP status.",
        "delivery_id:identifier event:word subject_id:word attempt:number status:number?",
    ),
    "webhook.given-up": Action(
        "An event could not be delivered.",
        "delivery_id:identifier event:word subject_id:word attempt:number status:number?",
    ),
    "webhook.removed": Action("A webhook was removed.", "removed_at:instant"),
    "webhook.tested": Action("A webhook was tried.", "delivery_id:identifier"),
}
"""By name, in alphabetical order."""


def problems_of(entry: Entry) -> list[str]:
    """What in an entry is not as the vocabulary says, in sentences."""
    action = ACTIONS.get(entry.action)
    if action is None:
        return [f"{entry.action} is no action."]
    found = []
    if entry.subject_kind != entry.action.partition(".")[0]:
        found.append(f"{entry.action} is about a {entry.subject_kind}.")
    found += [f"{entry.action} has no field {name}." for name in entry.changes if name not in action.fields]
    for field in action.fields.values():
        if field.name not in entry.changes:
            if not field.optional:
                found.append(f"{entry.action} lacks {field.name}.")
        elif not fits(field, entry.changes[field.name]):
            found.append(f"{entry.action} has a {field.name} that is no {field.kind.value}.")
    return found
