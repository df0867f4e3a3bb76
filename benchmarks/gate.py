"""What a gate costs: evaluating one of 30 items, opening and executing promotions, and how long writers are held up.

    uv run python -m benchmarks.gate [--versions 1000,1000000] [--rounds 300] [--promotions 300] [--json]

Evaluations are measured in a registry of few versions and, after a bulk insert, of many. Promotions are measured
against the same changes of rows in transactions of the same settings, without policy and log, in turns in the same run.
Everything runs in this process, without HTTP, on SQLite and on a PostgreSQL with durable settings.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import event, insert, select, update
from sqlmodel import col

from audit.keys import Ed25519Signer
from audit.log import Log
from benchmarks.figures import Figure, conclude
from benchmarks.servers import new_database, postgresql
from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.access.service import add_actor, found_installation
from registry.catalog import service as catalog
from registry.catalog.facts import (
    Autonomy,
    Impact,
    LegalDomain,
    PersonalData,
    Reversibility,
    RiskProfile,
    Stage,
    VersionFacts,
)
from registry.catalog.service import FoundVersion, ModelTexts, version_by_id
from registry.catalog.tables import ModelVersion
from registry.database import Database, Mode, session_on, upgrade
from registry.documents.tables import DocumentRow
from registry.policy.service import gate_of
from registry.policy.tables import Answer, AttestationRow, PolicyRow
from registry.promotion import service
from registry.promotion.reviews import review
from registry.promotion.tables import Decision, PromotionRequest, RequestState
from registry.unit import Unit, Units

ATTESTED, DOCUMENTED = 20, 10
PORTION = 5_000
EVERYTHING = Scope(ScopeKind.ALL)
PROFILE = RiskProfile(
    financial_impact=Impact.LIMITED,
    reputational_impact=Impact.LIMITED,
    affects_persons=True,
    personal_data=PersonalData.PERSONAL,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.WITH_EFFORT,
    legal_domain=LegalDomain.NONE,
)


def policy_text() -> str:
    """A policy whose gate to production asks for 30 items and two approvals."""
    kinds = [f"report-{number}" for number in range(DOCUMENTED)]
    answers = [f"answer-{number}" for number in range(ATTESTED)]
    said = "title: Item, question: Is it so?, remedy: Do it."
    items = [
        f"      - {{id: {item}, {said}, shown: {{by: attestation, roles: [ethics reviewer], max_age_days: 365}}}}"
        for item in answers
    ]
    items += [
        f"      - {{id: has-{kind}, {said}, shown: {{by: document, kind: {kind}, max_age_days: 365}}}}"
        for kind in kinds
    ]
    documents = [f"  - {{kind: {kind}, title: Report, signed_off_by: [validator]}}" for kind in kinds]
    named = ", ".join([*answers, *(f"has-{kind}" for kind in kinds)])
    return "\n".join(
        [
            'name: benchmark\nversion: "1.0"\ndescription: Thirty items.',
            "risk: {tiers: [limited], rules: [{tier: limited, reason: All of it.}]}",
            "documents:",
            *documents,
            "checklists:\n  - id: everything\n    title: Everything\n    items:",
            *items,
            "gates:",
            f"  - target_stage: production\n    tiers: [limited]\n    items: [{named}]",
            "    approvals: [{role: validator}, {role: operations reviewer}]\n    displaced: archived",
            "assessment: {thresholds: {selection_rate: {kind: difference, limit: '0.1', harm: higher}},",
            "  minimum_rows: 200, confidence: '0.95'}",
        ]
    )


@dataclass(frozen=True)
class Installation:
    """A registry under that policy, and who acts in it."""

    units: Units
    developer: Actor
    validator: Actor
    operations: Actor
    ethics: Actor
    model_id: UUID
    name: str


def install(database: Database) -> Installation:
    """Actors, policy and a model."""
    units = Units(database, Log("benchmark.example/log", Ed25519Signer.of_seed("benchmark.example/log", bytes(32))))
    text = policy_text()
    with units.writing() as unit:
        issued = found_installation(unit)
        assert issued is not None
        administrator = Actor(
            issued.row.actor_id, ActorKind.PERSON, None, (Grant(Role.ADMINISTRATOR, EVERYTHING, None),)
        )
        unit.session.add(
            PolicyRow(
                name="benchmark",
                version="1.0",
                digest=sha256(text.encode()).digest(),
                text=text,
                activated_at=unit.now,
            )
        )

        def person(name: str, role: Role) -> Actor:
            row = add_actor(unit, administrator, kind=ActorKind.PERSON, name=name, email=None, responsible_id=None)
            unit.session.flush()
            return Actor(row.id, ActorKind.PERSON, None, (Grant(role, EVERYTHING, administrator.id),))

        developer = person("developer", Role.DEVELOPER)
        others = [person(role.value, role) for role in (Role.VALIDATOR, Role.OPERATIONS_REVIEWER, Role.ETHICS_REVIEWER)]
        model = catalog.create_model(
            unit,
            developer,
            name="measured",
            team="risk",
            owner_id=developer.id,
            texts=ModelTexts("Measured."),
            profile=PROFILE,
        )
        unit.session.flush()
        return Installation(units, developer, *others, model.id, "measured")


def with_evidence(place: Installation, count: int) -> list[UUID]:
    """Versions of which all 30 items are met."""
    facts = VersionFacts(source_uri="file:///models/measured", content_digest="ab" * 32, framework="sklearn")
    made: list[UUID] = []
    for _ in range(count):
        with place.units.writing() as unit:
            version_id = catalog.register_version(unit, place.developer, place.name, facts).id
            made.append(version_id)
            unit.session.execute(insert(AttestationRow), [_answer(place, version_id, item) for item in range(ATTESTED)])
            unit.session.execute(insert(DocumentRow), [_report(place, version_id, kind) for kind in range(DOCUMENTED)])
    return made


def _answer(place: Installation, version_id: UUID, item: int) -> dict[str, object]:
    return {
        "id": uuid4(),
        "version_id": version_id,
        "item": f"answer-{item}",
        "answer": Answer.YES.value,
        "reason": "Seen.",
        "attested_by": place.ethics.id,
        "attested_at": datetime.now(UTC),
    }


def _report(place: Installation, version_id: UUID, kind: int) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "id": uuid4(),
        "version_id": version_id,
        "kind": f"report-{kind}",
        "title": "Report",
        "file_name": "report.md",
        "media_type": "text/markdown",
        "digest": bytes(32),
        "size_bytes": 10,
        "uploaded_by": place.developer.id,
        "uploaded_at": now,
        "signed_off_by": place.validator.id,
        "signed_off_at": now,
    }


def insert_versions(place: Installation, count: int, first: int) -> None:
    """So many versions more, with an answer each, past the services."""
    for start in range(first, first + count, PORTION):
        numbers = range(start, min(start + PORTION, first + count))
        rows = [_version(place, number) for number in numbers]
        with place.units.database.transaction(Mode.WRITE) as session:
            session.execute(insert(ModelVersion), rows)
            session.execute(insert(AttestationRow), [_answer(place, row["id"], 0) for row in rows])
            session.commit()


def _version(place: Installation, number: int) -> dict[str, object]:
    return {
        "id": uuid4(),
        "model_id": place.model_id,
        "number": number,
        "source_uri": "file:///models/measured",
        "content_digest": bytes(32),
        "digest_state": "stated",
        "framework": "sklearn",
        "metrics": {},
        "parameters": {},
        "stage": Stage.NONE.value,
        "created_at": datetime.now(UTC),
        "created_by": place.developer.id,
    }


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def evaluations(place: Installation, version_id: UUID, rounds: int) -> tuple[list[float], int]:
    """Milliseconds of each evaluation, and the statements of one."""
    times = []
    statements = 0
    for turn in range(rounds + 1):
        with place.units.reading() as unit:
            found = version_by_id(unit, place.developer, version_id)
            with counted(place.units.database) as seen:
                started = time.perf_counter()
                gate = gate_of(unit, found, Stage.PRODUCTION)
                spent = time.perf_counter() - started
        assert len(gate.items) == ATTESTED + DOCUMENTED
        assert gate.items_met
        if turn:
            # The first one reads the policy.
            times.append(spent * 1000)
            statements = max(statements, len(seen))
    return times, statements


@dataclass(frozen=True)
class Promotions:
    """Seconds of each opening and execution, with Acta and with the bare changes of rows."""

    opened: list[float]
    opened_bare: list[float]
    executed: list[float]
    executed_bare: list[float]
    held: list[float]
    """From the writer's lock to the end of the commit of an execution."""


