"""What lies on the stack of a pickle that is followed and not loaded; and what joblib says of an array there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.policy.checks.scanning.report import UnreadableFormatError


class Mark:
    """Where a list of things on the stack begins."""


MARK = Mark()


@dataclass(frozen=True)
class Named:
    """A function or class that would be imported."""

    name: str


@dataclass
class Made:
    """What a call of something imported would give."""

    by: str
    arguments: object
    state: object = None


@dataclass
class Pairs:
    """A dictionary, whose keys need not be hashable here."""

    items: list[tuple[object, object]] = field(default_factory=list)


class Other:
    """A value whose content is of no interest: a number, bytes, a set."""


OTHER = Other()


def item_size(dtype: object) -> tuple[int, bool]:
    """Bytes of one item of a pickled `numpy.dtype`, and whether it holds Python objects.

    Raises:
        UnreadableFormatError: it is no dtype that is understood.
    """
    if not isinstance(dtype, Made) or dtype.by != "numpy.dtype" or not isinstance(dtype.arguments, tuple):
        raise UnreadableFormatError("it describes an array without a dtype")
    code = dtype.arguments[0] if dtype.arguments else None
    if not isinstance(code, str) or len(code) < 2 or not code[1:].isdecimal():
        raise UnreadableFormatError(f"it describes an array of the unknown dtype {code!r}")
    kind, number = code[0], int(code[1:])
    if kind not in "biufcSUVMmO" or number > 1 << 30:
        raise UnreadableFormatError(f"it describes an array of the unknown dtype {code!r}")
    size = number * (4 if kind == "U" else 1)
    state = dtype.state
    # Version, byte order, subarray, names, fields, item size, alignment, flags: another size would be another type.
    if state is not None and not (isinstance(state, tuple) and len(state) >= 7 and state[5] in (-1, size)):
        raise UnreadableFormatError(f"it changes the dtype {code!r} in a way that is not understood")
    return size, kind == "O" or _holds_objects(state)


def _holds_objects(state: object) -> bool:
    """Whether a dtype of fields has an object among them: its state names theirs."""
    if isinstance(state, Made):
        return state.by == "numpy.dtype" and item_size(state)[1]
    if isinstance(state, tuple | list):
        return any(_holds_objects(part) for part in state)
    if isinstance(state, Pairs):
        return any(_holds_objects(value) for _, value in state.items)
    return False


def attributes(state: object) -> Mapping[str, object]:
    """The attributes in a state, each once and by a plain text: nothing that could override another unseen."""
    items = state.items if isinstance(state, Pairs) else []
    names = {name for name, _ in items if isinstance(name, str)}
    if len(names) != len(items):
        raise UnreadableFormatError("it describes an array by attributes that are doubled or no texts")
    return {name: value for name, value in items if isinstance(name, str)}


def divided(argument: object) -> tuple[str, str]:
    """Module and name of GLOBAL and INST: pickletools gives both lines with a space between them.

    Raises:
        UnreadableFormatError: it is no such pair.
    """
    module, space, name = str(argument).partition(" ")
    if not space or " " in name:
        raise UnreadableFormatError(f"it names {argument!r}")
    return module, name


def paired(values: list[object]) -> list[tuple[object, object]]:
    """Keys and values that follow each other.

    Raises:
        UnreadableFormatError: a key has no value.
    """
    if len(values) % 2:
        raise UnreadableFormatError("it has a key without a value")
    return list(zip(values[::2], values[1::2], strict=True))
