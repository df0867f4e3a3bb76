from itertools import product
from pathlib import Path

import pytest

from registry.promotion.errors import IllegalTransitionError
from registry.promotion.states import LIVE, TRANSITIONS, Event, after, as_markdown
from registry.promotion.tables import RequestState


def test_only_live_states_lead_anywhere_and_every_state_is_reached():
    assert {state for state, _ in TRANSITIONS} == set(LIVE)
    assert set(TRANSITIONS.values()) == set(RequestState)


def test_only_an_approved_request_is_executed():
    for state, event in product(RequestState, Event):
        if event is Event.EXECUTED and state is not RequestState.APPROVED:
            with pytest.raises(IllegalTransitionError) as refused:
                after(state, event)
            assert state.value in str(refused.value)
    assert after(RequestState.APPROVED, Event.EXECUTED) is RequestState.EXECUTED


def test_documents_print_the_table_of_the_code():
    page = Path(__file__).resolve().parents[3] / "docs" / "promotion.md"
    assert as_markdown() in page.read_text(encoding="utf-8")