def promotions(place: Installation, versions: Sequence[UUID]) -> Promotions:
    """Open, approve and execute one promotion of each version, in turns with the bare changes."""
    found = Promotions([], [], [], [], [])
    for number, version_id in enumerate(versions):
        request_id, seconds, _ = _timed(place, lambda unit, one=version_id: _open(place, unit, one))
        found.opened.append(seconds)
        bare_id, seconds = _bare_opening(place, version_id, -1 - number)
        found.opened_bare.append(seconds)
        for actor, role in ((place.validator, Role.VALIDATOR), (place.operations, Role.OPERATIONS_REVIEWER)):
            with place.units.writing() as unit:
                review(unit, actor, request_id, role, Decision.APPROVE, "Read.")
        _, seconds, held = _timed(
            place, lambda unit, one=request_id: service.execute(unit, place.developer, one).request.id
        )
        found.executed.append(seconds)
        found.held.append(held)
        found.executed_bare.append(_bare_execution(place, version_id, bare_id))
    return found


def _open(place: Installation, unit: Unit, version_id: UUID) -> UUID:
    target: FoundVersion = version_by_id(unit, place.developer, version_id)
    return service.request(unit, place.developer, target, Stage.PRODUCTION, "Ready.").request.id


def _timed(place: Installation, deed: Callable[[Unit], UUID]) -> tuple[UUID, float, float]:
    """What it came to, how long it took, and how long of that the writer's lock was held."""
    started = time.perf_counter()
    with place.units.writing() as unit:
        unit.session.connection()
        locked = time.perf_counter()
        outcome = deed(unit)
    ended = time.perf_counter()
    return outcome, ended - started, ended - locked


