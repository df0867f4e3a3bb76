"""The opcodes of a pickle, strictly as `pickletools` reads them, and generously for text that may be a pickle.

`pickletools` refuses arguments that the unpickler takes, such as the number `0x10`, and text that it refuses would pass
for no pickle. Read generously, an argument that the unpickler could take is one, whatever its value. Source of what it
takes: `Modules/_pickle.c` of CPython, `load_int`, `load_long`, `load_float`, `load_string` and their like.
"""

import pickletools
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import BinaryIO

from registry.policy.checks.scanning.pickle_values import OTHER

_LINES: Mapping[str, re.Pattern[bytes]] = {
    "INT": re.compile(rb"\s*[-+]?[0-9a-fxob_]+l?\s*", re.IGNORECASE),
    "LONG": re.compile(rb"\s*[-+]?[0-9a-fxob_]+l?\s*", re.IGNORECASE),
    "FLOAT": re.compile(rb"\s*[-+]?(inf(inity)?|nan|[0-9.e_+-]+)\s*", re.IGNORECASE),
    "STRING": re.compile(rb"\s*(['\"]).*\1\s*", re.DOTALL),
    "GET": re.compile(rb"\s*[-+]?[0-9_]+\s*"),
    "PUT": re.compile(rb"\s*[-+]?[0-9_]+\s*"),
}
"""What the line behind an opcode may be; any line behind the others."""
_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_COUNTED: Mapping[int, tuple[int, bool]] = {
    pickletools.TAKEN_FROM_ARGUMENT1: (1, False),
    pickletools.TAKEN_FROM_ARGUMENT4: (4, True),
    pickletools.TAKEN_FROM_ARGUMENT4U: (4, False),
    pickletools.TAKEN_FROM_ARGUMENT8U: (8, False),
}
"""Bytes of the length that stands before an argument, and whether it is signed."""
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING"})
_NUMBERS = frozenset({"BININT", "BININT1", "BININT2", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT", "PROTO"})


class Reader(Enum):
    """Who would load the bytes."""

    PLAIN = auto()
    """`pickle.load`."""
    JOBLIB = auto()
    """`joblib.load`, which finds the bytes of arrays between the opcodes."""
    EITHER = auto()
    """Nobody knows. Wherever joblib would find an array, the bytes are followed a second time as a plain pickle: a file
    could be harmless to one of the two alone.
    """


def strict_opcodes(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    """Names and arguments of the opcodes up to STOP.

    Raises:
        ValueError: an argument is not what `pickletools` takes.
    """
    for opcode, argument, _ in pickletools.genops(stream):
        yield opcode.name, argument


def generous_opcodes(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    """Names and arguments of the opcodes up to STOP; it ends where the unpickler would surely fail."""
    while code := stream.read(1):
        opcode = _OPCODES.get(code)
        if opcode is None:
            return
        argument: object = None
        if opcode.arg is not None:
            taken = _argument(stream, opcode.name, opcode.arg.n)
            if taken is None:
                return
            argument = _value(opcode.name, taken)
        yield opcode.name, argument
        if opcode.name == "STOP":
            return


def _argument(stream: BinaryIO, name: str, length: int) -> tuple[bytes, ...] | None:
    """The bytes of an argument, one element for each of its lines; None where the unpickler would fail."""
    if length == pickletools.UP_TO_NEWLINE:
        lines = tuple(stream.readline() for _ in range(2 if name in {"GLOBAL", "INST"} else 1))
        if not all(line.endswith(b"\n") for line in lines):
            return None
        lines = tuple(line.removesuffix(b"\n") for line in lines)
        # The numbers' reader stops at a zero byte as well as at the end of the line.
        allowed = _LINES.get(name)
        return lines if allowed is None or allowed.fullmatch(lines[0].partition(b"\0")[0]) else None
    if length < 0:
        width, signed = _COUNTED[length]
        stated = stream.read(width)
        length = int.from_bytes(stated, "little", signed=signed)
        if len(stated) < width or length < 0:
            return None
    taken = stream.read(length)
    return (taken,) if len(taken) == length else None


def _value(name: str, taken: tuple[bytes, ...]) -> object:
    if name in {"GLOBAL", "INST"}:
        return " ".join(line.decode("utf-8", "replace") for line in taken)
    if name in _TEXTS:
        return taken[0].decode("utf-8", "replace")
    if name in {"STRING", "UNICODE"}:
        return taken[0].strip().strip(b"'\"").decode("utf-8", "replace")
    if name in {"GET", "PUT"}:
        return int(taken[0].partition(b"\0")[0].replace(b"_", b"") or b"0")
    if name in _NUMBERS:
        return int.from_bytes(taken[0], "little")
    return OTHER
