"""The state machine of promotions under random sequences of actions by random actors."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import registry.policy.separation
import registry.unit
from audit.reads import EntryFilter, entries_after
from registry.promotion.replay import replay
from registry.promotion.states import TRANSITIONS
from registry.promotion.tables import Decision
from tests.registry.promotion.machine import machine_for
from tests.registry.promotion.world import Clock, build_world


@pytest.fixture
def world(units, people, monkeypatch):
    monkeypatch.setattr(registry.unit, "datetime", Clock)
    monkeypatch.setattr(registry.policy.separation, "datetime", Clock)
    return build_world(units, people)


def drive(world, examples, steps, derandomize):
    """Run the machine on random sequences."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    run_state_machine_as_test(machine_for(world), settings=chosen)


def fired(world):
    """How often each transition came about, and what else there is to count, as the whole log tells it."""
    entries, after = [], None
    with world.units.reading() as unit:
        while found := entries_after(unit.session.connection(), EntryFilter(), after, 10_000):
            entries += found
            after = found[-1].sequence
    transitions = replay(entries).transitions
    actions = [entry.action for entry in entries]
    counts = {f"{state.value}, {event.value}": transitions[state, event] for state, event in TRANSITIONS}
    return counts | {deed: actions.count(deed) for deed in ("rollback.called", "rollback.reviewed", "waiver.granted")}


def tour(world):
    """Every course of events once, in an order that is always the same."""
    machine = machine_for(world)()
    machine.register("developer a", None, "validator a")
    for version, reviewers in ((0, 0), (0, 1), (1, 2)):
        machine.let_expire(version, "production", reviewers)
        machine.withdraw(version, "developer a")
        machine.bring_and_withdraw(version, reviewers)
    for reviewers in (1, 2):
        machine.replace_evidence(0, "production", reviewers)
    for decision in (Decision.ASK_FOR_CHANGES, Decision.REJECT):
        for reviewers in (1, 2):
            machine.think_again(0, decision, reviewers)
        machine.withdraw(0, "developer b")
    machine.promote_both_and_roll_back()
    for by in ("operations a", "operations b", "validator b"):
        machine.judge_rollback(by)
    machine.promote(0, "staging")
    machine.promote(0, "archived")
    machine.waive(0, "risk a", "lawful", 5)
    machine.tables_are_what_the_log_implies()


def test_random_actions_of_random_actors_never_lead_into_production_but_by_a_met_gate_or_a_rollback(world):
    tour(world)
    drive(world, examples=3, steps=12, derandomize=True)
    assert {name: count for name, count in fired(world).items() if count < 1} == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_each_transition_fires_fifty_times_without_breaking_a_rule(world, record_property):
    drive(world, examples=120, steps=40, derandomize=False)
    counts = fired(world)
    record_property("fired", counts)
    assert {name: count for name, count in counts.items() if count < 50} == {}
