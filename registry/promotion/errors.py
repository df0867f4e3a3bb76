"""What stands in the way of a promotion."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from registry.errors import ConflictError
from registry.policy.errors import ConflictOfInterestError
from registry.policy.gate import Requirement


class GateNotMetError(ConflictError):
    """The gate is not met; `unmet` lists everything missing, and who can meet it."""

    title = "The gate is not met"
    slug = "gate-not-met"
    recorded_as = "promotion.refused"

    def __init__(self, request_id: UUID, target_stage: str, unmet: Sequence[Requirement]) -> None:
        named = "; ".join(f"{requirement.title}: {requirement.reason}" for requirement in unmet)
        super().__init__(
            f"This version may not enter {target_stage} yet, {len(unmet)} missing: {named}",
            "Each item says what to do and who can do it.",
        )
        self.subject = request_id
        self.target_stage = target_stage
        self.unmet = tuple(unmet)

    def details(self) -> Mapping[str, object]:
        """`unmet`: a list of objects with id, title, state, reason, remedy, who."""
        return {
            "target_stage": self.target_stage,
            "unmet": [
                {
                    "id": requirement.id,
                    "title": requirement.title,
                    "state": requirement.state.value,
                    "reason": requirement.reason,
                    "remedy": requirement.remedy,
                    "who": [role.value for role in requirement.who],
                }
                for requirement in self.unmet
            ],
        }


class SelfReviewError(ConflictOfInterestError):
    """Whoever made a request, or registered the version, would review it."""


class GrantedRoleError(ConflictOfInterestError):
    """The role in which somebody would review was granted by who made the request or the version."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"You hold the role {role} there from who made the request or the version: no decision rests on it.",
            "Ask a reviewer whose role somebody else granted.",
        )


class IllegalTransitionError(ConflictError):
    """The state machine has no such transition."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(
            f"This request is {state}: it cannot be {event} any more.", "Read it again, or open a new one."
        )
        self.state = state
        self.event = event


class NothingToRollBackError(ConflictError):
    """There is no version to go back to."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "Have a version promoted, or the one in production archived.")


class ChangesAskedForError(ConflictError):
    """A reviewer asked for changes and has not approved since."""

    def __init__(self) -> None:
        super().__init__(
            "A reviewer asked for changes and has not approved since.",
            "Make them, and ask that reviewer to review again.",
        )


class WaiverEndedError(ConflictError):
    """The waiver had ended already."""

    def __init__(self, waiver_id: UUID, ended_at: datetime) -> None:
        super().__init__(f"The waiver {waiver_id} ended at {ended_at:%Y-%m-%d %H:%M} UTC already.")
