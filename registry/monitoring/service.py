"""The monitoring plan of a version and the profile of its training data: what can be done."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Role
from registry.access.tables import ActorRow
from registry.catalog.facts import DatasetRole, EdgeKind
from registry.catalog.service import FoundVersion, lineage_of
from registry.catalog.tables import LineageRow, ModelVersion
from registry.errors import InvalidInputError, NotFoundError, OutdatedRevisionError
from registry.monitoring.plan import EmailRoute, MonitoringPlan, WebhookRoute, check_plan, route_digest
from registry.monitoring.profile import TrainingProfile, check_profile, profile_digest
from registry.monitoring.tables import PlanRow, ProfileOrigin, ProfileRow
from registry.notifications.mail import checked_address
from registry.notifications.tables import WebhookRow
from registry.notifications.webhooks import scope_of
from registry.policy.jobs import request_checks
from registry.policy.separation import lock_version
from registry.unit import Committed, Unit

PLANNING = (Role.DEVELOPER, Role.OPERATIONS_REVIEWER)
"""The roles that may state a monitoring plan, and have its alert route tried."""


@dataclass(frozen=True)
class StatedPlan:
    """A plan and the row that says who stated it."""

    row: PlanRow
    plan: MonitoringPlan


@dataclass(frozen=True)
class StoredProfile:
    """A profile and the row that says where it comes from."""

    row: ProfileRow
    profile: TrainingProfile


def plan_of(unit: Unit, version_id: UUID) -> StatedPlan | None:
    """The newest revision of a version's plan, or None where none was stated."""
    query = select(PlanRow).where(col(PlanRow.version_id) == version_id).order_by(col(PlanRow.revision).desc()).limit(1)
    row = unit.session.execute(query).scalar()
    return None if row is None else StatedPlan(row, msgspec.convert(row.plan, MonitoringPlan))


def get_plan(unit: Unit, found: FoundVersion) -> StatedPlan:
    """The newest revision of a version's plan.

    Raises:
        NotFoundError: none was stated.
    """
    plan = plan_of(unit, found.version.id)
    if plan is None:
        raise NotFoundError("monitoring plan of version", f"{found.model.name} {found.version.number}")
    return plan


def state_plan(unit: Unit, actor: Actor, found: FoundVersion, based_on: int, plan: MonitoringPlan) -> StatedPlan:
    """State a version's monitoring plan, whole or in part. `based_on`: the revision that it replaces, 0 for none.

    Raises:
        RefusedError: the actor is neither developer nor operations reviewer there.
        OutdatedRevisionError: somebody else stated one in between.
        InvalidInputError: it contradicts itself, or names a person, webhook or version that is not there.
    """
    actor.require(*PLANNING, place=found.place)
    check_plan(plan)
    lock_version(unit, found.version.id)
    present = plan_of(unit, found.version.id)
    revision = 0 if present is None else present.row.revision
    if based_on != revision:
        raise OutdatedRevisionError(
            f"Your plan is based on revision {based_on}; the present one is {revision}.",
            "Read it again, and repeat your edit on what it says now.",
        )
    _check_owner(unit, plan.owner)
    _check_route(unit, found, plan)
    _check_rollback(unit, found, plan)
    text = msgspec.json.encode(plan, order="deterministic")
    row = PlanRow(
        version_id=found.version.id,
        revision=revision + 1,
        plan=msgspec.json.decode(text),
        digest=hashlib.sha256(text).digest(),
        owner_id=plan.owner,
        webhook_id=plan.alert_route.webhook if isinstance(plan.alert_route, WebhookRoute) else None,
        route_digest=_route_digest(plan),
        stated_by=actor.id,
        stated_at=unit.now,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "plan.stated",
        row.id,
        {
            "version_id": row.version_id,
            "revision": row.revision,
            "owner_id": row.owner_id,
            "webhook_id": row.webhook_id,
            "sha256": row.digest.hex(),
            "plan": Committed(text.decode()),
            "stated_at": row.stated_at,
        },
    )
    request_checks(unit, actor, found.version.id)
    return StatedPlan(row, plan)


def _route_digest(plan: MonitoringPlan) -> bytes | None:
    if plan.owner is None or plan.alert_route is None:
        return None
    return route_digest(plan.owner, plan.alert_route)


def _check_owner(unit: Unit, owner: UUID | None) -> None:
    if owner is None:
        return
    row = unit.session.get(ActorRow, owner)
    if row is None or row.kind != ActorKind.PERSON or row.left_at is not None:
        raise InvalidInputError("owner", str(owner), "name a person who is known here and has not left")


