"""What a registered model and a model version are, as values. No I/O."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID

import msgspec

from audit.entry import MAX_INTEGER
from registry.catalog.uris import checked_artifact_uri, checked_lineage_uri
from registry.errors import InvalidInputError
from registry.names import LONGEST_NAME, LONGEST_TEXT, checked_digest, checked_label, checked_text

MOST_METRICS = 1000
MOST_EDGES = 200


class Stage(StrEnum):
    """Where a version stands. MLflow spells them None, Staging, Production, Archived; development is ours."""

    NONE = "none"
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class DigestState(StrEnum):
    """What is known of a version's content digest."""

    STATED = "stated"
    """The client said so."""
    VERIFIED = "verified"
    """Acta computed it again from the stored bytes and found the same."""
    MISMATCH = "mismatch"
    """Acta computed it again and found another."""


class Impact(StrEnum):
    """How much is at stake."""

    NONE = "none"
    LIMITED = "limited"
    HIGH = "high"


class PersonalData(StrEnum):
    """What personal data the model uses. Special categories: GDPR, Article 9."""

    NONE = "none"
    PERSONAL = "personal"
    SPECIAL = "special category"


class Autonomy(StrEnum):
    """What part the model has in a decision."""

    ADVISES = "advises"
    """A person decides, and sees its output among other things."""
    WITH_REVIEW = "decides with review"
    """It decides, and a person looks at each decision before it takes effect."""
    ALONE = "decides alone"


class Reversibility(StrEnum):
    """Whether what follows from a wrong decision can be undone."""

    EASILY = "easily"
    WITH_EFFORT = "with effort"
    NOT = "not"


class LegalDomain(StrEnum):
    """The field of use, as the EU AI Act (Regulation (EU) 2024/1689) divides high-risk uses; in Annex III, point:"""

    NONE = "none"
    BIOMETRICS = "biometrics"
    """1"""
    CRITICAL_INFRASTRUCTURE = "critical infrastructure"
    """2"""
    EDUCATION = "education"
    """3"""
    EMPLOYMENT = "employment"
    """4"""
    ESSENTIAL_SERVICES = "essential services"
    """5(a) and 5(d): public assistance benefits and services, emergency calls and health care triage."""
    CREDITWORTHINESS = "creditworthiness"
    """5(b)"""
    LIFE_AND_HEALTH_INSURANCE = "life and health insurance"
    """5(c)"""
    LAW_ENFORCEMENT = "law enforcement"
    """6"""
    MIGRATION = "migration"
    """7: migration, asylum and border control management."""
    JUSTICE = "justice"
    """8: administration of justice and democratic processes."""
    PRODUCT_SAFETY = "product safety"
    """Not Annex III but Article 6(1): a product, or its safety component, under a law that Annex I lists, vehicles
    among them."""
    NOT_STATED = "not stated"
    """Only of models that were registered before this was asked."""


class RiskProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers from which the risk tier follows by the policy's rules."""

    financial_impact: Impact
    reputational_impact: Impact
    affects_persons: bool
    personal_data: PersonalData
    decision_autonomy: Autonomy
    reversibility: Reversibility
    legal_domain: LegalDomain

    def answers(self) -> dict[str, str]:
        """The answers as text, by question, for rules and pages."""
        return {
            "financial_impact": self.financial_impact.value,
            "reputational_impact": self.reputational_impact.value,
            "affects_persons": "yes" if self.affects_persons else "no",
            "personal_data": self.personal_data.value,
            "decision_autonomy": self.decision_autonomy.value,
            "reversibility": self.reversibility.value,
            "legal_domain": self.legal_domain.value,
        }


def check_risk_profile(profile: RiskProfile) -> None:
    """Refuse answers that leave a question open.

    Raises:
        InvalidInputError: the legal domain is not stated.
    """
    if profile.legal_domain is LegalDomain.NOT_STATED:
        known = ", ".join(domain.value for domain in LegalDomain if domain is not LegalDomain.NOT_STATED)
        raise InvalidInputError("risk_profile.legal_domain", profile.legal_domain.value, f"say which: {known}")


class EdgeKind(StrEnum):
    """What a version came from."""

    DATASET = "dataset"
    CODE = "code"
    RUN = "run"
    ENVIRONMENT = "environment"
    PARENT = "parent"


