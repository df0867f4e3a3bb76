"""Checks of where a version comes from: lineage, digest, what it takes to make it again, data kept apart."""

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec

from registry.catalog.facts import DatasetRole, DigestState, EdgeKind
from registry.policy.checks.facts import CheckFacts, Edge, Files
from registry.policy.checks.protocol import ROWS_ONLY, Finding, Reads
from registry.policy.checks.wording import hex_of, listed, time_of
from registry.policy.outcomes import Outcome

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}")
"""A whole object name of git, SHA-1 or SHA-256; or the SHA-256 of the source, where it is in no repository."""


def edge_inputs(facts: CheckFacts) -> tuple[str, ...]:
    """Every lineage edge, as text."""
    return tuple(
        f"{edge.kind.value}|{edge.role or ''}|{edge.name}|{hex_of(edge.digest)}|{edge.identifier or ''}"
        for edge in facts.edges
    )


class LineageComplete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version names its training and test data with digests, the code's commit, the run and the environment,
    and its test data are not its training data.
    """

    name: ClassVar[str] = "lineage-complete"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return edge_inputs(facts)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        training, test = facts.datasets(DatasetRole.TRAINING), facts.datasets(DatasetRole.TEST)
        code = [edge for edge in facts.edges if edge.kind is EdgeKind.CODE and edge.identifier]
        runs = [edge for edge in facts.edges if edge.kind is EdgeKind.RUN and edge.identifier]
        locks = [edge for edge in facts.edges if edge.kind is EdgeKind.ENVIRONMENT and edge.digest]
        parts: dict[str, list[str]] = {
            "training data with a digest": [f"{edge.name} {hex_of(edge.digest)}" for edge in training],
            "test data with a digest": [f"{edge.name} {hex_of(edge.digest)}" for edge in test],
            "the code's commit": [f"{edge.name} {edge.identifier}" for edge in code],
            "the run": [edge.identifier or "" for edge in runs],
            "the environment's lock file": [hex_of(edge.digest) for edge in locks],
        }
        missing = [part for part, found in parts.items() if not found]
        evidence = {part: ", ".join(found) for part, found in parts.items() if found}
        if missing:
            return Finding(Outcome.FAILED, f"The lineage does not name {listed(missing)}.", evidence)
        seen = {edge.digest for edge in training}
        leaked = [edge.name for edge in test if edge.digest in seen]
        if leaked:
            return Finding(Outcome.FAILED, f"The test data {listed(leaked)} are training data too.", evidence)
        return Finding(Outcome.PASSED, "The lineage names data, code, run and environment.", evidence)


class DigestVerified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Acta read the stored bytes not too long ago, and found the content digest that was registered. Whoever has the
    checks run has the bytes read again.
    """

    name: ClassVar[str] = "digest-verified"
    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    """How long ago the bytes were read at most."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        age = "too long ago" if self._is_too_long_ago(facts, now) else "in time"
        return (hex_of(facts.content_digest), facts.digest_state.value, age)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        evidence = {"content digest": hex_of(facts.content_digest), "computed at": time_of(facts.digest_checked_at)}
        match facts.digest_state:
            case DigestState.VERIFIED if self._is_too_long_ago(facts, now):
                reason = f"The stored bytes were read last more than {self.max_age_days} days ago."
                return Finding(Outcome.INCONCLUSIVE, reason, evidence)
            case DigestState.VERIFIED:
                return Finding(Outcome.PASSED, "The stored bytes have the registered digest.", evidence)
            case DigestState.MISMATCH:
                return Finding(
                    Outcome.FAILED, "The stored bytes have another digest than the registered one.", evidence
                )
            case DigestState.STATED:
                reason = "The digest is what the client stated; Acta has not read the stored bytes."
                return Finding(Outcome.INCONCLUSIVE, reason, {"content digest": hex_of(facts.content_digest)})

    def _is_too_long_ago(self, facts: CheckFacts, now: datetime) -> bool:
        read_at = facts.digest_checked_at
        return read_at is not None and now - read_at > timedelta(days=self.max_age_days)


class FactsForReproduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it takes to make the version again is stated exactly: the whole commit hash of the code, or the SHA-256 of
    its source (a branch or a shortened hash may come to mean other code), the digest of each data set and of the
    environment's lock file, and the seed.
    """

    name: ClassVar[str] = "facts-for-reproduction"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    seed_parameters: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("seed", "random_state", "random_seed")
    """The run's parameters of which one holds the seed."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (*edge_inputs(facts), f"seed|{self._seed(facts) or ''}")

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        commits = [edge.identifier or "" for edge in facts.edges if edge.kind is EdgeKind.CODE]
        locks = [edge for edge in facts.edges if edge.kind is EdgeKind.ENVIRONMENT and edge.digest]
        datasets = [edge for edge in facts.edges if edge.kind is EdgeKind.DATASET]
        seed = self._seed(facts)
        faults = []
        if not commits:
            faults.append("no commit of the code is named")
        faults += [f"{commit!r} is no whole commit hash" for commit in commits if not _COMMIT.fullmatch(commit)]
        if not datasets:
            faults.append("no data set is named")
        faults += [f"the data set {edge.name} has no digest" for edge in datasets if edge.digest is None]
        if not locks:
            faults.append("no lock file of the environment is named")
        if seed is None:
            faults.append(f"no parameter {' or '.join(self.seed_parameters)} holds a seed")
        evidence = {
            "code": ", ".join(commits),
            "environment": ", ".join(hex_of(edge.digest) for edge in locks),
            "seed": seed or "",
        }
        if faults:
            return Finding(Outcome.FAILED, f"It cannot be made again exactly: {listed(faults)}.", evidence)
        return Finding(Outcome.PASSED, "Code, data, environment and seed are stated exactly.", evidence)

    def _seed(self, facts: CheckFacts) -> str | None:
        return next((facts.parameters[name] for name in self.seed_parameters if facts.parameters.get(name)), None)


class TestingDataApart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No data set on which the version was tested is one that it was trained or tuned on, told by digest."""

    name: ClassVar[str] = "test-data-apart"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return edge_inputs(facts)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        test = facts.datasets(DatasetRole.TEST)
        seen: dict[bytes | None, Edge] = {
            edge.digest: edge
            for role in (DatasetRole.TRAINING, DatasetRole.VALIDATION)
            for edge in facts.datasets(role)
        }
        if not test or not seen:
            return Finding(Outcome.INCONCLUSIVE, "The version does not name both training and test data by digest.")
        evidence = {edge.name: hex_of(edge.digest) for edge in (*seen.values(), *test)}
        shared = [f"{edge.name} is {seen[edge.digest].name}" for edge in test if edge.digest in seen]
        if shared:
            return Finding(Outcome.FAILED, f"It was tested on data that it was made from: {listed(shared)}.", evidence)
        return Finding(Outcome.PASSED, "It was tested on data that it was not made from.", evidence)
