"""One request, and 32 clients in processes of their own who execute, withdraw, edit and re-assess it at once."""

import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

import msgspec
import pytest

from registry.access.actor import Role
from registry.catalog import service as catalog
from registry.catalog.facts import Impact
from registry.catalog.service import ModelTexts, version_by_id
from registry.database import Database
from registry.errors import ActaError
from registry.policy.attestations import attest
from registry.policy.tables import Answer
from registry.promotion import service
from registry.promotion.replay import replay
from registry.promotion.reviews import review
from registry.promotion.tables import Decision, PromotionRequest
from registry.unit import Units
from tests.registry.conftest import PROFILE
from tests.registry.promotion.machine import machine_for
from tests.registry.promotion.world import build_world

CLIENTS = 32
DEEDS = ("execute", "execute", "execute", "withdraw", "edit", "answer", "approve again", "reject")
ENDS = {"promotion.executed", "promotion.withdrawn", "promotion.stale", "promotion.expired"}


def act(units, world, deed, name, version_id, request_id, place):
    """What one client does, and what it came to."""
    actors = world.actors
    try:
        with units.writing() as unit:
            match deed:
                case "execute":
                    return service.execute(unit, actors["developer a"], request_id).request.state
                case "withdraw":
                    return service.withdraw(unit, actors["developer b"], request_id, "No.").request.state
                case "reject":
                    reviewer = actors["validator c"]
                    reject = Decision.REJECT
                    return review(unit, reviewer, request_id, Role.VALIDATOR, reject, "No.").request.state
                case "approve again":
                    approve = Decision.APPROVE
                    reviewer = actors["everything"]
                    return review(unit, reviewer, request_id, Role.VALIDATOR, approve, "Yes.").request.state
                case "answer":
                    found = version_by_id(unit, actors["operations a"], version_id)
                    attest(unit, actors["operations a"], found, "watched", Answer.YES, "Seen again.", None)
                    return "answered"
                case "edit":
                    model = catalog.get_model(unit, actors["developer a"], name)
                    impact = list(Impact)[place % len(Impact)]
                    profile = msgspec.structs.replace(PROFILE, financial_impact=impact)
                    owner, texts = model.owner_id, ModelTexts("Scores.")
                    editor = actors["developer a"]
                    catalog.edit_model(unit, editor, name, model.revision, owner_id=owner, texts=texts, profile=profile)
                    return "edited"
    except ActaError as error:
        return type(error).__name__


def serve(pipe: Connection, barrier: Barrier, world, place: int) -> None:
    """A client's process: deeds come through the pipe, and each starts when all clients are ready."""
    units = Units(Database(world.units.database.url), world.units.log)
    while (task := pipe.recv()) is not None:
        barrier.wait(60)
        pipe.send(act(units, world, *task, place))
    # Not an ordinary end: that would close what the parent's connections share.
    os._exit(0)


class Clients:
    """Processes that do what they are told, all at once."""

    def __init__(self, world) -> None:
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(CLIENTS)
        self.pipes, self.processes = [], []
        for place in range(CLIENTS):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, barrier, world, place), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)

    def at_once(self, tasks):
        for pipe, task in zip(self.pipes, tasks, strict=True):
            pipe.send(task)
        outcomes = []
        for pipe in self.pipes:
            assert pipe.poll(120), "a client hangs"
            outcomes.append(pipe.recv())
        return outcomes

    def stop(self) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send(None)
            process.join(20)
            assert process.exitcode == 0


def rounds(world, count):
    """How each of so many rounds ended."""
    clients, ends = Clients(world), []
    try:
        for turn in range(count):
            ends.append(one_round(world, clients, turn))
    finally:
        clients.stop()
    return ends


def one_round(world, clients, turn):
    machine = machine_for(world)()
    machine.register("developer a", None, None)
    request_id = machine._bring(0, "production", 2)
    version_id = machine.versions[0]
    # Another order of who comes first in each round.
    order = [DEEDS[(place + turn) % len(DEEDS)] for place in range(CLIENTS)]
    outcomes = clients.at_once([(deed, machine.name, version_id, request_id) for deed in order])
    machine._follow()
    machine.tables_are_what_the_log_implies()
    entries = machine.oracle.log
    ended = [entry for entry in entries if entry.action in ENDS and entry.subject_id == str(request_id)]
    ended += [
        entry for entry in entries if entry.action == "promotion.reviewed" and entry.changes["state"] == "rejected"
    ]
    told = {"executed": 0, "withdrawn": 0, "rejected": 0}
    for outcome in outcomes:
        if outcome in told:
            told[outcome] += 1
    assert sum(told.values()) <= 1, f"more than one client was told that the request ended: {outcomes}"
    assert len(ended) <= 1, "the log holds two ends"
    with world.units.reading() as unit:
        row = unit.session.get_one(PromotionRequest, request_id)
        found = version_by_id(unit, world.actors["developer b"], version_id)
        assert told.get(row.state, 0) == (row.state in told)
        assert (found.version.stage == "production") == (row.state == "executed")
        assert row.state == replay(entries).requests[str(request_id)].state
        edited = [entry.sequence for entry in entries if entry.action == "model.risk-assessed"]
        if row.state == "executed":
            assert not [one for one in edited if one < ended[0].sequence], "executed for other answers"
        return row.state if ended else "outdated"


@pytest.fixture
def world(units, people):
    return build_world(units, people)


@pytest.mark.timeout(300)
def test_of_clients_who_act_at_once_exactly_one_has_its_way_and_the_log_says_which(world):
    assert len(rounds(world, 3)) == 3


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_rounds_end_in_one_way_each_and_every_way_occurs(world):
    ends = rounds(world, 100)
    sys.stdout.write(f"{ {end: ends.count(end) for end in sorted(set(ends))} }\n")
    assert {"executed", "stale"} <= set(ends)