class DatasetRole(StrEnum):
    """What a data set was used for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


class LineageEdge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a version came from.

    A data set has a role, a name and a SHA-256; code a repository (`uri`) and a commit (`identifier`); a run its id;
    an environment the SHA-256 of its lock file; a parent the number of another version of the same model.
    """

    kind: EdgeKind
    name: str
    role: DatasetRole | None = None
    uri: str | None = None
    digest: str | None = None
    """SHA-256, 64 hexadecimal digits."""
    identifier: str | None = None


class VersionFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client states about a trained model. Nothing of it changes later."""

    source_uri: str
    """Folder or file of the model: an absolute path, or a URI of an artifact store (`registry.catalog.uris`)."""
    content_digest: str
    """SHA-256 over the list of files (`registry.catalog.digest`), 64 hexadecimal digits."""
    framework: str
    framework_version: str | None = None
    run_id: str | None = None
    metrics: dict[str, str] = {}
    """Measured values as decimal strings."""
    parameters: dict[str, str] = {}
    signature: str | None = None
    """MLflow's model signature, as JSON text."""
    size_bytes: int | None = None
    description: str | None = None
    lineage: list[LineageEdge] = []
    trained_by: UUID | None = None
    """The actor who trained it, where that is not who registers it."""


def check_version_facts(facts: VersionFacts) -> None:
    """Refuse facts that break a rule.

    Raises:
        InvalidInputError: naming the field, the value and the rule.
    """
    checked_digest("content_digest", facts.content_digest)
    checked_artifact_uri("source_uri", facts.source_uri)
    checked_label("framework", facts.framework)
    for field in ("framework_version", "run_id"):
        value = getattr(facts, field)
        if value is not None:
            checked_label(field, value)
    for field, pairs in (("metrics", facts.metrics), ("parameters", facts.parameters)):
        if len(pairs) > MOST_METRICS:
            raise InvalidInputError(field, len(pairs), f"at most {MOST_METRICS} are kept")
        for key in pairs:
            checked_label(f"{field} name", key)
    for key, value in facts.metrics.items():
        _check_decimal(f"metrics[{key}]", value)
    for key, value in facts.parameters.items():
        if len(value) > LONGEST_TEXT:
            raise InvalidInputError(f"parameters[{key}]", value, f"at most {LONGEST_TEXT} characters")
    if facts.signature is not None:
        _check_json("signature", facts.signature)
    if facts.size_bytes is not None and not 0 <= facts.size_bytes <= MAX_INTEGER:
        raise InvalidInputError("size_bytes", facts.size_bytes, "a size has 0 to 2^53 - 1 bytes")
    if facts.description is not None:
        checked_text("description", facts.description)
    if len(facts.lineage) > MOST_EDGES:
        raise InvalidInputError("lineage", len(facts.lineage), f"at most {MOST_EDGES} edges are kept")
    for position, edge in enumerate(facts.lineage):
        _check_edge(f"lineage[{position}]", edge)


def _check_edge(field: str, edge: LineageEdge) -> None:
    checked_label(f"{field}.name", edge.name)
    if edge.kind is EdgeKind.DATASET and (edge.role is None or edge.digest is None):
        raise InvalidInputError(field, edge.name, "a data set needs a role (training, validation, test) and a digest")
    if edge.kind is not EdgeKind.DATASET and edge.role is not None:
        raise InvalidInputError(f"{field}.role", edge.role.value, "only a data set has a role")
    if edge.kind in {EdgeKind.CODE, EdgeKind.RUN, EdgeKind.PARENT} and not edge.identifier:
        raise InvalidInputError(f"{field}.identifier", edge.identifier, f"a {edge.kind.value} edge needs one")
    if edge.kind is EdgeKind.ENVIRONMENT and edge.digest is None:
        raise InvalidInputError(f"{field}.digest", None, "an environment needs the SHA-256 of its lock file")
    if edge.digest is not None:
        checked_digest(f"{field}.digest", edge.digest)
    if edge.uri is not None:
        checked_lineage_uri(f"{field}.uri", edge.uri)
    if edge.identifier is not None:
        checked_label(f"{field}.identifier", edge.identifier)


def _check_decimal(field: str, value: str) -> None:
    # MLflow logs NaN and infinities too; Decimal writes and reads them.
    try:
        Decimal(value)
    except InvalidOperation:
        raise InvalidInputError(field, value, "a measured value is written as a decimal number") from None
    if len(value) > LONGEST_NAME or value.strip() != value:
        raise InvalidInputError(field, value, f"a measured value has at most {LONGEST_NAME} characters and no spaces")


def _check_json(field: str, value: str) -> None:
    if len(value) > 1_000_000:
        raise InvalidInputError(field, value, "at most 1,000,000 characters")
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidInputError(field, value, "it must be JSON text") from None
