"""Signing keys in files, or from a command, in the format of the Go note package.

PRIVATE+KEY+<name>+<key id in hex>+<base64 of 0x01 || seed of 32 bytes>
"""

import base64
import os
import shlex
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from audit.errors import KeyFileError, KeyFormatError
from audit.note import ED25519, VerifierKey, check_key_name, decode_base64

__all__ = ["Ed25519Signer", "create_key_file", "load_key_file", "load_key_from_command"]


@dataclass(frozen=True)
class Ed25519Signer:
    """A signer whose private key is in this process's memory. Its text forms never show the key."""

    verifier_key: VerifierKey
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of_seed(cls, name: str, seed: bytes) -> Self:
        """The signer with the private key `seed` (32 bytes).

        Raises:
            KeyFormatError: a name that no key may have, or a seed of another length.
        """
        check_key_name(name)
        if len(seed) != 32:
            raise KeyFormatError(f"An Ed25519 seed has 32 bytes, not {len(seed)}.")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(VerifierKey(name, public), private)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PRIVATE+KEY+<name>+<key id>+<key>`.

        Raises:
            KeyFormatError: the text is not of that form, or its id is not the key's.
        """
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise KeyFormatError("A signer key reads PRIVATE+KEY+<name>+<key id>+<key in base 64>.")
        name, identifier, encoded = parts[2:]
        try:
            material = decode_base64(encoded)
        except ValueError:
            # Not the decoder's message: it would quote the key.
            raise KeyFormatError(f"The signer key of {name} is not base 64.") from None
        if material[:1] != ED25519 or len(material) != 33:
            raise KeyFormatError(f"The signer key of {name} is not an Ed25519 key.")
        signer = cls.of_seed(name, material[1:])
        if signer.verifier_key.key_id.hex() != identifier:
            raise KeyFormatError(f"The signer key of {name} says id {identifier}, which is not its id.")
        return signer

    def private_text(self) -> str:
        """The key in its file format. Secret."""
        seed = self._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        key = self.verifier_key
        return f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{base64.b64encode(ED25519 + seed).decode()}"

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519 signature (RFC 8032)."""
        return self._private.sign(message)


def create_key_file(path: Path, name: str) -> Ed25519Signer:
    """Make a new key and write it to a new file that only its owner may read (mode 0600).

    Raises:
        KeyFileError: there is a file already, or it cannot be written.
        KeyFormatError: a name that no key may have.
    """
    signer = Ed25519Signer.of_seed(name, os.urandom(32))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeyFileError(path, "exists already", "A key is never overwritten: move the old one away first.") from None
    except OSError as error:
        raise KeyFileError(path, f"cannot be created ({error.strerror})", "Check the folder and its owner.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(signer.private_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return signer


def load_key_from_command(command: str, timeout_seconds: float = 30.0) -> Ed25519Signer:
    """Read a key that a command prints, such as one that asks a vault. It is run without a shell.

    Raises:
        KeyFormatError: it does not run, fails, takes too long, or prints no key. What it printed is not quoted.
    """
    words = shlex.split(command)
    if not words:
        raise KeyFormatError("The command that prints the key is empty.")
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_seconds, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise KeyFormatError(f"The command {words[0]} gives no key: {type(error).__name__}.") from None
    if done.returncode != 0:
        raise KeyFormatError(f"The command {words[0]} gives no key: it ended with status {done.returncode}.")
    return Ed25519Signer.parse(done.stdout)


def load_key_file(path: Path) -> Ed25519Signer:
    """Read a key file.

    Raises:
        KeyFileError: it is missing, or its group or others may read it.
        KeyFormatError: it holds no key.
    """
    try:
        with path.open(encoding="utf-8") as file:
            # Of the open file, not of the path: the two could be different files by now.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFileError(
                    path, f"can be read by others (mode {mode:04o})", f"Run `chmod 600 {path}`, and ask who read it."
                )
            text = file.read(10_000)
    except FileNotFoundError:
        raise KeyFileError(
            path, "does not exist", "A log's first start makes it; a lost one comes from the backup."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(path, f"cannot be read ({error})", "Check the file and its owner.") from None
    return Ed25519Signer.parse(text)
