"""How many of the facts that a card has room for were provided."""

from __future__ import annotations

from dataclasses import dataclass

from reports.facts import CardFacts


@dataclass(frozen=True)
class Completeness:
    """`missing` names the facts that are *not provided*, in the card's order."""

    total: int
    missing: tuple[str, ...]

    @property
    def provided(self) -> int:
        """Number of facts that the card states."""
        return self.total - len(self.missing)


def completeness(facts: CardFacts) -> Completeness:
    """Count what the card's template asks for.

    Waivers and a change since an earlier version are not asked for: having none is an answer.
    """
    identity, use, origin, gate, assessment = facts.identity, facts.use, facts.origin, facts.gate, facts.assessment
    roles = {dataset.role for dataset in facts.datasets if dataset.digest}
    asked: list[tuple[str, object]] = [
        ("name", identity.name),
        ("version", identity.version),
        ("content digest", identity.content_digest_hex),
        ("framework", identity.framework),
        ("signature", identity.signature),
        ("source", identity.source_uri),
        ("purpose", use.purpose),
        ("intended users", use.intended_users),
        ("affected persons", use.affected_persons),
        ("uses out of scope", use.out_of_scope),
        ("owner", use.owner),
        ("contact", use.contact),
        ("risk tier", facts.risk),
        ("decision", gate and gate.decided_at),
        ("scope of the decision", gate and gate.scope),
        ("next review", gate and gate.review_due_on),
        ("checklists", facts.checklists),
        ("approvals", facts.approvals),
        ("metrics", facts.metrics),
        ("parameters", facts.parameters),
        ("bias assessment", assessment),
        ("digest of the assessed data", assessment and assessment.data_digest_hex),
        ("digest of the training data", "training" in roles),
        ("digest of the test data", "test" in roles),
        ("code commit", origin.code_commit),
        ("digest of the environment", origin.environment_digest_hex),
        ("run", origin.run_id),
        ("documents", facts.documents),
        ("monitoring plan", facts.monitoring_plan),
        ("limits", facts.limits),
    ]
    return Completeness(total=len(asked), missing=tuple(label for label, value in asked if not value))
