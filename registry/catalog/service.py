"""Registered models and model versions: what can be done."""

import hashlib
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Row, bindparam, func, insert, or_, select
from sqlmodel import col

from audit.driver import batch
from registry.access.actor import Actor, Place, Role
from registry.access.service import get_actor, visible
from registry.catalog.facts import (
    DatasetRole,
    DigestState,
    LineageEdge,
    RiskProfile,
    Stage,
    VersionFacts,
    check_risk_profile,
    check_version_facts,
)
from registry.catalog.reads import MODEL, VERSION, VersionRecord
from registry.catalog.risk import assess_risk, begin_state, refuse_lowering
from registry.catalog.tables import LineageRow, ModelVersion, RegisteredModel
from registry.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedRevisionError
from registry.jobs.service import enqueue
from registry.names import checked_name, checked_text, name_key
from registry.policy.risk import OPEN_TIER
from registry.policy.serial import hold_policies
from registry.prepared import Prepared
from registry.unit import Committed, Unit, Value

# Built once: building them takes longer than running them.
_LOCKED_MODEL = select(RegisteredModel).where(col(RegisteredModel.name) == bindparam("name")).with_for_update()
_LOCKED_PLACE = Prepared(
    select(MODEL.c.id, MODEL.c.name, MODEL.c.team, MODEL.c.risk_tier)
    .where(MODEL.c.name == bindparam("name"))
    .with_for_update()
)
_INSERT_VERSION = Prepared(insert(VERSION))
_NEWEST_NUMBER = Prepared(
    select(func.coalesce(func.max(VERSION.c.number), 0)).where(VERSION.c.model_id == bindparam("model_id"))
)


class ModelTexts(msgspec.Struct, frozen=True):
    """What people are told about a model."""

    purpose: str
    intended_users: str | None = None
    out_of_scope: str | None = None
    limitations: str | None = None
    affected_persons: str | None = None


@dataclass(frozen=True)
class FoundVersion:
    """A version with the model that it belongs to."""

    model: RegisteredModel
    version: ModelVersion

    @property
    def place(self) -> Place:
        """Where roles must reach to act on it."""
        return Place(self.model.name, self.model.team)


def create_model(
    unit: Unit, actor: Actor, *, name: str, team: str, owner_id: UUID, texts: ModelTexts, profile: RiskProfile
) -> RegisteredModel:
    """Register a name, under which versions will stand.

    Raises:
        RefusedError: the actor is no developer for that team.
        InvalidInputError: a bad name or text, or an owner who is not here.
        ConflictError: the name is taken, or differs from one only by case or Unicode normalisation.
    """
    checked_name("name", name)
    checked_name("team", team)
    _check_texts(texts)
    check_risk_profile(profile)
    place = Place(name, team)
    actor.require(Role.DEVELOPER, place=place)
    _check_owner(unit, owner_id)
    hold_policies(unit)
    _check_free(unit, actor, name)
    risk = assess_risk(unit, place, profile)
    row = RegisteredModel(
        name=name,
        name_key=name_key(name),
        team=team,
        owner_id=owner_id,
        risk_profile=msgspec.to_builtins(profile),
        risk_tier=risk.tier,
        created_at=unit.now,
        created_by=actor.id,
        **msgspec.structs.asdict(texts),
    )
    unit.session.add(row)
    unit.record(actor, "model.registered", row.id, {"name": name, "team": team, **_stated(row, texts)})
    begin_state(unit, actor, row, risk)
    return row


def _check_free(unit: Unit, actor: Actor, name: str) -> None:
    model = col(RegisteredModel.name), col(RegisteredModel.team)
    alike = or_(col(RegisteredModel.name_key) == name_key(name), col(RegisteredModel.name) == name)
    taken = {row.name: Place(row.name, row.team) for row in unit.session.execute(select(*model).where(alike))}
    if name in taken:
        raise ConflictError(
            f"A model named {name!r} exists already.", "Register a version of it, or choose a new name."
        )
    for other, place in taken.items():
        named = f"named {other!r} exists already, and" if actor.reads(place) else "with a similar name exists already:"
        raise ConflictError(
            f"A model {named} {name!r} differs from it only by case or Unicode normalisation.",
            "Register a version of that model, or choose a name that people can tell from it.",
        )


