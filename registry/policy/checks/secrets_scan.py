"""The check for secrets in a version's files and documents. It names file, line and kind, never the secret itself."""

import base64
import binascii
import json
import math
import re
import string
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks.artifact import paths_below
from registry.policy.checks.facts import CheckFacts, Files
from registry.policy.checks.protocol import Finding, Reads
from registry.policy.checks.wording import hex_of, some_of
from registry.policy.outcomes import Outcome

CHUNK_BYTES = 4 * 2**20
OVERLAP_BYTES = 8192
"""Longer than any token, so that none is cut in two unseen."""
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PLACEHOLDER = re.compile(
    rb"(?i)example|change.?me|placeholder|your[-_ ]|dummy|redacted|<[^>]+>|\$\{|\{\{|x{6,}|\*{4,}|os\.environ|getenv"
)


def _any(_token: bytes) -> bool:
    return True


def _checksummed(token: bytes) -> bool:
    """Whether the last six characters of a GitHub token are the CRC-32 of the rest, in base 62.

    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body, checksum = token[4:-6], token[-6:].decode("ascii")
    number, digits = zlib.crc32(body), ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(6, "0") == checksum


def _web_token(token: bytes) -> bool:
    """Whether a JSON Web Token's header is JSON that names an algorithm (RFC 7519)."""
    head = token.split(b".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def _random(value: bytes) -> bool:
    """Whether a value looks drawn at random: at least 3 bits a character, several kinds of characters, no placeholder.

    Ordinary words in English have less, as Shannon's entropy of their own letters.
    """
    if PLACEHOLDER.search(value):
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    kinds = sum(bool(re.search(pattern, value)) for pattern in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9]"))
    return bits >= 3.0 and kinds >= 2


@dataclass(frozen=True)
class _Kind:
    """A kind of secret: how it looks, which group of the pattern holds it, and what else must hold."""

    title: str
    pattern: re.Pattern[bytes]
    holds: Callable[[bytes], bool] = _any
    group: int = 0


KINDS: Sequence[_Kind] = (
    _Kind("private key", re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    _Kind("AWS access key id", re.compile(rb"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])")),
    _Kind("GitHub token", re.compile(rb"(?<![A-Za-z0-9_])gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])"), _checksummed),
    _Kind("GitHub fine-grained token", re.compile(rb"(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
    _Kind("GitLab token", re.compile(rb"(?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20}")),
    _Kind("Slack token", re.compile(rb"(?<![A-Za-z0-9])xox[abposr]-(?:[0-9]{6,}-)+[A-Za-z0-9-]{10,}")),
    _Kind("Stripe key", re.compile(rb"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{24,}")),
    _Kind("Google API key", re.compile(rb"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    _Kind("Hugging Face token", re.compile(rb"(?<![A-Za-z0-9])hf_[A-Za-z]{34}(?![A-Za-z0-9])")),
    _Kind("Databricks token", re.compile(rb"(?<![A-Za-z0-9])dapi[0-9a-f]{32}(?![0-9a-f])")),
    _Kind(
        "JSON Web Token",
        re.compile(rb"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{16,1000}"),
        _web_token,
    ),
    _Kind(
        "password in a URL",
        re.compile(rb"(?i)[a-z][a-z0-9+.-]{1,20}://[^\s:@/\"'<>]{1,100}:([^\s:@/\"'<>]{6,100})@[a-z0-9.-]+"),
        lambda value: not PLACEHOLDER.search(value),
        1,
    ),
    _Kind(
        "value of a password, token or key",
        re.compile(
            rb"(?i)(?:passwd|password|passphrase|secret|token|api_?key|access_?key|client_?secret|private_?key)"
            rb"[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9+/=_.~!@#$%^&*-]{12,200})"
        ),
        _random,
        1,
    ),
)


class SecretsAbsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No file of the version and none of its documents holds a key, token or password: private keys, tokens of known
    services by their form and checksum, passwords in URLs, and random-looking values of what is called a password,
    token or key. Compressed bytes are not unpacked: in a PDF, only what is not compressed is searched.
    """

    name: ClassVar[str] = "secrets-absent"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.ARTIFACT, Reads.DOCUMENTS})

    ignored_kinds: Annotated[tuple[str, ...], msgspec.Meta(max_length=20)] = ()
    """Kinds of secrets, by the names that findings give them, that are not looked for."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        documents = sorted(f"{document.kind}|{hex_of(document.digest)}" for document in facts.documents)
        return (hex_of(facts.content_digest), *documents)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        folder = files.sound_artifact(facts)
        places = [(path, folder / path) for path in paths_below(folder)]
        documents = files.all_documents()
        places += [(f"document {document.kind}", document.path) for document in documents]
        kinds = [kind for kind in KINDS if kind.title not in self.ignored_kinds]
        found = [f"{shown}:{line}: {title}" for shown, path in places for line, title in sorted(_secrets(path, kinds))]
        evidence = {
            "content digest": hex_of(facts.content_digest),
            "files searched": str(len(places)),
            "documents": some_of(document.kind for document in documents),
        }
        if found:
            evidence["found"] = some_of(found)
            return Finding(Outcome.FAILED, f"There are secrets in it: {some_of(found)}.", evidence)
        return Finding(Outcome.PASSED, "No secret was found in its files and documents.", evidence)


def _secrets(path: Path, kinds: Sequence[_Kind]) -> set[tuple[int, str]]:
    """Line and kind of each secret; a file is read in pieces that overlap."""
    found: set[tuple[int, str]] = set()
    for first_line, text in _pieces(path):
        for kind in kinds:
            for match in kind.pattern.finditer(text):
                if kind.holds(match.group(kind.group)):
                    found.add((first_line + text.count(b"\n", 0, match.start()), kind.title))
    return found


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    line, kept = 1, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            piece = kept + chunk
            yield line, piece
            kept = piece[-OVERLAP_BYTES:]
            line += piece.count(b"\n") - kept.count(b"\n")
