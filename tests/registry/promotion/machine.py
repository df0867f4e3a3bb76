"""Random sequences of actions by random actors on versions of one model, judged by the oracle of the log."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, update
from sqlmodel import col

from audit.reads import EntryFilter, entries_after
from registry.access.actor import Role
from registry.catalog import service as catalog
from registry.catalog.facts import Stage
from registry.catalog.service import ModelTexts, version_by_id
from registry.catalog.tables import ModelVersion
from registry.documents.service import NewDocument, sign_off, upload
from registry.errors import ActaError
from registry.policy.attestations import attest, withdraw_attestation
from registry.policy.tables import Answer, AttestationRow
from registry.promotion import service
from registry.promotion.replay import replay
from registry.promotion.reviews import review
from registry.promotion.rollback import review_rollback, roll_back
from registry.promotion.tables import Decision, PromotionRequest, ReviewRow, Rollback, RollbackFinding, Waiver
from registry.promotion.waivers import grant_waiver, revoke_waiver
from registry.unit import Unit
from tests.registry.conftest import FACTS, PROFILE
from tests.registry.promotion.oracle import ITEMS, ROLES, Oracle
from tests.registry.promotion.world import Clock, World

STAGES = ("staging", "production", "archived")


def machine_for(world: World) -> type[RuleBasedStateMachine]:
    """The state machine of one world; each run of it has a model of its own."""
    names = st.sampled_from(sorted(world.actors))
    roles = st.sampled_from([Role.VALIDATOR, Role.OPERATIONS_REVIEWER])
    versions = st.integers(0, 1)
    registrants = st.sampled_from(["developer a", "developer b", "chief", "machine of developer a"])
    trainers = st.sampled_from([None, None, "validator a", "ethics a", "risk a"])
    given = st.integers(1, 2)
    waivable = st.sampled_from(["lawful", "watched", "reported"])

    class Promotions(RuleBasedStateMachine):
        """Two versions of one model, and everybody who acts on them."""

        @initialize(by=registrants, first=trainers, second=trainers)
        def register(self, by: str, first: str | None, second: str | None) -> None:
            self.oracle = Oracle(world.known)
            self.seen: int | None = None
            self.name = f"model-{uuid4().hex}"
            developer = world.actors["developer b"]
            self.versions: list[UUID] = []
            with world.units.writing() as unit:
                catalog.create_model(
                    unit,
                    developer,
                    name=self.name,
                    team="risk",
                    owner_id=developer.id,
                    texts=ModelTexts("Scores."),
                    profile=PROFILE,
                )
            self._skip_to_now()
            for trainer in (first, second):
                trained_by = None if trainer is None else world.actors[trainer].id
                facts = msgspec.structs.replace(FACTS, trained_by=trained_by, lineage=[])
                with world.units.writing() as unit:
                    record = catalog.register_version(unit, world.actors[by], self.name, facts)
                    self.versions.append(record.id)
            self._follow()

        def _skip_to_now(self) -> None:
            with world.units.reading() as unit:
                connection = unit.session.connection()
                tail = entries_after(connection, EntryFilter(), self.seen, 10_000)
                while tail:
                    self.seen = tail[-1].sequence
                    tail = entries_after(connection, EntryFilter(), self.seen, 10_000)

        def _follow(self) -> None:
            with world.units.reading() as unit:
                entries = entries_after(unit.session.connection(), EntryFilter(), self.seen, 10_000)
            if entries:
                self.seen = entries[-1].sequence
                self.oracle.follow(entries)

        def _try(self, deed: str, act: Callable[[Unit], Any]) -> Any:
            """Whatever it came to: its outcome, or None where it was refused."""
            try:
                with world.units.writing() as unit:
                    outcome = act(unit)
            except ActaError as error:
                world.outcomes[f"{deed}: {type(error).__name__}"] += 1
                return None
            world.outcomes[f"{deed}: done"] += 1
            self._follow()
            return outcome

        def _found(self, unit: Unit, version: int) -> Any:
            return version_by_id(unit, world.actors["developer b"], self.versions[version])

        def _newest(self, table: Any, version: int, order: Any, *conditions: Any) -> Any:
            with world.units.reading() as unit:
                query = select(table.id).where(col(table.version_id) == self.versions[version], *conditions)
                return unit.session.execute(query.order_by(order.desc()).limit(1)).scalar()

        def _request(self, version: int, stage: str | None = None) -> UUID | None:
            condition = () if stage is None else (col(PromotionRequest.target_stage) == stage,)
            found: UUID | None = self._newest(PromotionRequest, version, col(PromotionRequest.number), *condition)
            return found

        # Single deeds, by anybody.

        @rule(version=versions, by=names, item=st.sampled_from(sorted(ROLES)), answer=st.sampled_from(Answer))
        def answer(self, version: int, by: str, item: str, answer: Answer) -> None:
            actor = world.actors[by]
            self._try(
                "answer", lambda unit: attest(unit, actor, self._found(unit, version), item, answer, "Seen.", None)
            )

        @rule(version=versions, by=names)
        def take_answer_back(self, version: int, by: str) -> None:
            newest = self._newest(AttestationRow, version, col(AttestationRow.attested_at))
            if newest is not None:
                actor = world.actors[by]
                self._try(
                    "take answer back",
                    lambda unit: withdraw_attestation(unit, actor, self._found(unit, version), newest, "Wrong."),
                )

        @rule(version=versions, by=names, signer=names)
        def report(self, version: int, by: str, signer: str) -> None:
            body = uuid4().bytes
            document = NewDocument("report", "Report", "r.md", "text/markdown", sha256(body).digest(), 16, b"# Report")
            actor, reader = world.actors[by], world.actors[signer]
            row = self._try("upload", lambda unit: upload(unit, actor, self.name, version + 1, document))
            if row is not None:
                self._try("sign off", lambda unit: sign_off(unit, reader, row.id, None))

        @rule(version=versions, by=names, item=waivable, days=st.integers(1, 12))
        def waive(self, version: int, by: str, item: str, days: int) -> None:
            actor = world.actors[by]
            self._try(
                "waive",
                lambda unit: grant_waiver(
                    unit,
                    actor,
                    self._found(unit, version),
                    item,
                    reason="Soon.",
                    compensating_measure="By hand.",
                    expires_at=unit.now + timedelta(days=days),
                ),
            )

        @rule(version=versions, by=names)
        def revoke(self, version: int, by: str) -> None:
            newest = self._newest(Waiver, version, col(Waiver.granted_at))
            if newest is not None:
                actor = world.actors[by]
                self._try("revoke", lambda unit: revoke_waiver(unit, actor, newest, "Over."))

        @rule(version=versions, by=names, stage=st.sampled_from(STAGES))
        def ask(self, version: int, by: str, stage: str) -> None:
            actor = world.actors[by]
            self._try(
                "ask",
                lambda unit: (
                    service.request(unit, actor, self._found(unit, version), Stage(stage), "Ready.").request.id
                ),
            )

        @rule(version=versions, by=names, role=roles, decision=st.sampled_from(Decision))
        def decide(self, version: int, by: str, role: Role, decision: Decision) -> None:
            request_id = self._request(version)
            if request_id is not None:
                self._decide(request_id, by, role, decision)

        def _decide(self, request_id: UUID, by: str, role: Role, decision: Decision) -> None:
            actor = world.actors[by]
            self._try(decision.value, lambda unit: review(unit, actor, request_id, role, decision, "Read.").state.value)

        @rule(version=versions, by=names)
        def execute(self, version: int, by: str) -> None:
            request_id = self._request(version)
            if request_id is not None:
                self._execute(request_id, by)

        def _execute(self, request_id: UUID, by: str) -> None:
            actor = world.actors[by]
            self._try("execute", lambda unit: service.execute(unit, actor, request_id).state.value)

        @rule(version=versions, by=names)
        def withdraw(self, version: int, by: str) -> None:
            request_id = self._request(version)
            if request_id is not None:
                actor = world.actors[by]
                self._try("withdraw", lambda unit: service.withdraw(unit, actor, request_id, "No."))

        @rule(days=st.sampled_from([1, 9, 21, 31, 61]))
        def days_pass(self, days: int) -> None:
            Clock.offset += timedelta(days=days)

        @rule(version=versions)
        def somebody_edits_the_table(self, version: int) -> None:
            digest = uuid4().bytes * 2
            with world.units.writing() as unit:
                row = update(ModelVersion).where(col(ModelVersion.id) == self.versions[version])
                unit.session.execute(row.values(content_digest=digest))
            self.oracle.versions[str(self.versions[version])].digest = digest.hex()

        @rule(by=names)
        def roll_back(self, by: str) -> None:
            actor = world.actors[by]
            self._try("roll back", lambda unit: roll_back(unit, actor, self.name, "It fails.").row.id)

        @rule(by=names)
        def judge_rollback(self, by: str) -> None:
            with world.units.reading() as unit:
                query = select(col(Rollback.id)).where(col(Rollback.from_version_id).in_(self.versions))
                newest = unit.session.execute(query.order_by(col(Rollback.called_at).desc()).limit(1)).scalar()
            if newest is not None:
                actor, found = world.actors[by], RollbackFinding.JUSTIFIED
                self._try("judge rollback", lambda unit: review_rollback(unit, actor, newest, found, "Right."))

        # Whole courses of events, by those who may: they lead to states that chance seldom reaches.

        def _bring(self, version: int, stage: str, reviewers: int) -> UUID | None:
            """A request whose items are met and that so many have approved; None where some stake forbids it."""
            if "lawful" in ITEMS[stage]:
                self.answer(version, "ethics a", "lawful", Answer.YES)
                self.report(version, "developer a", "validator b")
            if "watched" in ITEMS[stage]:
                self.answer(version, "operations a", "watched", Answer.YES)
            self.ask(version, "developer b", stage)
            request_id = self._request(version, stage)
            wanted = [("validator b", Role.VALIDATOR), ("operations b", Role.OPERATIONS_REVIEWER)]
            if request_id is not None:
                for by, role in wanted[:reviewers]:
                    self._decide(request_id, by, role, Decision.APPROVE)
            return request_id

        @rule(version=versions, stage=st.sampled_from(STAGES[:2]), reviewers=st.integers(0, 2))
        def bring(self, version: int, stage: str, reviewers: int) -> None:
            self._bring(version, stage, reviewers)

        @rule(version=versions, stage=st.sampled_from(["staging", "production", "production", "archived"]))
        def promote(self, version: int, stage: str) -> None:
            request_id = self._bring(version, stage, 2)
            if request_id is not None:
                self._execute(request_id, "developer a")

        @rule(version=versions, stage=st.sampled_from(STAGES[:2]), reviewers=st.integers(0, 2))
        def let_expire(self, version: int, stage: str, reviewers: int) -> None:
            self._bring(version, stage, reviewers)
            Clock.offset += timedelta(days=21)
            self.ask(version, "developer a", stage)

        @rule(version=versions, stage=st.sampled_from(STAGES[:2]), reviewers=st.integers(1, 2))
        def replace_evidence(self, version: int, stage: str, reviewers: int) -> None:
            self._bring(version, stage, reviewers)
            self.answer(version, "operations a", "watched", Answer.YES)

        @rule(version=versions, decision=st.sampled_from([Decision.REJECT, Decision.ASK_FOR_CHANGES]), given=given)
        def think_again(self, version: int, decision: Decision, given: int) -> None:
            request_id = self._bring(version, "production", given)
            if request_id is not None:
                self._decide(request_id, "validator c", Role.VALIDATOR, decision)

        @rule(version=versions, reviewers=st.integers(0, 2))
        def bring_and_withdraw(self, version: int, reviewers: int) -> None:
            self._bring(version, "production", reviewers)
            self.withdraw(version, "developer b")

        @rule()
        def promote_both_and_roll_back(self) -> None:
            for version in (0, 1):
                self.promote(version, "production")
            self.roll_back("operations a")

        @precondition(lambda self: hasattr(self, "oracle"))
        @invariant()
        def tables_are_what_the_log_implies(self) -> None:
            log = replay(self.oracle.log)
            with world.units.reading() as unit:
                session, mine = unit.session, self.versions
                requests = session.execute(
                    select(PromotionRequest).where(col(PromotionRequest.version_id).in_(mine))
                ).scalars()
                assert {str(one.id): (one.state, one.ended_at) for one in requests} == {
                    identifier: (one.state, one.ended_at) for identifier, one in log.requests.items()
                }
                reviews = session.execute(
                    select(ReviewRow)
                    .join(PromotionRequest, col(PromotionRequest.id) == col(ReviewRow.request_id))
                    .where(col(PromotionRequest.version_id).in_(mine))
                ).scalars()
                assert {str(one.id): one.decision for one in reviews} == {
                    identifier: decision
                    for one in log.requests.values()
                    for identifier, decision in one.reviews.items()
                }
                stages = session.execute(select(ModelVersion).where(col(ModelVersion.id).in_(mine))).scalars()
                assert {str(one.id): one.stage for one in stages} == {
                    str(one): log.stages.get(str(one), "none") for one in mine
                }
                waivers = session.execute(select(Waiver).where(col(Waiver.version_id).in_(mine))).scalars()
                assert {str(one.id): one.expires_at for one in waivers} == log.waivers
                rollbacks = session.execute(select(Rollback).where(col(Rollback.from_version_id).in_(mine))).scalars()
                assert {str(one.id): one.reviewed_at for one in rollbacks} == {
                    identifier: one.reviewed_at for identifier, one in log.rollbacks.items()
                }

    return Promotions