def edit_model(
    unit: Unit,
    actor: Actor,
    name: str,
    based_on: int,
    *,
    owner_id: UUID,
    texts: ModelTexts,
    profile: RiskProfile,
) -> RegisteredModel:
    """Replace what people are told about a model, its owner and its risk profile.

    Other answers than before make its live requests stale, and what was attested with a view to its risk lapses.

    Raises:
        InvalidInputError: a bad text, an owner who is not here, or an answer that leaves a question open.
        OutdatedRevisionError: somebody else edited in between.
        RefusedError: the answers lower the tier, and with it what a version must show; the actor is no risk officer.
    """
    hold_policies(unit)
    row = _locked_model(unit, actor, name)
    actor.require(Role.DEVELOPER, Role.RISK_OFFICER, place=Place(row.name, row.team))
    if row.revision != based_on:
        raise OutdatedRevisionError(
            f"Your edit is based on revision {based_on}; the present one is {row.revision}.",
            "Read it again, and repeat your edit on what it says now.",
        )
    _check_texts(texts)
    check_risk_profile(profile)
    _check_owner(unit, owner_id)
    row.owner_id = owner_id
    for field, value in msgspec.structs.asdict(texts).items():
        setattr(row, field, value)
    row.revision += 1
    answers = msgspec.to_builtins(profile)
    risk = None
    if answers != row.risk_profile:
        row.risk_profile = answers
        row.risk_revision += 1
        risk = assess_risk(unit, Place(row.name, row.team), profile)
        refuse_lowering(actor, Place(row.name, row.team), row.risk_tier, risk)
        row.risk_tier = risk.tier
    unit.record(actor, "model.edited", row.id, {"revision": row.revision, **_stated(row, texts)})
    if risk is not None:
        begin_state(unit, actor, row, risk)
    return row


def _check_texts(texts: ModelTexts) -> None:
    for field, value in msgspec.structs.asdict(texts).items():
        if value is not None:
            checked_text(field, value)


def _stated(row: RegisteredModel, texts: ModelTexts) -> dict[str, Value]:
    committed: dict[str, Value] = {
        field: None if value is None else Committed(value) for field, value in msgspec.structs.asdict(texts).items()
    }
    risk: dict[str, Value] = {
        "risk_profile": row.risk_profile,
        "risk_tier": row.risk_tier,
        "risk_revision": row.risk_revision,
    }
    return {"owner_id": row.owner_id, **risk, **committed}


def _check_owner(unit: Unit, owner_id: UUID) -> None:
    try:
        owner = get_actor(unit, owner_id)
    except NotFoundError:
        raise InvalidInputError("owner_id", str(owner_id), "there is no such actor") from None
    if owner.left_at is not None:
        raise InvalidInputError("owner_id", str(owner_id), "this actor has left")


def _check_known(field: str, unit: Unit, actor_id: UUID) -> None:
    try:
        get_actor(unit, actor_id)
    except NotFoundError:
        raise InvalidInputError(field, str(actor_id), "there is no such actor") from None


def get_model(unit: Unit, actor: Actor, name: str) -> RegisteredModel:
    """The model of that name.

    Raises:
        NotFoundError: there is none, or the actor may not see it.
    """
    row = unit.session.execute(select(RegisteredModel).where(col(RegisteredModel.name) == name)).scalar()
    if row is None or not actor.reads(Place(row.name, row.team)):
        raise NotFoundError("model", name)
    return row


def _locked_model(unit: Unit, actor: Actor, name: str) -> RegisteredModel:
    row = unit.session.execute(_LOCKED_MODEL, {"name": name}).scalar()
    if row is None or not actor.reads(Place(row.name, row.team)):
        raise NotFoundError("model", name)
    return row


def list_models(
    unit: Unit, actor: Actor, *, contains: str | None, after: str | None, limit: int
) -> list[RegisteredModel]:
    """Models by name, from the one after `after` on, that the actor may see."""
    query = select(RegisteredModel).order_by(col(RegisteredModel.name)).limit(limit)
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    if contains:
        query = query.where(col(RegisteredModel.name).icontains(contains, autoescape=True))
    if after is not None:
        query = query.where(col(RegisteredModel.name) > after)
    return list(unit.session.execute(query).scalars())


def register_version(unit: Unit, actor: Actor, name: str, facts: VersionFacts) -> VersionRecord:
    """A new version of a model, in stage `none`; a job then verifies its content digest.

    Raises:
        NotFoundError: no such model.
        InvalidInputError: a fact that breaks a rule, or a parent that does not exist.
        ConflictError: no policy governs the model, and the same bytes are a version of one that is governed.
    """
    # Locked, so that two registrations never draw the same number. Rows, not objects: pipelines do this all day.
    found = _LOCKED_PLACE.row(unit.connection, {"name": name})
    if found is None or not actor.reads(Place(*found[1:3])):
        raise NotFoundError("model", name)
    model_id, model, team, tier = found
    actor.require(Role.DEVELOPER, place=Place(model, team))
    check_version_facts(facts)
    if tier == OPEN_TIER:
        _refuse_copy(unit, facts.content_digest)
    if facts.trained_by is not None:
        _check_known("trained_by", unit, facts.trained_by)
    ((newest,),) = _NEWEST_NUMBER.rows(unit.connection, {"model_id": model_id})
    version = VersionRecord(
        id=uuid4(),
        model=model,
        team=team,
        number=newest + 1,
        stage=Stage.NONE.value,
        source_uri=facts.source_uri,
        content_digest=bytes.fromhex(facts.content_digest),
        digest_state=DigestState.STATED.value,
        digest_checked_at=None,
        framework=facts.framework,
        framework_version=facts.framework_version,
        run_id=facts.run_id,
        metrics=facts.metrics,
        parameters=facts.parameters,
        signature=facts.signature,
        size_bytes=facts.size_bytes,
        description=facts.description,
        created_at=unit.now,
        created_by=actor.id,
        trained_by=facts.trained_by,
        aliases=[],
        tags={},
    )
    values = version._asdict() | {"model_id": model_id}
    with batch(unit.connection):
        _INSERT_VERSION.rows(unit.connection, {name: values[name] for name in VERSION.columns.keys()})  # noqa: SIM118 - not a dict
        enqueue(unit, actor, "verify-digest", {"version_id": str(version.id)})
        if any(edge.role is DatasetRole.TRAINING and edge.uri is not None for edge in facts.lineage):
            enqueue(unit, actor, "profile-training-data", {"version_id": str(version.id)}, subject_id=version.id)
    _add_lineage(unit, version.id, facts.lineage, newest)
    unit.record(actor, "version.registered", version.id, _registered(model_id, version.number, facts))
    return version


