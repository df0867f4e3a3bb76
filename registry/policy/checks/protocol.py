"""What an automatic check is, and what it answers.

A check is a small structure: its fields are the parameters that a policy may set, its docstring is what people read.
`inputs` names everything that its answer rests on. A result is stale as soon as that is no longer the same, so the age
of what was looked at is among the inputs too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from registry.policy.checks.facts import CheckFacts, Files
from registry.policy.outcomes import Outcome


class Reads(StrEnum):
    """What a check reads besides rows; it then runs in a process of its own."""

    ARTIFACT = "artifact"
    DOCUMENTS = "documents"
    VULNERABILITY_EXPORT = "vulnerability export"


@dataclass(frozen=True)
class Finding:
    """What a check found, in a sentence, and on which evidence."""

    outcome: Outcome
    reason: str
    evidence: Mapping[str, str] = field(default_factory=dict)


class Check(Protocol):
    """An automatic check with its parameters."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Goes up when its judgement changes: older results are then stale."""
    reads: ClassVar[frozenset[Reads]]

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        """Everything that the finding rests on, from rows alone."""
        ...

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        """Look, and say what was found."""
        ...


ROWS_ONLY: frozenset[Reads] = frozenset()
"""Of a check that reads no file."""
