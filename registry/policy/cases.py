"""Tests of a policy, as files: facts about a model and a version in, the expected gate out. No I/O.

    - case: A credit score that advises is high risk
      risk_profile: {...}                        the answers; of what is not said nothing is at stake
      target_stage: production
      facts: {complete: true, checks: {digest-verified: failed}, approvals: [validator]}
      expect:
        tier: high
        items: {digest-verified: failed}         how these items stand; others are not looked at
        unmet: [digest-verified, approval-risk-officer]      all that is missing
        approvals: {validator: 1, risk officer: 1}           all that are asked for

A risk officer changes the policy, runs the cases, and sees which promises no longer hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from registry.access.actor import Role
from registry.catalog.facts import (
    Autonomy,
    DigestState,
    Impact,
    LegalDomain,
    PersonalData,
    Reversibility,
    RiskProfile,
    Stage,
)
from registry.policy.checks import CheckFacts
from registry.policy.errors import PolicyError
from registry.policy.evidence import Attested, Checked, Documented, Evidence, Excepted, Reviewed, Unclosed
from registry.policy.gate import Gate, evaluate
from registry.policy.outcomes import Outcome
from registry.policy.policy import AttestationNeeded, CheckNeeded, DocumentNeeded, GateRule, Policy, Severity
from registry.policy.reading import read_yaml
from registry.policy.risk import OPEN_TIER
from registry.policy.tables import Answer
from registry.policy.words import Text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The instant at which cases are judged; ages count back from it."""

Age = Annotated[int, msgspec.Meta(ge=0, le=36_500)]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to the risk questionnaire; where none is given, nothing is at stake."""

    financial_impact: Impact = Impact.NONE
    reputational_impact: Impact = Impact.NONE
    affects_persons: bool = False
    personal_data: PersonalData = PersonalData.NONE
    decision_autonomy: Autonomy = Autonomy.ADVISES
    reversibility: Reversibility = Reversibility.EASILY
    legal_domain: LegalDomain = LegalDomain.NONE

    def answers(self) -> RiskProfile:
        """The same as a model's answers."""
        return msgspec.convert(self, RiskProfile, from_attributes=True)


class GivenAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's answer, so many days old; `before_risk_change`: the risk answers changed since."""

    answer: Answer = Answer.YES
    age_days: Age = 0
    before_risk_change: bool = False


class GivenDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document; `signed_off_days_ago` None: nobody signed it off."""

    signed_off_days_ago: Age | None = None


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of the version. `complete`: all that the policy can ask for is there, except what is said here."""

    complete: bool = False
    attestations: dict[str, Answer | GivenAnswer] = {}
    documents: dict[str, GivenDocument] = {}
    checks: dict[str, Outcome] = {}
    missing: list[str] = []
    """Items, kinds of documents and checks of which there is nothing, although the rest is complete."""
    waivers: list[str] = []
    findings: list[Severity] = []
    approvals: list[Role] | None = None
    """One approval a role named, each by another person; without it none, or all where the rest is `complete`."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come out; what is not named is not looked at."""

    tier: str | None = None
    reason: Text | None = None
    """Words of the reason of the tier."""
    met: bool | None = None
    asked: list[str] | None = None
    """Exactly these items are asked for."""
    items: dict[str, str] = {}
    unmet: list[str] | None = None
    approvals: dict[Role, int] | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case."""

    case: Text
    expect: Expectation
    risk_profile: Profile = Profile()
    target_stage: Stage | None = None
    coming_from: Stage | None = None
    facts: Facts = Facts()


@dataclass(frozen=True)
class Result:
    """What came of a case: nothing where all is as expected, else a sentence for each difference."""

    case: Case
    differences: tuple[str, ...]


def parse_cases(text: str) -> list[Case]:
    """The cases in YAML text.

    Raises:
        PolicyError: not YAML, or an unknown or missing field; names the path.
    """
    try:
        return msgspec.convert(read_yaml(text), list[Case])
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `")
        raise PolicyError(path.rstrip("`").removeprefix("$") or "(the file)", f"{sentence}.") from None


def run_case(policy: Policy, case: Case) -> Result:
    """Hold a policy against a case.

    Raises:
        PolicyError: the case names an item, a kind of document or a check that the policy does not have.
    """
    _check_names(policy, case)
    rule = policy.risk_rule(case.risk_profile.answers())
    expect = case.expect
    found = _compared("tier", expect.tier, rule.tier)
    if expect.reason is not None and expect.reason.casefold() not in rule.sentence.casefold():
        found.append(f"reason: expected words “{expect.reason}”, found “{rule.sentence}”")
    if case.target_stage is not None:
        found += _gate_differences(policy, case, rule.tier)
    return Result(case, tuple(found))


def _gate_differences(policy: Policy, case: Case, tier: str) -> list[str]:
    assert case.target_stage is not None
    gate_rule = policy.gate(case.target_stage, tier, case.coming_from)
    expect = case.expect
    if gate_rule is None:
        return [f"no gate lets {tier} risk into {case.target_stage.value}"]
    gate = evaluate(UUID(int=0), policy, gate_rule, tier, _evidence(policy, gate_rule, case.facts), NOW)
    states = {result.item.id: result.state.value for result in gate.items}
    found = _compared("met", expect.met, gate.met)
    found += _compared("asked", None if expect.asked is None else sorted(expect.asked), sorted(states))
    for item, state in expect.items.items():
        found += _compared(item, state, states.get(item, "not asked for"))
    unmet = sorted(requirement.id for requirement in gate.unmet)
    found += _compared("unmet", None if expect.unmet is None else sorted(expect.unmet), _named(unmet, gate))
    wanted = None if expect.approvals is None else {role.value: count for role, count in expect.approvals.items()}
    found += _compared("approvals", wanted, {one.role.value: one.needed for one in gate.approvals})
    return found


def _named(unmet: list[str], gate: Gate) -> list[str]:
    """Findings have ids that nobody can foresee: they are called by their severity."""
    names = {result.finding.key: f"finding-{result.finding.severity.value}" for result in gate.findings}
    return sorted(names.get(one, one) for one in unmet)


def _compared(what: str, expected: object, found: object) -> list[str]:
    if expected is None or expected == found:
        return []
    return [f"{what}: expected {_shown(expected)}, found {_shown(found)}"]


def _shown(value: object) -> str:
    match value:
        case list():
            return ", ".join(map(str, value)) or "nothing"
        case dict():
            return ", ".join(f"{name} {part}" for name, part in value.items()) or "nothing"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _check_names(policy: Policy, case: Case) -> None:
    facts, expect = case.facts, case.expect
    checks = {needed.check for needed in policy.checks()}
    tiers = [] if expect.tier is None else [expect.tier]
    for field, used, known in (
        ("facts.attestations", facts.attestations, policy.items),
        ("facts.documents", facts.documents, policy.document_kinds),
        ("facts.checks", facts.checks, checks),
        ("facts.missing", facts.missing, {*policy.items, *policy.document_kinds, *checks}),
        ("facts.waivers", facts.waivers, policy.items),
        ("expect.tier", tiers, {*policy.risk.tiers, OPEN_TIER}),
        ("expect.asked", expect.asked or [], policy.items),
        ("expect.items", expect.items, policy.items),
    ):
        for name in used:
            if name not in known:
                raise PolicyError(f"“{case.case}” {field}", f"the policy has no {name!r}.")


class _StatedEvidence(Evidence):
    """Evidence whose check results are stated, whatever they would rest on."""

    def fresh_result(self, needed: CheckNeeded, now: datetime) -> Checked | None:
        return self.newest_result_of(needed.check)


def _evidence(policy: Policy, rule: GateRule, facts: Facts) -> Evidence:
    approvals = facts.approvals
    if approvals is None:
        approvals = [one.role for one in rule.approvals for _ in range(one.count)] if facts.complete else []
    checked = {name: outcome for name, outcome in _checks(policy, facts).items() if name not in facts.missing}
    return _StatedEvidence(
        facts=CheckFacts(bytes(32), DigestState.STATED, None, (), None),
        attested={item: one for item, one in _attested(policy, facts).items() if item not in facts.missing},
        documented={kind: one for kind, one in _documented(policy, facts).items() if kind not in facts.missing},
        checked={
            (name, b""): Checked(UUID(int=0), name, outcome, f"Stated: {outcome.value}.", {}, b"", NOW)
            for name, outcome in checked.items()
        },
        excepted={
            item: Excepted(
                id=UUID(int=0),
                subject=item,
                reason="Stated.",
                by=UUID(int=0),
                granted_at=NOW,
                expires_at=NOW + timedelta(days=1),
                compensating_measure="Stated.",
            )
            for item in facts.waivers
        },
        risk_revision=2,
        reviewed=tuple(
            # Each by another person.
            Reviewed(role, approves=True, by=UUID(int=n), persons=frozenset({UUID(int=n)}), at=NOW)
            for n, role in enumerate(approvals, start=1)
        ),
        unclosed=tuple(_finding(n, severity) for n, severity in enumerate(facts.findings, start=1)),
    )


def _finding(number: int, severity: Severity) -> Unclosed:
    return Unclosed(
        id=UUID(int=number),
        severity=severity,
        title="Stated",
        is_remediated=False,
        owner=UUID(int=0),
        opened_at=NOW,
        due_at=NOW + timedelta(days=1),
    )


def _checks(policy: Policy, facts: Facts) -> Mapping[str, Outcome]:
    every = {needed.check: Outcome.PASSED for needed in policy.checks()} if facts.complete else {}
    return every | facts.checks


def _attested(policy: Policy, facts: Facts) -> dict[str, Attested]:
    asked = [item.id for item in policy.items.values() if isinstance(item.shown, AttestationNeeded)]
    given: dict[str, Answer | GivenAnswer] = dict.fromkeys(asked, Answer.YES) if facts.complete else {}
    return {item: _answer(item, one) for item, one in (given | facts.attestations).items()}


def _answer(item: str, given: Answer | GivenAnswer) -> Attested:
    one = given if isinstance(given, GivenAnswer) else GivenAnswer(given)
    return Attested(
        id=UUID(int=0),
        item=item,
        answer=one.answer,
        reason="Stated.",
        evidence=None,
        by=UUID(int=0),
        at=NOW - timedelta(days=one.age_days),
        risk_revision=1 if one.before_risk_change else 2,
    )


def _documented(policy: Policy, facts: Facts) -> dict[str, Documented]:
    kinds = [item.shown.kind for item in policy.items.values() if isinstance(item.shown, DocumentNeeded)]
    every = {kind: GivenDocument(0) for kind in kinds} if facts.complete else {}
    return {kind: _document(kind, one) for kind, one in (every | facts.documents).items()}


def _document(kind: str, given: GivenDocument) -> Documented:
    days = given.signed_off_days_ago
    return Documented(
        id=UUID(int=0),
        kind=kind,
        title=kind,
        digest=bytes(32),
        uploaded_by=UUID(int=0),
        uploaded_at=NOW - timedelta(days=days or 0),
        signed_off_by=None if days is None else UUID(int=0),
        signed_off_at=None if days is None else NOW - timedelta(days=days),
    )
