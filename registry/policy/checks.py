"""The automatic checks. Each looks at facts that are rows, and says what it found and why; it changes nothing.

A check is a small structure: its fields are the parameters that a policy may set, its docstring is what people read.
`inputs` names everything that its answer rests on. A result is stale as soon as that is no longer the same, so the age
of what was looked at is among the inputs too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Protocol
from uuid import UUID

import msgspec

from registry.assessments.tables import Verdict
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind
from registry.policy.tables import Outcome


@dataclass(frozen=True)
class Edge:
    """A lineage edge of the version."""

    kind: EdgeKind
    role: DatasetRole | None
    name: str
    digest: bytes | None
    identifier: str | None


@dataclass(frozen=True)
class Assessed:
    """The newest finished bias assessment of the version."""

    id: UUID
    verdict: Verdict
    rows: int
    declared_digest: bytes | None
    """SHA-256 of the test set that the data say they hold."""
    result_digest: bytes
    origin: str
    summary: str | None
    finished_at: datetime


@dataclass(frozen=True)
class CheckFacts:
    """What the checks may look at: one version's rows."""

    content_digest: bytes
    digest_state: DigestState
    digest_checked_at: datetime | None
    edges: tuple[Edge, ...]
    assessed: Assessed | None

    def datasets(self, role: DatasetRole) -> tuple[Edge, ...]:
        """The data sets of that role that have a digest."""
        return tuple(
            edge
            for edge in self.edges
            if edge.kind is EdgeKind.DATASET and edge.role is role and edge.digest is not None
        )


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

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        """Everything that the finding rests on."""
        ...

    def examine(self, facts: CheckFacts, now: datetime) -> Finding:
        """Look, and say what was found."""
        ...


class LineageComplete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version names its training and test data with digests, the code's commit, the run and the environment,
    and its test data are not its training data.
    """

    name: ClassVar[str] = "lineage-complete"
    version: ClassVar[int] = 1

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return tuple(
            f"{edge.kind.value}|{edge.role or ''}|{edge.name}|{_hex(edge.digest)}|{edge.identifier or ''}"
            for edge in facts.edges
        )

    def examine(self, facts: CheckFacts, now: datetime) -> Finding:
        training, test = facts.datasets(DatasetRole.TRAINING), facts.datasets(DatasetRole.TEST)
        code = [edge for edge in facts.edges if edge.kind is EdgeKind.CODE and edge.identifier]
        runs = [edge for edge in facts.edges if edge.kind is EdgeKind.RUN and edge.identifier]
        locks = [edge for edge in facts.edges if edge.kind is EdgeKind.ENVIRONMENT and edge.digest]
        parts: dict[str, list[str]] = {
            "training data with a digest": [f"{edge.name} {_hex(edge.digest)}" for edge in training],
            "test data with a digest": [f"{edge.name} {_hex(edge.digest)}" for edge in test],
            "the code's commit": [f"{edge.name} {edge.identifier}" for edge in code],
            "the run": [edge.identifier or "" for edge in runs],
            "the environment's lock file": [_hex(edge.digest) for edge in locks],
        }
        missing = [part for part, found in parts.items() if not found]
        evidence = {part: ", ".join(found) for part, found in parts.items() if found}
        if missing:
            return Finding(Outcome.FAILED, f"The lineage does not name {_listed(missing)}.", evidence)
        seen = {edge.digest for edge in training}
        leaked = [edge.name for edge in test if edge.digest in seen]
        if leaked:
            return Finding(Outcome.FAILED, f"The test data {_listed(leaked)} are training data too.", evidence)
        return Finding(Outcome.PASSED, "The lineage names data, code, run and environment.", evidence)


class DigestVerified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Acta computed the content digest again from the stored bytes, and found the one that was registered."""

    name: ClassVar[str] = "digest-verified"
    version: ClassVar[int] = 1

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (_hex(facts.content_digest), facts.digest_state.value, _time(facts.digest_checked_at))

    def examine(self, facts: CheckFacts, now: datetime) -> Finding:
        evidence = {"content digest": _hex(facts.content_digest), "computed at": _time(facts.digest_checked_at)}
        match facts.digest_state:
            case DigestState.VERIFIED:
                return Finding(Outcome.PASSED, "The stored bytes have the registered digest.", evidence)
            case DigestState.MISMATCH:
                return Finding(
                    Outcome.FAILED, "The stored bytes have another digest than the registered one.", evidence
                )
            case DigestState.STATED:
                reason = "The digest is what the client stated; Acta has not read the stored bytes."
                return Finding(Outcome.INCONCLUSIVE, reason, {"content digest": _hex(facts.content_digest)})


