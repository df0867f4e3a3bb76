"""An installation on each database, its people, and a registered version."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from audit.errors import LeafError
from audit.keys import Ed25519Signer
from audit.log import Log
from audit.reads import EntryFilter, entries_after
from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.access.service import add_actor, create_token, found_installation, grant_role
from registry.access.tables import ActorRow
from registry.actions import problems_of
from registry.catalog import service as catalog
from registry.catalog.digest import content_digest, manifest_of_folder
from registry.catalog.facts import (
    Autonomy,
    DatasetRole,
    EdgeKind,
    Impact,
    LegalDomain,
    LineageEdge,
    PersonalData,
    Reversibility,
    RiskProfile,
    VersionFacts,
)
from registry.catalog.service import FoundVersion, ModelTexts
from registry.database import Database
from registry.errors import ActaError
from registry.policy.service import activate_default
from registry.settings import Settings
from registry.storage import Storage
from registry.unit import Unit, Units
from tests.conftest import Databases

ORIGIN = "acta.example/log"
SIGNER = Ed25519Signer.of_seed(ORIGIN, bytes(range(32)))
TEST_DATA_DIGEST = "7e" * 32

PROFILE = RiskProfile(
    financial_impact=Impact.HIGH,
    reputational_impact=Impact.LIMITED,
    affects_persons=True,
    personal_data=PersonalData.PERSONAL,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.WITH_EFFORT,
    legal_domain=LegalDomain.CREDITWORTHINESS,
)

ARTIFACT = Path(__file__).with_name("artifact")
"""A small model, in which no check finds a fault."""
FACTS = VersionFacts(
    source_uri=ARTIFACT.as_uri(),
    content_digest=content_digest(manifest_of_folder(ARTIFACT)).hex(),
    framework="sklearn",
    framework_version="1.9.1",
    run_id="5b0f22",
    metrics={"accuracy": "0.8213", "roc_auc": "0.779"},
    parameters={"seed": "7"},
    lineage=[
        LineageEdge(EdgeKind.DATASET, "training.parquet", DatasetRole.TRAINING, digest="4e" * 32),
        LineageEdge(EdgeKind.DATASET, "holdout.parquet", DatasetRole.TEST, digest=TEST_DATA_DIGEST),
        LineageEdge(EdgeKind.CODE, "risk/credit", uri="https://git.example/risk/credit", identifier="6f2c1e9d" * 5),
        LineageEdge(EdgeKind.RUN, "hist-gradient", identifier="5b0f22"),
        LineageEdge(
            EdgeKind.ENVIRONMENT,
            "requirements.txt",
            digest=sha256((ARTIFACT / "requirements.txt").read_bytes()).hexdigest(),
        ),
    ],
)


@dataclass(frozen=True)
class People:
    """One actor for each role, on the whole installation."""

    administrator: Actor
    developer: Actor
    other_developer: Actor
    validator: Actor
    ethics: Actor
    security: Actor
    operations: Actor
    risk: Actor
    auditor: Actor
    stranger: Actor
    """Known, without any role."""


ROLES = {
    "developer": Role.DEVELOPER,
    "other_developer": Role.DEVELOPER,
    "validator": Role.VALIDATOR,
    "ethics": Role.ETHICS_REVIEWER,
    "security": Role.SECURITY_REVIEWER,
    "operations": Role.OPERATIONS_REVIEWER,
    "risk": Role.RISK_OFFICER,
    "auditor": Role.AUDITOR,
}
EVERYTHING = Scope(ScopeKind.ALL)


@pytest.fixture
def migrated_url(request: pytest.FixtureRequest, databases: Databases, database_kind: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh database at the newest migration; with actors, where a test asks for `people`."""
    prepare = _bring_people if "people" in request.fixturenames else None
    with databases.migrated(database_kind, prepare) as url:
        yield url


@pytest.fixture
def settings(migrated_url: str, tmp_path: Path) -> Settings:
    """Settings of an installation in a directory of its own."""
    return Settings(
        home=tmp_path / "home",
        database_url=migrated_url,
        log_origin=ORIGIN,
        artifact_roots=(str(tmp_path / "artifacts"), str(ARTIFACT)),
        osv_export=_export_of_today(tmp_path / "osv"),
        job_poll_seconds=0.05,
    )


