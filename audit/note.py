"""Signed notes (C2SP signed-note): text, an empty line, and lines of Ed25519 signatures.

Signer and VerifierKey
    key id = SHA-256(name || 0x0A || 0x01 || public key)[:4]
    verifier key = <name>+<key id in hex>+<base64 of 0x01 || public key>
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, Self

from audit.errors import KeyFormatError, NoteError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = [
    "ED25519",
    "NoteSignature",
    "SignedNote",
    "Signer",
    "VerifierKey",
    "check_key_name",
    "decode_base64",
    "key_id",
    "open_note",
    "parse_note",
    "sign_note",
]

ED25519 = b"\x01"
"""Signature type identifier of plain Ed25519."""

MAX_SIGNATURES = 100
MAX_NOTE_CHARACTERS = 1_000_000
_DASH = "\N{EM DASH} "


def key_id(name: str, public_key: bytes) -> bytes:
    """The 4 bytes that, with the name, tell keys apart."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def check_key_name(name: str) -> None:
    """A key name is not empty and has no space, plus sign or control character.

    Raises:
        KeyFormatError: it breaks that rule.
    """
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise KeyFormatError(f"{name!r} is no key name: it may not be empty nor hold spaces or plus signs.")


def decode_base64(text: str) -> bytes:
    """Standard Base 64 in its one canonical spelling, so that no changed character goes unnoticed.

    Raises:
        ValueError: anything else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{text!r} is not base 64") from None
    if base64.b64encode(data).decode() != text:
        raise ValueError(f"{text!r} is not base 64 in its canonical spelling")
    return data


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key: a name and 32 bytes of Ed25519."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<name>+<key id>+<key>`.

        Raises:
            KeyFormatError: the text is not of that form, or its id is not the key's.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise KeyFormatError("A verifier key reads <name>+<key id>+<key in base 64>.")
        name, identifier, encoded = parts
        check_key_name(name)
        try:
            material = decode_base64(encoded)
        except ValueError:
            raise KeyFormatError(f"The verifier key of {name} is not base 64.") from None
        if material[:1] != ED25519 or len(material) != 33:
            raise KeyFormatError(f"The verifier key of {name} is not an Ed25519 key.")
        key = cls(name, material[1:])
        if key.key_id.hex() != identifier:
            raise KeyFormatError(f"The verifier key of {name} says id {identifier}, but its id is {key.key_id.hex()}.")
        return key

    @cached_property
    def key_id(self) -> bytes:
        """4 bytes."""
        return key_id(self.name, self.public_key)

    @cached_property
    def _loaded(self) -> "Ed25519PublicKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(self.public_key)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public_key).decode()}"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made that signature of 64 bytes (RFC 8032) over the message."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._loaded.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Signs messages with one Ed25519 key, wherever that key lies: in a file, in a vault."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half; its name is the signer's name."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519 signature (RFC 8032)."""


@dataclass(frozen=True)
class NoteSignature:
    """One signature line, not yet verified."""

    name: str
    key_id: bytes
    """4 bytes."""
    signature: bytes


@dataclass(frozen=True)
class SignedNote:
    """A note taken apart. Nothing in it is to be believed before a signature was verified."""

    text: str
    """With its final newline, without the empty line."""
    signatures: tuple[NoteSignature, ...]


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """The text (ending in a newline) with a signature line for each signer.

    Raises:
        NoteError: text that cannot be signed.
    """
    if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
        raise NoteError("The text of a note ends in a newline and has no other control characters.")
    lines = []
    for signer in signers:
        key = signer.verifier_key
        check_key_name(key.name)
        encoded = base64.b64encode(key.key_id + signer.sign(text.encode())).decode()
        lines.append(f"{_DASH}{key.name} {encoded}\n")
    return f"{text}\n{''.join(lines)}"


def parse_note(note: str) -> SignedNote:
    """Take a signed note apart without verifying anything.

    Raises:
        NoteError: it is malformed.
    """
    if len(note) > MAX_NOTE_CHARACTERS:
        raise NoteError(f"The note is longer than {MAX_NOTE_CHARACTERS:,} characters.")
    if any(character < " " and character != "\n" for character in note):
        raise NoteError("The note has control characters.")
    split = note.rfind("\n\n")
    if split < 0 or not note.endswith("\n") or split + 2 >= len(note):
        raise NoteError("The note has no signatures: they follow the last empty line, each ending in a newline.")
    lines = note[split + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"The note has more than {MAX_SIGNATURES} signatures.")
    return SignedNote(note[: split + 1], tuple(map(_parse_signature, lines)))


def open_note(note: str, keys: Sequence[VerifierKey]) -> SignedNote:
    """Verify a note: at least one of `keys` signed it, and none of them wrongly. Other signatures are ignored.

    Raises:
        NoteError: malformed, unsigned by these keys, or a signature that names one of them is wrong.
    """
    signed = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    message = signed.text.encode()
    verified = 0
    for signature in signed.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(message, signature.signature):
            raise NoteError(f"The signature of {key.name} ({key.key_id.hex()}) does not fit the note's text.")
        verified += 1
    if not verified:
        wanted = ", ".join(f"{key.name} ({key.key_id.hex()})" for key in keys)
        raise NoteError(f"The note is not signed by {wanted}.")
    return signed


def _parse_signature(line: str) -> NoteSignature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not separator:
        raise NoteError(f"{line[:80]!r} is no signature line.")
    try:
        check_key_name(name)
        material = decode_base64(encoded)
    except (KeyFormatError, ValueError):
        raise NoteError(f"{line[:80]!r} is no signature line.") from None
    if len(material) < 5:
        raise NoteError(f"The signature of {name} is too short.")
    return NoteSignature(name, material[:4], material[4:])
