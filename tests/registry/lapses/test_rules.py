"""The decision about one version, without a database: each lapse one flag, one move, never before the grace."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.lapses.rules import Lacking, Lasting, as_of, decide
from registry.policy.policy import Lapsed, LapseRule

START = datetime(2026, 3, 29, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = LapseRule(grace_days=30, then=Lapsed.STAGING)
ANSWERED = {"answer": Lacking("An answer", "It is too old.", START)}


@dataclass
class Production:
    """What the tables hold of one version, changed as decisions say."""

    lapse_instants: dict[str, datetime]
    rule: LapseRule | None
    stands: bool = True
    lasting: list[Lasting] = field(default_factory=list)
    noted: list[datetime] = field(default_factory=list)
    flags: list[tuple[str, datetime]] = field(default_factory=list)
    moves: list[datetime] = field(default_factory=list)

    def run(self, clock: datetime) -> bool:
        """One look by a clock that may say anything; whether it wrote."""
        now = as_of(clock, self.noted)
        lapsed = {
            requirement: Lacking(requirement, "It is too old.", at)
            for requirement, at in self.lapse_instants.items()
            if at <= now
        }
        decision = decide(now, lapsed if self.stands else None, self.lasting, self.rule)
        if decision.does_nothing:
            return False
        for flag in decision.raised:
            self.lasting.append(Lasting(uuid4(), flag.requirement, now, flag.move_at, flag.then_stage))
            self.flags.append((flag.requirement, now))
            self.noted.append(now)
        if decision.overdue is not None:
            self.moves.append(now)
            self.noted.append(now)
            self.stands = False
            self.lasting.clear()
        ended = {flag.id for flag in (*decision.met_again, *decision.left)}
        if ended:
            self.lasting = [flag for flag in self.lasting if flag.id not in ended]
            self.noted.append(now)
        return True


clocks = st.lists(st.integers(min_value=-50, max_value=400), max_size=40)
"""Days after the start, in any order: clocks are set forward and back."""


@given(clocks, st.integers(min_value=0, max_value=300), st.integers(min_value=1, max_value=60))
def test_whatever_the_clock_says_a_lapse_gets_one_flag_and_one_move_and_never_before_the_grace(days, lapses, grace):
    lapse_at = START + lapses * DAY
    version = Production({"answer": lapse_at}, LapseRule(grace_days=grace, then=Lapsed.STAGING))
    newest = None
    for number in days:
        clock = START + number * DAY
        version.run(clock)
        newest = clock if newest is None else max(newest, clock)
        assert len(version.flags) == int(newest >= lapse_at)
    assert len(version.moves) <= 1
    if version.flags:
        [(_, flagged_at)] = version.flags
        assert flagged_at >= lapse_at
        assert [at for at in version.moves if at - flagged_at < grace * DAY] == []
        after = [START + number * DAY for number in days]
        due = [clock for clock in after if clock >= flagged_at + grace * DAY]
        # Flagged and moved in one look would be a grace of nothing.
        first = next((index for index, clock in enumerate(after) if clock >= lapse_at), None)
        assert bool(version.moves) == any(clock in due for clock in after[(first or 0) + 1 :])


@given(clocks)
def test_a_second_look_at_the_same_instant_writes_nothing(days):
    version = Production({"answer": START, "document": START + 40 * DAY}, RULE)
    for number in days:
        version.run(START + number * DAY)
        assert not version.run(START + number * DAY) or version.moves


def test_a_day_on_which_nothing_lapses_writes_nothing():
    version = Production({"answer": START + 10 * DAY}, RULE)
    assert not version.run(START)
    assert not version.run(START + 9 * DAY)
    assert version.run(START + 10 * DAY)


def test_what_is_met_again_ends_its_own_flag_and_starts_a_new_grace_when_it_lapses_again():
    version = Production({"answer": START}, RULE)
    version.run(START)
    version.lapse_instants["answer"] = START + 100 * DAY
    version.run(START + 29 * DAY)
    assert version.lasting == []
    version.run(START + 100 * DAY)
    version.run(START + 129 * DAY)
    assert version.moves == []
    version.run(START + 130 * DAY)
    assert version.moves == [START + 130 * DAY]


def test_a_clock_that_is_set_back_a_day_neither_ends_a_flag_nor_raises_it_again():
    version = Production({"answer": START}, RULE)
    version.run(START)
    assert not version.run(START - DAY)
    assert not version.run(START)
    assert [requirement for requirement, _ in version.flags] == ["answer"]


def test_each_lapse_has_its_own_grace():
    version = Production({"answer": START, "document": START + 20 * DAY}, RULE)
    version.run(START)
    version.run(START + 20 * DAY)
    version.lapse_instants["answer"] = START + 1000 * DAY
    version.run(START + 31 * DAY)
    assert version.moves == []
    version.run(START + 50 * DAY)
    assert version.moves == [START + 50 * DAY]


def test_a_policy_that_says_nothing_of_lapses_flags_and_moves_nothing():
    decision = decide(START, ANSWERED, [], None)
    assert [(flag.move_at, flag.then_stage) for flag in decision.raised] == [(None, None)]
    flag = Lasting(UUID(int=1), "answer", START, None, None)
    assert decide(START + 1000 * DAY, ANSWERED, [flag], None).does_nothing


def test_a_flag_keeps_the_end_that_it_was_raised_with():
    flag = Lasting(UUID(int=1), "answer", START, START + 30 * DAY, Lapsed.ARCHIVED)
    shorter = LapseRule(grace_days=1, then=Lapsed.STAGING)
    assert decide(START + 29 * DAY, ANSWERED, [flag], shorter).does_nothing
    assert decide(START + 30 * DAY, ANSWERED, [flag], shorter).overdue == flag


def test_flags_of_a_version_that_left_production_end():
    flag = Lasting(UUID(int=1), "answer", START, START, Lapsed.STAGING)
    assert decide(START, None, [flag], RULE).left == (flag,)
    assert decide(START, None, [], RULE).does_nothing


@pytest.mark.parametrize("since", [None, START + DAY])
def test_a_lapse_is_not_said_to_begin_before_it_is_known_nor_after_it_was_noticed(since):
    [flag] = decide(START, {"check": Lacking("A check", "It is stale.", since)}, [], RULE).raised
    assert flag.since == START
