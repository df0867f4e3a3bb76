"""What an answer names as its evidence: documents, assessments and check results of the same version."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from registry.assessments.tables import AssessmentRow
from registry.documents.tables import DocumentRow
from registry.errors import InvalidInputError
from registry.policy.tables import CheckResultRow
from registry.unit import Unit

MOST_REFERENCES = 20


class ReferenceKind(StrEnum):
    """What is referred to."""

    DOCUMENT = "document"
    ASSESSMENT = "assessment"
    CHECK_RESULT = "check result"


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document, assessment or check result, by its id."""

    kind: ReferenceKind
    id: UUID


_COLUMNS: Mapping[ReferenceKind, tuple[Mapped[UUID], Mapped[UUID]]] = {
    ReferenceKind.DOCUMENT: (col(DocumentRow.id), col(DocumentRow.version_id)),
    ReferenceKind.ASSESSMENT: (col(AssessmentRow.id), col(AssessmentRow.version_id)),
    ReferenceKind.CHECK_RESULT: (col(CheckResultRow.id), col(CheckResultRow.version_id)),
}


def check_references(unit: Unit, version_id: UUID, references: Sequence[Reference]) -> None:
    """Refuse references to what does not exist or belongs to another version.

    Raises:
        InvalidInputError: naming the reference.
    """
    if len(references) > MOST_REFERENCES:
        raise InvalidInputError("rests_on", len(references), f"at most {MOST_REFERENCES} are kept")
    for kind, (identity, version) in _COLUMNS.items():
        wanted = {reference.id for reference in references if reference.kind is kind}
        if not wanted:
            continue
        found = set(unit.session.execute(select(identity).where(identity.in_(wanted), version == version_id)).scalars())
        for position, reference in enumerate(references):
            if reference.kind is kind and reference.id not in found:
                rule = f"this version has no {kind.value} of that id"
                raise InvalidInputError(f"rests_on[{position}].id", str(reference.id), rule)
