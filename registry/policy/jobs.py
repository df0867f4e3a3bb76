"""Runs the automatic checks of a version, and keeps their dated results. Gates read those and compute nothing."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Place
from registry.catalog.digest import manifest_of_uri
from registry.catalog.jobs import note_digest
from registry.catalog.manifest import ContentError, content_digest
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.findings.from_checks import open_where_failed
from registry.jobs.service import enqueue, get_job
from registry.jobs.tables import JobRow
from registry.jobs.worker import Work
from registry.policy.checks import Check, CheckFacts, Finding, bind, inputs_digest, runs_apart
from registry.policy.checks.child import Limits
from registry.policy.checks.isolation import examine
from registry.policy.facts_of_versions import check_facts, current_documents
from registry.policy.materials import (
    Directory,
    copied_files,
    directory_of_copies,
    files_for,
    refreshed_export,
    wanted_by,
)
from registry.policy.outcomes import Outcome
from registry.policy.separation import lock_version
from registry.policy.service import find_policy_for, policy_of
from registry.policy.tables import CheckResultRow
from registry.promotion.staleness import outdate_requests
from registry.promotion.states import LIVE
from registry.promotion.tables import PromotionRequest
from registry.unit import Committed, Unit

logger = logging.getLogger("acta.checks")

RECENT = timedelta(days=1)
"""How long what a check found in files is not looked for again without anybody asking."""


@dataclass(frozen=True)
class _Examined:
    check: Check
    finding: Finding
    inputs_digest: bytes


def request_checks(unit: Unit, actor: Actor | None, version_id: UUID) -> JobRow:
    """Have all automatic checks run for a version, in a job."""
    return get_job(unit, enqueue(unit, actor, "run-checks", {"version_id": str(version_id)}, subject_id=version_id))


def run_checks(work: Work) -> None:
    """Run every automatic check that the policies in force ask of a version; each leaves a result."""
    version_id = UUID(work.lease.arguments["version_id"])
    with work.units.reading() as unit:
        checks = _checks_for(unit, version_id)
    with directory_of_copies() as directory:
        examined = _examined(work, version_id, checks, directory)
    result = {one.check.name: one.finding.outcome.value for one in examined}
    with work.outcome(result) as unit:
        lock_version(unit, version_id)
        for one in examined:
            _keep(unit, version_id, one)
        outdate_requests(unit, version_id)


def list_results(unit: Unit, version_id: UUID) -> list[CheckResultRow]:
    """The results of a version's checks, newest first; at most 500."""
    query = (
        select(CheckResultRow)
        .where(col(CheckResultRow.version_id) == version_id)
        .order_by(col(CheckResultRow.checked_at).desc(), col(CheckResultRow.check_name), col(CheckResultRow.id))
        .limit(500)
    )
    return list(unit.session.execute(query).scalars())


def _checks_for(unit: Unit, version_id: UUID) -> list[Check]:
    """The checks of the policy that governs the model, and of the policies under which live requests were made."""
    version = unit.session.get_one(ModelVersion, version_id)
    model = unit.session.get_one(RegisteredModel, version.model_id)
    active = find_policy_for(unit, Place(model.name, model.team))
    policies = {} if active is None else {active.row_id: active.policy}
    query = select(col(PromotionRequest.policy_id)).where(
        col(PromotionRequest.version_id) == version_id, col(PromotionRequest.state).in_(LIVE)
    )
    for policy_id in unit.session.execute(query).scalars():
        policies.setdefault(policy_id, policy_of(unit, policy_id).policy)
    checks: list[Check] = []
    for policy in policies.values():
        for needed in policy.checks():
            check = bind(needed.check, needed.parameters)
            if check not in checks:
                checks.append(check)
    return checks


def _examined(work: Work, version_id: UUID, checks: Sequence[Check], directory: Directory) -> list[_Examined]:
    """What each check finds, on copies of the files, outside of any transaction."""
    export = refreshed_export(work.units, work.settings, wanted_by(checks), directory)
    _read_bytes_again(work, version_id)
    # Read after the export and the digest were kept: they are among the facts.
    with work.units.reading() as unit:
        version = unit.session.get_one(ModelVersion, version_id)
        model = unit.session.get_one(RegisteredModel, version.model_id)
        facts = check_facts(unit, model, version, current_documents(unit, version_id))
        source_uri, now = version.source_uri, unit.now
        if work.lease.requested_by is None:
            checks = _without_recent(unit, version_id, checks, facts)
    wanted = wanted_by(checks)
    copied = copied_files(source_uri, facts.documents, export, work.settings, wanted, directory)
    limits = Limits(wall_seconds=work.settings.check_seconds)
    found = []
    for position, check in enumerate(checks):
        work.report(0.1 + 0.8 * position / len(checks), f"checking {check.name}")
        finding = examine(check, facts, now, files_for(check, copied), limits, work.go_on)
        found.append(_Examined(check, finding, inputs_digest(check, facts, now)))
    return found


def _read_bytes_again(work: Work, version_id: UUID) -> None:
    """Compute the content digest from the stored bytes, unless that was done a short while ago without being asked.

    Where the bytes cannot be read, what was found last stands, and grows old.
    """
    with work.units.reading() as unit:
        version = unit.session.get_one(ModelVersion, version_id)
        read_at, now = version.digest_checked_at, unit.now
        source_uri = version.source_uri
    if work.lease.requested_by is None and read_at is not None and now - read_at < RECENT:
        return
    work.report(0.05, "reading the artifact")
    try:
        found = content_digest(manifest_of_uri(source_uri, work.settings.artifact_roots))
    except (ContentError, OSError) as error:
        logger.warning("the artifact of version %s cannot be read: %s", version_id, error)
        return
    work.go_on()
    with work.units.writing(f"job-{work.lease.job_id}") as unit:
        note_digest(unit, version_id, found)


def _without_recent(unit: Unit, version_id: UUID, checks: Sequence[Check], facts: CheckFacts) -> list[Check]:
    """The checks but for those in processes of their own that found something on the same inputs a short while ago.

    Many events have the checks run again; whoever asks for it in person gets every one.
    """
    known = {
        (row.check_name, row.inputs_digest)
        for row in list_results(unit, version_id)
        if row.outcome != Outcome.ERROR and unit.now - row.checked_at < RECENT
    }
    return [
        check
        for check in checks
        if not (runs_apart(check) and (check.name, inputs_digest(check, facts, unit.now)) in known)
    ]


def _keep(unit: Unit, version_id: UUID, one: _Examined) -> None:
    row = CheckResultRow(
        version_id=version_id,
        check_name=one.check.name,
        check_version=one.check.version,
        outcome=one.finding.outcome.value,
        reason=one.finding.reason,
        evidence=dict(one.finding.evidence),
        inputs_digest=one.inputs_digest,
        checked_at=unit.now,
    )
    unit.session.add(row)
    unit.record(
        None,
        "check.finished",
        row.id,
        {
            "version_id": version_id,
            "check": row.check_name,
            "check_version": row.check_version,
            "outcome": one.finding.outcome,
            "reason": Committed(row.reason),
            "evidence": Committed(msgspec.json.encode(row.evidence, order="deterministic").decode()),
            "inputs_sha256": row.inputs_digest.hex(),
            "checked_at": row.checked_at,
        },
    )
    open_where_failed(unit, row)
