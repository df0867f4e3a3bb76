"""What stands in the way of a change of a finding."""

from registry.errors import ConflictError
from registry.policy.errors import ConflictOfInterestError


class FindingStateError(ConflictError):
    """The finding is not in a state from which that leads on."""

    def __init__(self, state: str, deed: str) -> None:
        super().__init__(f"This finding is {state}: it cannot be {deed}.", "Read it again: somebody moved it on.")


class SelfClosingError(ConflictOfInterestError):
    """Whoever owns a finding, or remediated it, would say that it is mended."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody closes a finding that they own or remediated, nor one of a machine that they answer for.",
            "Ask a validator, a reviewer or a risk officer who had no part in mending it.",
        )