class AssessmentPassed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest bias assessment passed, on a test set that the version declared, with enough rows, and not too long
    ago.
    """

    name: ClassVar[str] = "assessment-passed"
    version: ClassVar[int] = 1

    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 180
    minimum_rows: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Rows of the test set as a whole; the groups' own minimum stands under the policy's `assessment`."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        tests = sorted(_hex(edge.digest) for edge in facts.datasets(DatasetRole.TEST))
        found = facts.assessed
        if found is None:
            return ("none", *tests)
        age = "too old" if self._is_too_old(found, now) else "in time"
        data = (_hex(found.declared_digest), str(found.rows), _hex(found.result_digest))
        return (str(found.id), found.verdict.value, *data, age, *tests)

    def examine(self, facts: CheckFacts, now: datetime) -> Finding:
        found = facts.assessed
        if found is None:
            return Finding(Outcome.INCONCLUSIVE, "There is no finished bias assessment of this version.")
        evidence = {
            "assessment": str(found.id),
            "verdict": found.verdict.value,
            "origin": found.origin,
            "rows": str(found.rows),
            "finished at": _time(found.finished_at),
            "declared test set": _hex(found.declared_digest) or "not declared",
            "result": _hex(found.result_digest),
        }
        failures = list(self._failures(found, facts, now))
        if found.verdict is Verdict.FAIL:
            failures.append(found.summary or "A disparity lies beyond the policy's limit.")
        if failures:
            return Finding(Outcome.FAILED, " ".join(failures), evidence)
        doubts = []
        if found.verdict is Verdict.INCONCLUSIVE:
            doubts.append(found.summary or "The data do not decide whether a disparity lies within the limits.")
        if found.rows < self.minimum_rows:
            doubts.append(f"It rests on {found.rows:,} rows; the policy asks for {self.minimum_rows:,}.")
        if doubts:
            return Finding(Outcome.INCONCLUSIVE, " ".join(doubts), evidence)
        return Finding(Outcome.PASSED, "The bias assessment passed on the declared test set.", evidence)

    def _failures(self, found: Assessed, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        failures: tuple[str, ...] = ()
        if found.declared_digest not in {edge.digest for edge in facts.datasets(DatasetRole.TEST)}:
            failures += ("It was not made on a test set that the version declared.",)
        if self._is_too_old(found, now):
            failures += (f"It is older than {self.max_age_days} days.",)
        return failures

    def _is_too_old(self, found: Assessed, now: datetime) -> bool:
        return now - found.finished_at > timedelta(days=self.max_age_days)


CHECKS: Mapping[str, type[LineageComplete] | type[DigestVerified] | type[AssessmentPassed]] = {
    check.name: check for check in (LineageComplete, DigestVerified, AssessmentPassed)
}
"""The checks that exist, by name."""


def bind(name: str, parameters: Mapping[str, str | int]) -> Check:
    """A check with the parameters that a policy sets.

    Raises:
        KeyError: no check has that name.
        msgspec.ValidationError: a parameter that it does not take.
    """
    check: Check = msgspec.convert(parameters, CHECKS[name])
    return check


def inputs_digest(check: Check, facts: CheckFacts, now: datetime) -> bytes:
    """SHA-256 over the check, its version, its parameters and its inputs: equal as long as a result is not stale."""
    # A check is encoded as the object of its parameters.
    named = [check.name, check.version, check, check.inputs(facts, now)]
    return hashlib.sha256(msgspec.json.encode(named, order="deterministic")).digest()


def examine_safely(check: Check, facts: CheckFacts, now: datetime) -> Finding:
    """What a check found; a check that raises found nothing out, which is an *error* and never *passed*."""
    try:
        return check.examine(facts, now)
    except Exception as error:  # noqa: BLE001 (whatever a check raises becomes its result)
        return Finding(Outcome.ERROR, f"The check itself failed: {type(error).__name__}: {error}")


def _hex(digest: bytes | None) -> str:
    return "" if digest is None else digest.hex()


def _time(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