def _bare_opening(place: Installation, version_id: UUID, number: int) -> tuple[UUID, float]:
    now, identity = datetime.now(UTC), uuid4()
    started = time.perf_counter()
    with place.units.database.connection(Mode.WRITE) as connection, session_on(connection) as session:
        policy_id = session.execute(select(col(PolicyRow.id)).limit(1)).scalar_one()
        session.execute(
            insert(PromotionRequest).values(
                id=identity,
                number=number,
                version_id=version_id,
                content_digest=bytes(32),
                target_stage=Stage.ARCHIVED.value,
                policy_id=policy_id,
                risk_tier="limited",
                risk_revision=1,
                justification="Ready.",
                state=RequestState.OPEN.value,
                requested_by=place.developer.id,
                requested_at=now,
                expires_at=now + timedelta(days=30),
            )
        )
        session.commit()
    return identity, time.perf_counter() - started


def _bare_execution(place: Installation, version_id: UUID, request_id: UUID) -> float:
    started = time.perf_counter()
    with place.units.database.connection(Mode.WRITE) as connection, session_on(connection) as session:
        ended = {"state": RequestState.EXECUTED.value, "ended_at": datetime.now(UTC), "executed_by": place.developer.id}
        session.execute(update(PromotionRequest).where(col(PromotionRequest.id) == request_id).values(ended))
        session.execute(
            update(ModelVersion).where(col(ModelVersion.id) == version_id).values(stage=Stage.ARCHIVED.value)
        )
        session.commit()
    return time.perf_counter() - started


def measure(kind: str, url: str, sizes: Sequence[int], rounds: int, count: int) -> list[Figure]:
    """All figures on one database."""
    upgrade(url)
    database = Database(url)
    place = install(database)
    [measured] = with_evidence(place, 1)
    medians, figures, first = [], [], 10
    for size in sizes:
        insert_versions(place, size - first + 10, first)
        first = size + 10
        times, statements = evaluations(place, measured, rounds)
        medians.append(statistics.median(times))
        figures.append(Figure(f"gate-{kind}-p50-{size}", "ms", times))
        figures.append(Figure(f"gate-{kind}-statements-{size}", "statements", [statements]))
    figures.append(Figure(f"gate-{kind}-growth", "x", [medians[-1] / medians[0]] if len(medians) > 1 else []))
    done = promotions(place, with_evidence(place, count))
    held = sorted(one * 1000 for one in done.held)
    figures += [
        Figure(f"gate-{kind}-open", "requests/s", [1 / statistics.median(done.opened)]),
        Figure(f"gate-{kind}-open-bare", "requests/s", [1 / statistics.median(done.opened_bare)]),
        Figure(f"gate-{kind}-execute", "requests/s", [1 / statistics.median(done.executed)]),
        Figure(f"gate-{kind}-execute-bare", "requests/s", [1 / statistics.median(done.executed_bare)]),
        Figure(f"gate-{kind}-lock-p99", "ms", [held[max(0, -(-99 * len(held) // 100) - 1)]]),
    ]
    database.dispose()
    return figures


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", default="1000,1000000", help="versions in the registry, fewest first")
    parser.add_argument("--rounds", type=int, default=300, help="evaluations of the gate")
    parser.add_argument("--promotions", type=int, default=300, help="promotions opened and executed")
    parser.add_argument("--json", action="store_true", help="print the raw rounds")
    given = parser.parse_args()
    sizes = [int(size) for size in given.versions.split(",")]
    with tempfile.TemporaryDirectory(prefix="acta-gate-") as directory:
        figures = measure("sqlite", f"sqlite:///{Path(directory) / 'acta.db'}", sizes, given.rounds, given.promotions)
    with postgresql() as server:
        figures += measure("postgresql", new_database(server, "gate"), sizes, given.rounds, given.promotions)
    conclude(figures, as_json=given.json)


if __name__ == "__main__":
    main()
