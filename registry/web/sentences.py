"""An entry of the log as a sentence that people read. What an entry holds beyond that stands on its own page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audit.entry import Json, parse_time
from audit.errors import LeafError
from registry.evidence.service import ReadEntry
from registry.web.presentation import day

LONGEST_QUOTE = 200


@dataclass(frozen=True)
class Told:
    """A sentence about what was done; `is_stage`: a version moved, or came to be."""

    sentence: str
    is_stage: bool = False


class _Words:
    """What an entry says, ready to be put into a sentence."""

    def __init__(self, read: ReadEntry, names: Mapping[str, str], titles: Mapping[str, str]) -> None:
        self._subject = read.entry.subject_id
        self._changes = read.entry.changes
        self._texts = read.texts
        self._names = names
        self._titles = titles

    def value(self, field: str) -> str:
        """A value in clear; the text behind a commitment; or that it was erased."""
        text = self._texts.get(field)
        if text is not None:
            return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
        return shown(self._changes.get(field))

    def day(self, field: str) -> str:
        value = self._changes.get(field)
        try:
            return day(parse_time(value)) if isinstance(value, str) else shown(value)
        except LeafError:
            return shown(value)

    def name(self, field: str) -> str:
        identifier = str(self._changes.get(field))
        return self._names.get(identifier, f"actor {identifier[:8]}")

    def behalf(self) -> str:
        """For whom a delegate acted; nothing where somebody acted in their own right."""
        return f", for {self.name('on_behalf_of')}" if self._changes.get("on_behalf_of") else ""

    def cause(self) -> str:
        """Why a version was moved: a promotion's own entry says so already."""
        if "rollback_id" in self._changes:
            return ", by an emergency rollback"
        return ", because what it rests on has lapsed" if "lapse_id" in self._changes else ""

    def subject(self, otherwise: str) -> str:
        title = self._titles.get(self._subject)
        return otherwise if title is None else f"“{title}”"

    def waived(self) -> str:
        return "a finding" if self._changes.get("item") is None else self.item()

    def item(self) -> str:
        identifier = self.value("item")
        return f"“{self._titles.get(identifier, identifier)}”"


def shown(value: Json) -> str:
    """A value of an entry as text."""
    match value:
        case None:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case {"commitment": str()}:
            return "(erased)"
        case dict():
            return ", ".join(f"{name}: {shown(part)}" for name, part in value.items()) or "nothing"
        case list():
            return ", ".join(shown(part) for part in value) or "nothing"
        case _:
            return str(value)


Telling = Callable[[str, _Words], str]

