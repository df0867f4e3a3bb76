"""What can be wrong with a policy and with what is asked of it."""

from registry.errors import ConflictError, RefusedError, UnavailableError, UnprocessableError


class PolicyError(UnprocessableError):
    """A policy file that cannot govern; `field` is the path in the file, such as `gates[2].items[0]`."""

    title = "This policy cannot be used"

    def __init__(self, path: str, sentence: str, remedy: str | None = None) -> None:
        super().__init__(path, f"{path}: {sentence}", remedy)


class NoPolicyError(UnavailableError):
    """The database holds no policy: the installation never started."""

    def __init__(self) -> None:
        super().__init__("No policy is active in this database.", "Run `acta serve` once: it activates the default.")


class AmbiguousPoliciesError(ConflictError):
    """Two policies would say equally much about some name."""

    title = "It would be unclear which policy governs"

    def __init__(self, other: str, pattern: str, other_pattern: str) -> None:
        super().__init__(
            f"The pattern {pattern!r} says as much about some name as {other_pattern!r} of the policy {other}.",
            "Let one of the policies govern by a longer pattern, or by team, so that it is the more specific one.",
        )


class NoGateError(ConflictError):
    """The policy lets no version of that tier into that stage."""

    def __init__(self, policy: str, version: str, target_stage: str, tier: str) -> None:
        super().__init__(
            f"The policy {policy} {version} lets no model of the risk tier {tier!r} into {target_stage}.",
            "Choose another stage: development, staging, production or archived.",
        )


class UngovernedError(ConflictError):
    """No policy governs the model: it is in the open tier, which no gate lets anywhere."""

    title = "No policy governs this model"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"No policy in force governs the model {model!r}: it is in the open tier, without gates and cards.",
            "An administrator activates a policy that governs its name or team: `acta policy activate`.",
        )


class ConflictOfInterestError(RefusedError):
    """Whoever has a stake in an answer may not give it."""

    title = "Refused: somebody else must do this"