def _check_route(unit: Unit, found: FoundVersion, plan: MonitoringPlan) -> None:
    match plan.alert_route:
        case EmailRoute(address=str() as address):
            checked_address("alert_route.address", address)
        case WebhookRoute(webhook=webhook_id):
            row = unit.session.get(WebhookRow, webhook_id)
            if row is None or row.removed_at is not None or not scope_of(row).covers(found.place):
                raise InvalidInputError(
                    "alert_route.webhook", str(webhook_id), "name a webhook that hears of this model: acta webhook list"
                )
        case _:
            return


def _check_rollback(unit: Unit, found: FoundVersion, plan: MonitoringPlan) -> None:
    number = plan.rollback_target
    if not isinstance(number, int):
        return
    if number == found.version.number:
        raise InvalidInputError("rollback_target", number, "a version is not its own rollback target")
    query = select(col(ModelVersion.id)).where(
        col(ModelVersion.model_id) == found.model.id, col(ModelVersion.number) == number
    )
    if unit.session.execute(query).first() is None:
        raise InvalidInputError("rollback_target", number, "there is no such version of this model")


def training_sets(unit: Unit, version_id: UUID) -> list[LineageRow]:
    """The training data that a version's lineage names."""
    return [
        edge
        for edge in lineage_of(unit, version_id)
        if edge.kind == EdgeKind.DATASET and edge.role == DatasetRole.TRAINING and edge.digest is not None
    ]


def profiles_of(unit: Unit, version_id: UUID) -> list[StoredProfile]:
    """The profiles of a version's training data, by name."""
    query = (
        select(ProfileRow)
        .where(col(ProfileRow.version_id) == version_id)
        .order_by(col(ProfileRow.dataset_name), col(ProfileRow.dataset_digest))
    )
    return [
        StoredProfile(row, msgspec.convert({"rows": row.row_count, "columns": row.columns}, TrainingProfile))
        for row in unit.session.execute(query).scalars()
    ]


def state_profile(
    unit: Unit, actor: Actor, found: FoundVersion, dataset_digest: bytes, profile: TrainingProfile
) -> StoredProfile:
    """Keep a profile that a client computed where it trained. One that Acta read itself is never replaced by it.

    Raises:
        RefusedError: the actor is no developer there.
        InvalidInputError: no data set ever has that profile, or the lineage names no training data of that digest.
    """
    actor.require(Role.DEVELOPER, place=found.place)
    check_profile(profile)
    lock_version(unit, found.version.id)
    edge = next((edge for edge in training_sets(unit, found.version.id) if edge.digest == dataset_digest), None)
    if edge is None:
        raise InvalidInputError(
            "dataset_digest", dataset_digest.hex(), "the version's lineage names no training data of that digest"
        )
    present = unit.session.get(ProfileRow, (found.version.id, dataset_digest))
    if present is not None and present.origin == ProfileOrigin.READ:
        kept = {"rows": present.row_count, "columns": present.columns}
        return StoredProfile(present, msgspec.convert(kept, TrainingProfile))
    row = keep_profile(unit, found.version.id, edge, profile, actor)
    return StoredProfile(row, profile)


def keep_profile(
    unit: Unit, version_id: UUID, edge: LineageRow, profile: TrainingProfile, stated_by: Actor | None
) -> ProfileRow:
    """Keep a profile, instead of one that was kept before. `stated_by`: None where Acta read the data itself."""
    assert edge.digest is not None
    origin = ProfileOrigin.READ if stated_by is None else ProfileOrigin.STATED
    values = {
        "dataset_name": edge.name,
        "origin": origin.value,
        "row_count": profile.rows,
        "columns": msgspec.to_builtins(profile.columns),
        "digest": profile_digest(profile),
        "stated_by": None if stated_by is None else stated_by.id,
        "made_at": unit.now,
    }
    row = unit.session.get(ProfileRow, (version_id, edge.digest))
    if row is None:
        row = ProfileRow(version_id=version_id, dataset_digest=edge.digest, **values)
    for name, value in values.items():
        setattr(row, name, value)
    unit.session.add(row)
    unit.record(
        stated_by,
        "profile.stored",
        version_id,
        {
            "dataset_sha256": edge.digest.hex(),
            "dataset": Committed(edge.name),
            "origin": origin,
            "rows": row.row_count,
            "columns": len(profile.columns),
            "sha256": row.digest.hex(),
            "profile": Committed(msgspec.json.encode(profile, order="deterministic").decode()),
            "made_at": row.made_at,
        },
    )
    request_checks(unit, stated_by, version_id)
    return row
