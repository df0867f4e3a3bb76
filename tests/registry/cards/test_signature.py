import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cards.signature import described_signature

INPUTS = [{"name": "age", "type": "long", "required": True}, {"name": "limit", "type": "double"}]
OUTPUTS = [{"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": [-1, 2]}}]
SAID = "2 inputs: age (long), limit (double); 1 output: int8 tensor of shape (any, 2)"


@pytest.mark.parametrize("written", [lambda side: side, json.dumps], ids=["resolved", "as MLflow writes it"])
def test_a_signature_is_told_by_names_and_types(written):
    assert described_signature(json.dumps({"inputs": written(INPUTS), "outputs": written(OUTPUTS)})) == SAID


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_whatever_else_somebody_states_is_shown_and_breaks_nothing(value):
    assert described_signature(json.dumps(value))