def _export_of_today(folder: Path) -> Path:
    """One record, of a package that no model of the tests uses."""
    folder.mkdir()
    record = {"id": "TEST-2026-0002", "modified": datetime.now(UTC).isoformat(), "affected": []}
    (folder / "TEST-2026-0002.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def units(migrated_url: str, settings: Settings) -> Iterator[Units]:
    """Units of work on a migrated database whose log has a key; whatever the log then holds is of the vocabulary."""
    settings.keys_directory.mkdir(parents=True)
    key = settings.keys_directory / "log.key"
    key.write_text(SIGNER.private_text() + "\n")
    key.chmod(0o600)
    database = Database(migrated_url)
    made = Units(database, Log(ORIGIN, SIGNER))
    yield made
    try:
        require_vocabulary(made)
    finally:
        database.dispose()


def require_vocabulary(units: Units) -> None:
    """Fail where an entry of the log is not as the published vocabulary says."""
    after: int | None = None
    while True:
        try:
            with units.reading() as unit:
                entries = entries_after(unit.session.connection(), EntryFilter(), after, 500)
        except (ActaError, LeafError, SQLAlchemyError):
            # The test has broken its log or its database.
            return
        problems = {problem for entry in entries for problem in problems_of(entry)}
        assert not problems
        if len(entries) < 500:
            return
        after = entries[-1].sequence


@pytest.fixture
def people(units: Units) -> People:
    """The installation's actors; the first start has made administrator and policy."""
    with units.reading() as unit:
        ids = {row.name: row.id for row in unit.session.execute(select(ActorRow)).scalars()}
    first = ids["administrator"]
    administrator = Actor(first, ActorKind.PERSON, None, (Grant(Role.ADMINISTRATOR, EVERYTHING, None),))
    stranger = Actor(ids["stranger"], ActorKind.PERSON, None, ())
    others = {
        name: Actor(ids[name], ActorKind.PERSON, None, (Grant(role, EVERYTHING, first),))
        for name, role in ROLES.items()
    }
    return People(administrator=administrator, stranger=stranger, **others)


def _bring_people(url: str) -> None:
    """What the first start does, and one actor for each role."""
    database = Database(url)
    with Units(database, Log(ORIGIN, SIGNER)).writing() as unit:
        issued = found_installation(unit)
        activate_default(unit)
        assert issued is not None
        administrator = Actor(
            issued.row.actor_id, ActorKind.PERSON, None, (Grant(Role.ADMINISTRATOR, EVERYTHING, None),)
        )
        _add(unit, administrator, "stranger")
        for name, role in ROLES.items():
            grant_role(unit, administrator, _add(unit, administrator, name), role, EVERYTHING)
    database.dispose()


def _add(unit: Unit, administrator: Actor, name: str) -> UUID:
    row = add_actor(unit, administrator, kind=ActorKind.PERSON, name=name, email=None, responsible_id=None)
    unit.session.flush()
    return row.id


@pytest.fixture
def registered(units: Units, people: People) -> FoundVersion:
    """credit-default, version 1."""
    with units.writing() as unit:
        catalog.create_model(
            unit,
            people.developer,
            name="credit-default",
            team="retail-risk",
            owner_id=people.developer.id,
            texts=ModelTexts(
                purpose="Estimates whether a card client will default next month.",
                intended_users="Credit officers of the retail bank.",
                out_of_scope="Refusing a client without a person.",
                limitations="Trained on clients of one bank, 2005.",
            ),
            profile=PROFILE,
        )
        number = catalog.register_version(unit, people.developer, "credit-default", FACTS).number
        return catalog.find_version(unit, people.developer, "credit-default", number)


@dataclass(frozen=True)
class Api:
    """The application, called over ASGI, and how to sign in to it."""

    http: TestClient
    units: Units

    def as_(self, actor: Actor) -> dict[str, str]:
        """Headers of a request by this actor."""
        with self.units.writing() as unit:
            return {"Authorization": f"Bearer {create_token(unit, actor, actor.id, 'test', 1).secret}"}


@pytest.fixture
def client(units: Units, settings: Settings) -> Iterator[Api]:
    """The application on each database: one of each process, since to make it takes longer than most tests."""
    if not _APPLICATION:
        from registry.app import create_app

        _APPLICATION.append(create_app(settings, units))
    (application,) = _APPLICATION
    application.state.update({"settings": settings, "storage": Storage(settings.storage), "units": units})
    with TestClient(application, raise_server_exceptions=False) as http:
        yield Api(http, units)


_APPLICATION: list[Litestar] = []


@pytest.fixture
def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
