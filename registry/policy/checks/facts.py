"""What the automatic checks may look at: one version's rows and files, as values. No I/O but reading named files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from registry.assessments.verdicts import Verdict
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind


@dataclass(frozen=True)
class Edge:
    """A lineage edge of the version."""

    kind: EdgeKind
    role: DatasetRole | None
    name: str
    digest: bytes | None
    identifier: str | None


@dataclass(frozen=True)
class Assessed:
    """The newest finished bias assessment of the version."""

    id: UUID
    verdict: Verdict
    rows: int
    declared_digest: bytes | None
    """SHA-256 of the test set that the data say they hold."""
    result_digest: bytes
    origin: str
    summary: str | None
    finished_at: datetime
    features: tuple[tuple[str, ...], ...] = ()
    """The sensitive features, and the combinations of them, whose groups it compared."""
    accuracy: str | None = None
    """Share of right predictions over all its rows, as a decimal string."""


@dataclass(frozen=True)
class DocumentFacts:
    """The newest document of a kind. Persons, not actors: a machine counts as the person responsible for it."""

    kind: str
    title: str
    digest: bytes
    uploaded_by: UUID
    signed_off_by: UUID | None
    file_name: str = ""
    media_type: str = ""


@dataclass(frozen=True)
class InProduction:
    """The version of the same model that is in production now."""

    number: int
    content_digest: bytes
    metrics: Mapping[str, str]


@dataclass(frozen=True)
class VulnerabilityExport:
    """The export of vulnerability records that the operator supplies, as it was last read."""

    digest: bytes
    exported_at: datetime
    """When its newest record was modified."""
    records: int


@dataclass(frozen=True)
class ModelFacts:
    """What is stated of the model that the version belongs to."""

    purpose: str = ""
    intended_users: str | None = None
    out_of_scope: str | None = None
    limitations: str | None = None
    personal_data: str = "none"
    """`none`, `personal` or `special category`."""
    legal_domain: str = "none"
    """The field of use, in the words of `LegalDomain`."""


@dataclass(frozen=True)
class AcknowledgedAlert:
    """A test alert along the plan's present route, which its owner acknowledged."""

    id: UUID
    raised_at: datetime
    acknowledged_at: datetime
    acknowledged_by: UUID


@dataclass(frozen=True)
class Monitored:
    """The newest monitoring plan, and what it refers to."""

    plan_digest: bytes
    revision: int
    missing: tuple[str, ...]
    """The parts that it does not name, in words."""
    drift_features: tuple[str, ...]
    owner_is_here: bool
    route_exists: bool
    profiled_columns: frozenset[str]
    """Of the training data."""
    profile_digests: tuple[bytes, ...]
    alert: AcknowledgedAlert | None


@dataclass(frozen=True)
class CheckFacts:
    """One version's rows."""

    content_digest: bytes
    digest_state: DigestState
    digest_checked_at: datetime | None
    edges: tuple[Edge, ...]
    assessed: Assessed | None
    framework: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    signature: str | None = None
    """MLflow's model signature, as JSON text."""
    makers: frozenset[UUID] = frozenset()
    """The persons who trained and registered it, or who answer for the machines that did."""
    model: ModelFacts = field(default_factory=ModelFacts)
    documents: tuple[DocumentFacts, ...] = ()
    in_production: InProduction | None = None
    vulnerability_export: VulnerabilityExport | None = None
    monitored: Monitored | None = None

    def datasets(self, role: DatasetRole) -> tuple[Edge, ...]:
        """The data sets of that role that have a digest."""
        return tuple(
            edge
            for edge in self.edges
            if edge.kind is EdgeKind.DATASET and edge.role is role and edge.digest is not None
        )

    def document(self, kind: str) -> DocumentFacts | None:
        """The newest document of a kind."""
        return next((document for document in self.documents if document.kind == kind), None)


@dataclass(frozen=True)
class ArtifactFiles:
    """The version's files, copied for the check. `folder` is None where they could not be had: `problem` says why."""

    folder: Path | None
    digest: bytes | None = None
    """The content digest of what was copied."""
    problem: str | None = None
    at_fault: bool = False
    """Whether the problem lies in the artifact itself, such as a link in it, and not in reaching it."""


@dataclass(frozen=True)
class DocumentFile:
    """The bytes of one document."""

    kind: str
    file_name: str
    path: Path


@dataclass(frozen=True)
class Files:
    """What a check may read besides rows: only what it names in `reads`."""

    artifact: ArtifactFiles | None = None
    documents: tuple[DocumentFile, ...] = ()
    missing_documents: str | None = None
    """Why not all documents could be copied."""
    vulnerability_export: Path | None = None

    def all_documents(self) -> tuple[DocumentFile, ...]:
        """The documents.

        Raises:
            UnreadableInputError: not all could be had.
        """
        if self.missing_documents is not None:
            raise UnreadableInputError(f"Not all documents could be read: {self.missing_documents}")
        return self.documents

    def sound_artifact(self, facts: CheckFacts) -> Path:
        """The folder of the version's files, whose digest is the registered one.

        Raises:
            UnreadableInputError: they could not be had, or are others than those registered.
        """
        artifact = self.artifact
        if artifact is None or artifact.folder is None:
            reason = "they were not asked for" if artifact is None else artifact.problem or "nothing was copied"
            raise UnreadableInputError(f"The artifact could not be read: {reason}")
        if artifact.digest != facts.content_digest:
            raise UnreadableInputError("The artifact's bytes are not the registered ones: their digest differs.")
        return artifact.folder


class UnreadableInputError(Exception):
    """What a check must look at cannot be had: its outcome is *error*."""
