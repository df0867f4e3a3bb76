"""Checks a card offline: its seal and its facts by `reports`, the proof that it carries by `audit`.

The steps, each marked below where it is taken, after those of `reports.verify`:

1. The card carries a log proof, and the proof carries an entry.
2. The entry records that a card's facts have the digest that the attached facts have.
3. That entry is in the tree of a checkpoint signed by the log's key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.checkpoint import Checkpoint
from audit.entry import Entry, parse_leaf
from audit.errors import AuditError
from audit.note import VerifierKey
from audit.tlog_proof import TlogProof, verify_tlog_proof
from reports.verify import CardVerification, Step, verify_card


@dataclass(frozen=True)
class LogCheck:
    """What the card's log proof shows. `checkpoint`: compare it with one kept elsewhere."""

    steps: tuple[Step, ...]
    entry: Entry | None = None
    checkpoint: Checkpoint | None = None

    @property
    def proven(self) -> bool:
        """Whether the log holds an entry of exactly these facts."""
        return self.checkpoint is not None and all(step.holds for step in self.steps)


@dataclass(frozen=True)
class CardCheck:
    """The whole verdict on a card. `log` is None where the caller has no key of the log."""

    card: CardVerification
    log: LogCheck | None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every check that was taken, in order."""
        return self.card.steps + (() if self.log is None else self.log.steps)

    @property
    def intact(self) -> bool:
        """Unchanged since it was sealed, whoever sealed it, and, where that was checked, in the log."""
        return self.card.intact and (self.log is None or self.log.proven)

    @property
    def verified(self) -> bool:
        """Intact, sealed under a root that the caller trusts, and in the log of the caller's key."""
        return self.card.verified and self.log is not None and self.log.proven

    @property
    def conclusion(self) -> str:
        """One sentence for a reader."""
        if not self.card.intact:
            return self.card.conclusion
        if self.log is None:
            return f"{self.card.conclusion} Its log proof was not checked: no key of the log was given."
        failed = next((step for step in self.log.steps if not step.holds), None)
        if failed is not None:
            return f"Not verified: {failed.reason}"
        assert self.log.entry is not None
        return f"{self.card.conclusion} Its facts are entry {self.log.entry.sequence} of the log."


def verify(pdf: bytes, *, log_key: VerifierKey | None, trusted_roots: Sequence[bytes], now: datetime) -> CardCheck:
    """Take the steps above. Never raises for what a file holds: that is a step that fails.

    `log_key` and `trusted_roots` (PEM) come from anywhere but the card. `now`: when the certificates must be valid.
    """
    card = verify_card(pdf, trusted_roots, now)
    log = None if log_key is None or card.facts_digest is None else check_log(card, card.facts_digest, log_key)
    return CardCheck(card, log)


def check_log(card: CardVerification, facts_digest: bytes, log_key: VerifierKey) -> LogCheck:
    """Whether the proof that a card carries shows that the log holds an entry of the facts with that SHA-256."""
    # Step 1.
    if card.proof is None:
        return LogCheck((Step("log proof", holds=False, reason="the card carries no log proof"),))
    try:
        leaf = TlogProof.parse(card.proof).extra
        entry = None if leaf is None else parse_leaf(leaf)
    except AuditError as error:
        return LogCheck((Step("log proof", holds=False, reason=f"the log proof is malformed ({error})"),))
    if leaf is None or entry is None:
        return LogCheck((Step("log proof", holds=False, reason="the log proof does not carry its entry"),))
    carried = Step("log proof", holds=True)
    # Step 2.
    names_facts = entry.action == "card.facts-recorded" and entry.changes.get("facts_sha256") == facts_digest.hex()
    about = Step("entry of these facts", names_facts, "" if names_facts else "the entry is of other facts than these")
    # Step 3.
    try:
        checkpoint = verify_tlog_proof(card.proof, leaf, log_key)
    except AuditError as error:
        return LogCheck((carried, about, Step("in the log", holds=False, reason=str(error))), entry)
    return LogCheck((carried, about, Step("in the log", holds=True)), entry, checkpoint)
