"""A policy: what a model version must show before it may move, as a file that anybody can read. No I/O.

    governs       the models that it governs, by name and team
    risk          rules over the answers of a model's risk profile; the first that matches gives the tier
    documents     the kinds of documents that exist
    checklists    ethics, documentation, security, monitoring: their items, each with its question and remedy
    gates         for a target stage and risk tiers: the items to be met, the approvals, how long a request lives
    assessment    the limits of a bias assessment
    findings      by when they are mended, and who may except one that holds a gate

An item is shown by an *attestation* (a person with a role answers), a *document* (of a kind, signed off, not too old)
or an automatic *check*.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated

import msgspec

from fairness.errors import SettingError
from fairness.metrics import EQUALIZED_ODDS, METRICS
from fairness.thresholds import Threshold, check_thresholds
from registry.access.actor import Role
from registry.catalog.facts import RiskProfile, Stage
from registry.policy.checks import ParameterValue, bind, load_checks
from registry.policy.errors import PolicyError
from registry.policy.governs import Governs, check_governs
from registry.policy.reading import read_yaml
from registry.policy.risk import Risk, RiskRule, Tier, check_risk
from registry.policy.words import Days, Identifier, Text, check_known, check_unique


class DocumentKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of document, and who may sign one off."""

    kind: Identifier
    title: Text
    signed_off_by: list[Role]


class AttestationNeeded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="attestation"):
    """A person who holds one of the roles answers, with a reason.

    `independent`: not whoever registered the version, nor the person responsible for the machine that did.
    `depends_on_risk`: the answer lapses as soon as the model's risk answers change after it was given.
    """

    roles: Annotated[list[Role], msgspec.Meta(min_length=1)]
    independent: bool = False
    max_age_days: Days | None = None
    depends_on_risk: bool = False


class DocumentNeeded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="document"):
    """The newest document of a kind is signed off, and that not too long ago."""

    kind: Identifier
    max_age_days: Days | None = None


class Severity(StrEnum):
    """How grave a finding is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class CheckNeeded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="check"):
    """An automatic check passed, or found that it does not apply."""

    check: Identifier
    parameters: dict[str, ParameterValue] = {}
    max_age_days: Days | None = None
    """How old its result may be; None: as old as its inputs."""
    opens_finding: Severity | None = None
    """Where the check fails, a finding of this severity is opened, once for each version."""


Needed = AttestationNeeded | DocumentNeeded | CheckNeeded


class WaiverRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may except an item, and for how long at most."""

    role: Role = Role.RISK_OFFICER
    max_days: Days = 90


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a version must show."""

    id: Identifier
    title: Text
    question: Text
    remedy: Text
    shown: Needed
    waiver: WaiverRule | None = None
    """None: nobody can waive it."""

    @property
    def kind(self) -> str:
        """`attestation`, `document` or `check`."""
        match self.shown:
            case AttestationNeeded():
                return "attestation"
            case DocumentNeeded():
                return "document"
            case CheckNeeded():
                return "check"


class Checklist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items that belong together."""

    id: Identifier
    title: Text
    items: list[Item]


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many persons must approve in this role."""

    role: Role
    count: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1


class Displaced(StrEnum):
    """What becomes of the version that stood in the target stage before."""

    STAYS = "stays"
    ARCHIVED = "archived"


class Lapsed(StrEnum):
    """Where a version goes whose evidence has lapsed, once the grace is over."""

    STAGING = "staging"
    ARCHIVED = "archived"


class LapseRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows when evidence on which a version entered a stage has lapsed."""

    grace_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 30
    """Days for which it stays where it is, flagged *review due*."""
    then: Lapsed = Lapsed.STAGING


class GateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a version of one of these tiers must show to enter a stage."""

    target_stage: Stage
    tiers: Annotated[list[Tier], msgspec.Meta(min_length=1)]
    items: list[Identifier]
    approvals: list[Approval]
    request_days: Days = 30
    """How long a request lives."""
    displaced: Displaced = Displaced.STAYS
    coming_from: list[Stage] = []
    """Only for versions that stand in one of these stages, before the gate for all; demotion may ask for less."""
    blocking_findings: list[Severity] = []
    """The severities of open findings that hold the gate."""
    review_days: Days | None = None
    """So long after entering the stage a version is reviewed again; None: no date is set."""
    after_lapse: LapseRule | None = None
    """What follows when evidence lapses while it stands there; None: it is flagged, and stays."""


class DueDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By when a finding is mended, in days after it was opened, where nobody says a date."""

    critical: Days = 7
    high: Days = 30
    medium: Days = 90
    low: Days = 180

    def of(self, severity: Severity) -> int:
        """The days for one severity."""
        days: int = getattr(self, severity.value)
        return days


class FindingRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How findings are dealt with."""

    due_days: DueDays = DueDays()
    waiver: WaiverRule | None = WaiverRule()
    """Who may except a finding that holds a gate, and for how long at most; None: nobody can."""


class RollbackRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An emergency rollback to the version that was in production before, and the review that it owes afterwards."""

    role: Role = Role.OPERATIONS_REVIEWER
    """Who may call it."""
    displaced: Lapsed = Lapsed.ARCHIVED
    """Where the version goes that is rolled back."""
    review_days: Days = 7
    reviewers: Annotated[int, msgspec.Meta(ge=1, le=10)] = 2
    """So many persons, not the caller, must review it within these days."""
    reviewed_by: Annotated[list[Role], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: [Role.OPERATIONS_REVIEWER, Role.VALIDATOR, Role.RISK_OFFICER]
    )


class AssessmentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bias is assessed: limits by metric (see `fairness.thresholds.Threshold`)."""

    thresholds: dict[str, Threshold]
    minimum_rows: Annotated[int, msgspec.Meta(ge=1)]
    confidence: Decimal
    intersections: Annotated[int, msgspec.Meta(ge=1, le=3)] = 2


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A whole policy. `parse` is the only way to one, so that its references hold."""

    name: Identifier
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){1,2}$")]
    description: Text
    risk: Risk
    documents: list[DocumentKind]
    checklists: list[Checklist]
    gates: list[GateRule]
    assessment: AssessmentRule
    governs: Governs = Governs()
    findings: FindingRules = FindingRules()
    rollback: RollbackRule = RollbackRule()
    applies_to_open_requests: bool = False
    """Whether its activation makes older live requests stale; else they keep the policy under which they were made."""

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """All items by id."""
        return {item.id: item for checklist in self.checklists for item in checklist.items}

    @cached_property
    def document_kinds(self) -> Mapping[str, DocumentKind]:
        """All kinds of documents, by kind."""
        return {kind.kind: kind for kind in self.documents}

    def risk_rule(self, profile: RiskProfile) -> RiskRule:
        """The first rule that matches, with tier and reason."""
        return self.risk.rule_for(profile)

    def gate(self, target_stage: Stage, tier: str, coming_from: Stage | None = None) -> GateRule | None:
        """What entering `target_stage` takes for that tier, from a stage; None where nothing lets a version in."""
        rules = [rule for rule in self.gates if rule.target_stage is target_stage and tier in rule.tiers]
        narrow = (rule for rule in rules if coming_from in rule.coming_from)
        return next(narrow, next((rule for rule in rules if not rule.coming_from), None))

    def checks(self) -> list[CheckNeeded]:
        """Every automatic check that some item needs, each once for the same parameters."""
        found: list[CheckNeeded] = []
        for item in self.items.values():
            if isinstance(item.shown, CheckNeeded) and item.shown not in found:
                found.append(item.shown)
        return found


def parse(text: str) -> Policy:
    """The policy in YAML text.

    Raises:
        PolicyError: not YAML, hostile YAML, an unknown or missing field, or a reference to nothing; names the path.
    """
    try:
        policy = msgspec.convert(read_yaml(text), Policy)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `")
        place = path.rstrip("`").removeprefix("$").removeprefix(".") or "(the file)"
        raise PolicyError(place, f"{sentence}.") from None
    _refuse_auditors(policy, "")
    check_risk(policy.risk)
    check_governs(policy.governs)
    _check_documents(policy)
    _check_checklists(policy)
    _check_gates(policy)
    _check_assessment(policy.assessment)
    return policy


def _refuse_auditors(value: object, path: str) -> None:
    """Wherever a role decides: an auditor reads everything and changes nothing."""
    if value is Role.AUDITOR:
        raise PolicyError(path, "an auditor reads, and decides nothing.", "Name another role.")
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _refuse_auditors(getattr(value, field), f"{path}.{field}".removeprefix("."))
    elif isinstance(value, list):
        for position, member in enumerate(value):
            _refuse_auditors(member, f"{path}[{position}]")


def _check_documents(policy: Policy) -> None:
    check_unique("documents", [kind.kind for kind in policy.documents])


def _check_checklists(policy: Policy) -> None:
    check_unique("checklists", [checklist.id for checklist in policy.checklists])
    check_unique("checklists[].items", [item.id for checklist in policy.checklists for item in checklist.items])
    for index, checklist in enumerate(policy.checklists):
        for position, item in enumerate(checklist.items):
            path = f"checklists[{index}].items[{position}].shown"
            match item.shown:
                case DocumentNeeded(kind=kind):
                    check_known(f"{path}.kind", kind, policy.document_kinds)
                case CheckNeeded(check=check, parameters=parameters):
                    _check_parameters(path, check, parameters)
                case AttestationNeeded():
                    pass


def _check_parameters(path: str, check: str, parameters: Mapping[str, ParameterValue]) -> None:
    check_known(f"{path}.check", check, load_checks())
    try:
        bind(check, parameters)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path}.parameters", f"{error}.") from None


def _check_gates(policy: Policy) -> None:
    seen: set[tuple[Stage, str, Stage | None]] = set()
    for index, rule in enumerate(policy.gates):
        path = f"gates[{index}]"
        check_unique(f"{path}.items", rule.items)
        check_unique(f"{path}.approvals", [approval.role.value for approval in rule.approvals])
        for position, item in enumerate(rule.items):
            check_known(f"{path}.items[{position}]", item, policy.items)
        if rule.target_stage is Stage.NONE:
            raise PolicyError(f"{path}.target_stage", "no version is promoted to 'none'.")
        for tier in rule.tiers:
            check_known(f"{path}.tiers", tier, policy.risk.tiers)
            origins: list[Stage | None] = [*rule.coming_from] or [None]
            for origin in origins:
                if (rule.target_stage, tier, origin) in seen:
                    raise PolicyError(
                        path, f"an earlier gate governs {rule.target_stage.value} for tier {tier!r} already."
                    )
                seen.add((rule.target_stage, tier, origin))


def _check_assessment(rule: AssessmentRule) -> None:
    try:
        check_thresholds(rule.thresholds, [*METRICS, EQUALIZED_ODDS])
    except SettingError as error:
        raise PolicyError("assessment.thresholds", str(error)) from None
    if not Decimal("0.5") <= rule.confidence < 1:
        raise PolicyError("assessment.confidence", f"it is {rule.confidence}; it lies from 0.5 to below 1.")