_TELLINGS: Mapping[str, Telling] = {
    "actor.added": lambda who, say: f"{who} made the {say.value('kind')} {say.value('name')} known.",
    "actor.left": lambda who, _: f"{who} recorded that an actor has left.",
    "role.granted": lambda who, say: (
        f"{who} granted {say.name('actor_id')} the role {say.value('role')} on "
        + (
            say.value("scope_kind")
            if say.value("scope_kind") == "all"
            else f"{say.value('scope_kind')} {say.value('scope_name')}"
        )
        + "."
    ),
    "role.revoked": lambda who, _: f"{who} ended a role.",
    "token.created": lambda who, say: (
        f"{who} made an API token for {say.name('actor_id')}, valid until {say.day('expires_at')}."
    ),
    "token.revoked": lambda who, _: f"{who} revoked an API token.",
    "session.opened": lambda who, _: f"{who} signed in.",
    "session.closed": lambda who, _: f"{who} signed out.",
    "access.refused": lambda who, say: f"{who} was refused: {say.value('reason')}",
    "policy.activated": lambda who, say: f"{who} activated policy {say.value('name')} {say.value('version')}.",
    "policy.proposed": lambda who, say: (
        f"{who} proposed to {say.value('kind')} policy {say.value('name')} {say.value('version')}."
    ),
    "policy.proposal-withdrawn": lambda who, _: f"{who} withdrew a proposal about a policy.",
    "policy.deactivated": lambda who, say: f"{who} ended policy {say.value('name')} {say.value('version')}.",
    "model.risk-assessed": lambda _who, say: f"Risk: {say.value('tier')}. {say.value('reason')}",
    "model.registered": lambda who, say: (
        f"{who} registered the model {say.value('name')}, {say.value('risk_tier')} risk."
    ),
    "model.edited": lambda who, say: f"{who} edited the model; its risk tier is {say.value('risk_tier')}.",
    "version.registered": lambda who, say: f"Version {say.value('number')} registered by {who}.",
    "version.digest-checked": lambda who, say: f"{who} computed the content digest again: {say.value('digest_state')}.",
    "version.stage-changed": lambda who, say: (
        f"{say.value('to').capitalize()}. Moved by {who}, from {say.value('from')}{say.cause()}."
    ),
    "alias.set": lambda who, say: f"{who} pointed the alias {say.value('alias')} at a version.",
    "alias.removed": lambda who, say: f"{who} took the alias {say.value('alias')} away.",
    "tag.set": lambda who, say: f"{who} set the tag {say.value('key')} to “{say.value('value')}”.",
    "tag.removed": lambda who, say: f"{who} took the tag {say.value('key')} away.",
    "document.uploaded": lambda who, say: f"{who} uploaded “{say.value('title')}” ({say.value('kind')}).",
    "document.signed-off": lambda who, say: f"{who} signed off {say.subject('a document')}.",
    "document.downloaded": lambda who, say: f"{who} downloaded {say.subject('a document')}.",
    "assessment.requested": lambda who, _: f"{who} asked for a bias assessment.",
    "assessment.finished": lambda who, say: (
        f"{who} assessed the predictions for bias: {say.value('verdict')}, {say.value('rows')} rows."
    ),
    "assessment.downloaded": lambda who, _: f"{who} downloaded the result of a bias assessment.",
    "assessment.failed": lambda who, say: f"{who} could not assess the predictions: {say.value('reason')}",
    "attestation.given": lambda who, say: f"{who}{say.behalf()} answered {say.item()}: {say.value('answer')}.",
    "check.finished": lambda who, say: f"{who} ran the check {say.value('check')}: {say.value('outcome')}.",
    "vulnerability-export.read": lambda who, say: (
        f"{who} read an export of {say.value('records')} known vulnerabilities."
    ),
    "waiver.granted": lambda who, say: f"{who} waived {say.waived()} until {say.day('expires_at')}.",
    "waiver.revoked": lambda who, say: f"{who} ended the waiver: {say.value('reason')}",
    "finding.opened": lambda who, say: (
        f"{who} opened a finding of {say.value('severity')} severity, due {say.day('due_at')}: {say.value('title')}"
    ),
    "finding.remediated": lambda who, say: f"{who} remediated the finding: {say.value('remediation')}",
    "finding.closed": lambda who, say: f"{who} closed the finding: {say.value('reason')}",
    "finding.reopened": lambda who, say: (
        f"{who} opened the finding again, due {say.day('due_at')}: {say.value('reason')}"
    ),
    "finding.reassigned": lambda who, say: (
        f"{who} gave the finding to {say.name('owner_id')}, due {say.day('due_at')}: {say.value('reason')}"
    ),
    "finding.severity-changed": lambda who, say: (
        f"{who} changed the finding’s severity from {say.value('from')} to {say.value('to')}: {say.value('reason')}"
    ),
    "finding.escalated": lambda who, say: (
        f"The finding, due {say.day('due_at')}, is overdue; {who} told who answers for it."
    ),
    "lapse.flagged": lambda who, say: (
        f"{who} flagged the version as review due, since {say.day('since')}: “{say.value('title')}”. "
        f"{say.value('reason')}"
    ),
    "lapse.ended": lambda who, say: f"{who} ended a flag of review due: {say.value('ended_as')}.",
    "stage-review.given": lambda who, say: f"{who} reviewed the version in production again: {say.value('reason')}",
    "promotion.requested": lambda who, say: (
        f"{who} asked for promotion to {say.value('target_stage')}, request {say.value('number')}."
    ),
    "promotion.reviewed": lambda who, say: (
        f"{who}{say.behalf()}, as {say.value('role')}, reviewed the request: {say.value('decision')}."
    ),
    "promotion.executed": lambda who, say: (
        f"{who} had the request executed: the version entered {say.value('target_stage')}."
    ),
    "promotion.refused": lambda who, say: f"{who} tried to execute the request too early: {say.value('reason')}",
    "promotion.withdrawn": lambda who, say: f"{who} withdrew the request: {say.value('reason')}",
    "promotion.expired": lambda _who, _: "The request expired.",
    "promotion.stale": lambda _who, say: (
        "The request became stale: what it was made for has changed"
        + (f" ({say.value('cause')})." if say.value("cause") != "not set" else ".")
    ),
    "promotion.commented": lambda who, say: f"{who} commented on the request: “{say.value('text')}”",
    "promotion.handed-over": lambda who, say: f"{who} handed the request over to {say.name('handed_to')}.",
    "rollback.called": lambda who, say: f"{who}{say.behalf()} rolled back in an emergency: {say.value('reason')}",
    "rollback.reviewed": lambda who, say: (
        f"{who}{say.behalf()}, as {say.value('role')}, reviewed the emergency rollback: {say.value('finding')}."
    ),
    "attestation.withdrawn": lambda who, say: f"{who} took back the answer to {say.item()}: {say.value('reason')}",
    "actor.work-handed-over": lambda who, say: f"{who} handed a leaver's open work over to {say.name('to')}.",
    "model.handed-over": lambda who, say: f"{who} handed the model over to {say.name('owner_id')}.",
    "role.delegated": lambda who, say: (
        f"{who} made {say.name('actor_id')} their delegate as {say.value('role')} until {say.day('expires_at')}."
    ),
    "card.requested": lambda who, _: f"{who} asked for a model card.",
    "card.facts-recorded": lambda who, _: f"{who} recorded the facts of a model card.",
    "card.sealed": lambda who, _: f"{who} sealed a model card.",
    "card.failed": lambda who, say: f"{who} could not make a model card: {say.value('reason')}",
    "card.downloaded": lambda who, say: (
        f"{who} downloaded {'the facts of a' if say.value('media_type') == 'application/json' else 'a'} model card."
    ),
    "actor.preferences-set": lambda who, _: f"{who} chose what to be told.",
    "webhook.added": lambda who, say: f"{who} added the webhook {say.value('label')}.",
    "webhook.removed": lambda who, _: f"{who} removed a webhook.",
    "webhook.tested": lambda who, _: f"{who} had a webhook tried.",
    "webhook.delivered": lambda who, say: f"{who} delivered {say.value('event')} to a webhook.",
    "webhook.given-up": lambda who, say: f"{who} gave up delivering {say.value('event')} to a webhook.",
    "mail.delivered": lambda who, say: f"{who} handed {say.value('event')} to the mail server.",
    "mail.given-up": lambda who, say: f"{who} gave up sending {say.value('event')} by e-mail.",
    "plan.stated": lambda who, say: f"{who} stated the monitoring plan, revision {say.value('revision')}.",
    "profile.stored": lambda who, say: (
        f"{who} stored the profile of {say.value('dataset')}: {say.value('rows')} rows, {say.value('origin')}."
    ),
    "alert.sent": lambda who, say: f"{who} sent a test alert to {say.name('owner_id')}.",
    "alert.acknowledged": lambda who, _: f"{who} acknowledged the test alert by its link.",
    "job.cancelled": lambda who, _: f"{who} cancelled a job.",
    "job.replayed": lambda who, _: f"{who} had a job tried again.",
}

_STAGES = frozenset({"version.registered", "version.stage-changed"})


def tell(read: ReadEntry, names: Mapping[str, str], titles: Mapping[str, str]) -> Told:
    """The sentence of an entry. `names`: of actors by id; `titles`: of checklist items, and of subjects, by id.

    Only what the log holds is told: of an erased text that it was erased.
    """
    entry = read.entry
    who = names.get(entry.actor, f"Actor {entry.actor[:8]}")
    telling = _TELLINGS.get(entry.action)
    if telling is None:
        return Told(f"{who}: {entry.action} on {entry.subject_kind} {entry.subject_id}.")
    return Told(telling(who, _Words(read, names, titles)), entry.action in _STAGES)
