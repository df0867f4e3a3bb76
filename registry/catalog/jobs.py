"""Computes a version's content digest again from the stored bytes."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.catalog.digest import manifest_of_uri
from registry.catalog.facts import DigestState
from registry.catalog.manifest import ContentError, content_digest
from registry.catalog.tables import ModelVersion
from registry.errors import UnprocessableError
from registry.jobs.service import enqueue
from registry.jobs.worker import Work
from registry.unit import Unit


def verify_digest(work: Work) -> None:
    """Read all bytes below the version's source URI, and keep whether they have the digest that the client stated.

    Raises:
        UnprocessableError: the source lies outside the allowed roots, or cannot be read; the digest stays *stated*.
    """
    version_id = UUID(work.lease.arguments["version_id"])
    with work.units.reading() as unit:
        version = unit.session.get_one(ModelVersion, version_id)
        source_uri, stated = version.source_uri, version.content_digest
    work.report(0.1, "reading the artifact")
    try:
        found = content_digest(manifest_of_uri(source_uri, work.settings.artifact_roots))
    except ContentError as error:
        raise UnprocessableError("source_uri", str(error)) from error
    result = {"digest_state": _compared(stated, found).value, "found": found.hex()}
    with work.outcome(result) as unit:
        note_digest(unit, version_id, found)
        # What the check of this digest found is stale now.
        enqueue(unit, None, "run-checks", {"version_id": str(version_id)}, subject_id=version_id)


def note_digest(unit: Unit, version_id: UUID, found: bytes) -> None:
    """Keep whether the digest that was computed from the stored bytes just now is the registered one."""
    query = select(ModelVersion).where(col(ModelVersion.id) == version_id).with_for_update()
    version = unit.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    state = _compared(version.content_digest, found)
    version.digest_state = state.value
    version.digest_checked_at = unit.now
    unit.record(
        None,
        "version.digest-checked",
        version_id,
        {"digest_state": state, "stated": version.content_digest.hex(), "found": found.hex()},
    )


def _compared(stated: bytes, found: bytes) -> DigestState:
    return DigestState.VERIFIED if found == stated else DigestState.MISMATCH