def _refuse_copy(unit: Unit, content_digest: str) -> None:
    """Keep what a policy governs out of the open tier, whatever it is called there."""
    query = (
        select(col(RegisteredModel.id))
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(
            col(ModelVersion.content_digest) == bytes.fromhex(content_digest),
            col(RegisteredModel.risk_tier) != OPEN_TIER,
        )
    )
    if unit.session.execute(query.limit(1)).first() is not None:
        raise ConflictError(
            "The same bytes are a version of a model that a policy governs, and no policy governs this model.",
            "Register the version under the governed model.",
        )


def _add_lineage(unit: Unit, version_id: UUID, edges: list[LineageEdge], newest: int) -> None:
    for position, edge in enumerate(edges):
        number = edge.identifier or ""
        if edge.kind == "parent" and not (number.isdecimal() and len(number) < 10 and 1 <= int(number) <= newest):
            raise InvalidInputError(f"lineage[{position}].identifier", number, "a parent is a version of this model")
    if edges:
        unit.connection.execute(
            insert(LineageRow),
            [
                {
                    "version_id": version_id,
                    "position": position,
                    "kind": edge.kind.value,
                    "role": None if edge.role is None else edge.role.value,
                    "name": edge.name,
                    "uri": edge.uri,
                    "digest": None if edge.digest is None else bytes.fromhex(edge.digest),
                    "identifier": edge.identifier,
                }
                for position, edge in enumerate(edges)
            ],
        )


def _registered(model_id: UUID, number: int, facts: VersionFacts) -> dict[str, Value]:
    """What the log keeps of a registration: small facts in clear, free text committed, long lists by digest."""
    bulky = msgspec.json.encode([facts.parameters, facts.signature, facts.lineage], order="deterministic")
    return {
        "model_id": model_id,
        "number": number,
        "source_uri": Committed(facts.source_uri),
        "content_digest": facts.content_digest,
        "framework": facts.framework,
        "framework_version": facts.framework_version,
        "run_id": facts.run_id,
        "size_bytes": facts.size_bytes,
        "description": None if facts.description is None else Committed(facts.description),
        "metrics": Committed(msgspec.json.encode(facts.metrics, order="deterministic").decode()),
        "details": Committed(bulky.decode()),
        "details_sha256": hashlib.sha256(bulky).hexdigest(),
        "trained_by": facts.trained_by,
    }


def find_version(unit: Unit, actor: Actor, name: str, number: int) -> FoundVersion:
    """A version of a model by its number.

    Raises:
        NotFoundError: no such model or version, or the actor may not see it.
    """
    found = unit.session.execute(
        select(RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(RegisteredModel.name) == name, col(ModelVersion.number) == number)
    ).first()
    if found is None:
        get_model(unit, actor, name)
        raise NotFoundError("version", f"{name} {number}")
    return _seen(actor, found)


def version_by_id(unit: Unit, actor: Actor, version_id: UUID) -> FoundVersion:
    """A version by its id.

    Raises:
        NotFoundError: no such version, or the actor may not see it.
    """
    found = unit.session.execute(
        select(RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(ModelVersion.id) == version_id)
    ).first()
    if found is None:
        raise NotFoundError("version", version_id)
    return _seen(actor, found)


def _seen(actor: Actor, found: Row[RegisteredModel, ModelVersion]) -> FoundVersion:
    result = FoundVersion(found[0], found[1])
    if not actor.reads(result.place):
        raise NotFoundError("model", result.model.name)
    return result


def lineage_of(unit: Unit, version_id: UUID) -> list[LineageRow]:
    """What a version came from, in the order in which it was stated."""
    query = select(LineageRow).where(col(LineageRow.version_id) == version_id).order_by(col(LineageRow.position))
    return list(unit.session.execute(query).scalars())
