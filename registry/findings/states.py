"""The state machine of findings: all transitions there are, in one table. No I/O.

open ──remediated──▶ remediated ──closed──▶ closed
 ▲                       │                    │
 └───────reopened────────┴────────reopened────┘
"""

from collections.abc import Mapping
from enum import StrEnum

from registry.findings.errors import FindingStateError
from registry.findings.tables import FindingState


class Step(StrEnum):
    """What happens to a finding, in the participle that people read."""

    REMEDIATED = "remediated"
    """Its owner, or somebody of the team, says what was done."""
    CLOSED = "closed"
    """Somebody else agrees."""
    REOPENED = "reopened"
    """Somebody does not, or it came back."""


TRANSITIONS: Mapping[tuple[FindingState, Step], FindingState] = {
    (FindingState.OPEN, Step.REMEDIATED): FindingState.REMEDIATED,
    (FindingState.REMEDIATED, Step.CLOSED): FindingState.CLOSED,
    (FindingState.REMEDIATED, Step.REOPENED): FindingState.OPEN,
    (FindingState.CLOSED, Step.REOPENED): FindingState.OPEN,
}


def after(state: FindingState, step: Step) -> FindingState:
    """The state that follows.

    Raises:
        FindingStateError: the table has no such transition.
    """
    following = TRANSITIONS.get((state, step))
    if following is None:
        raise FindingStateError(state.value, step.value)
    return following
