"""What joblib says of an array in a pickle, before the bytes of its items.

joblib writes a description (`joblib.numpy_pickle.NumpyArrayWrapper`) and behind it the items' bytes, which no opcodes
announce: whoever follows the opcodes has to know exactly how many joblib will read. So a description is taken in the
one form in which joblib writes it, and refused in every other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.policy.checks.scanning.pickle_values import Made, Named, Pairs
from registry.policy.checks.scanning.report import UnreadableFormatError

JOBLIB_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
ATTRIBUTES = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"})
SIZED_KINDS = frozenset("SUV")
"""Kinds of dtypes whose state says their size again."""
HOLDS_OBJECTS = 1
"""The bit of a dtype's flags by which joblib tells it (`NPY_ITEM_REFCOUNT`): it then reads a pickle, not raw bytes."""


@dataclass(frozen=True)
class DescribedArray:
    """What joblib reads behind the description: a pickle where there are objects, else so many bytes.

    `aligned`: a byte stands before them that says how many bytes to skip first.
    """

    size: int
    holds_objects: bool
    aligned: bool


def describes_array(value: object) -> bool:
    """Whether it is joblib's description of an array, or its class."""
    return (isinstance(value, Named) and value.name == JOBLIB_ARRAY) or (
        isinstance(value, Made) and value.by == JOBLIB_ARRAY
    )


def described_array(state: object) -> DescribedArray:
    """What the state of a description says.

    Raises:
        UnreadableFormatError: it is not of the form in which joblib writes it.
    """
    described = _attributes(state)
    size, holds_objects = _item_size(described.get("dtype"))
    shape = described.get("shape")
    if not isinstance(shape, tuple):
        raise UnreadableFormatError("it describes an array without a shape")
    for length in shape:
        if not isinstance(length, int) or isinstance(length, bool) or length < 0:
            raise UnreadableFormatError("it describes an array of an impossible shape")
        size *= length
    alignment = described.get("numpy_array_alignment_bytes")
    if alignment is not None and not isinstance(alignment, int):
        raise UnreadableFormatError("it describes an array of an unknown alignment")
    return DescribedArray(size, holds_objects, aligned=alignment is not None)


def _item_size(dtype: object) -> tuple[int, bool]:
    """Bytes of one item of a pickled `numpy.dtype`, and whether it holds Python objects.

    Raises:
        UnreadableFormatError: it is no dtype that is understood.
    """
    if not isinstance(dtype, Made) or dtype.by != "numpy.dtype" or not isinstance(dtype.arguments, tuple):
        raise UnreadableFormatError("it describes an array without a dtype")
    code, *how = dtype.arguments or (None,)
    if not isinstance(code, str) or len(code) < 2 or not code[1:].isdecimal() or how not in ([], [False, True]):
        raise UnreadableFormatError(f"it describes an array of the unknown dtype {code!r}")
    kind, number = code[0], int(code[1:])
    if kind not in "biufcSUVMmO" or number > 1 << 30:
        raise UnreadableFormatError(f"it describes an array of the unknown dtype {code!r}")
    size = number * (4 if kind == "U" else 1)
    holds_objects = kind == "O" or _holds_objects(dtype.state)
    if dtype.state is not None and not _fits(dtype.state, size if kind in SIZED_KINDS else -1, holds_objects):
        raise UnreadableFormatError(f"it changes the dtype {code!r} in a way that is not understood")
    return size, holds_objects


def _fits(state: object, size: int, holds_objects: bool) -> bool:  # noqa: FBT001 - both are facts of one dtype
    """Whether a dtype's state says what its code says.

    Version, byte order, subarray, names, fields, item size, alignment, flags, and perhaps metadata, as
    `numpy.dtype.__reduce__` gives them.
    """
    if not isinstance(state, tuple) or len(state) not in {8, 9} or state[0] not in (3, 4):
        return False
    flags = state[7]
    return state[5] == size and isinstance(flags, int) and bool(flags & HOLDS_OBJECTS) == holds_objects


def _holds_objects(state: object) -> bool:
    """Whether a dtype of fields has an object among them: its state names theirs."""
    if isinstance(state, Made):
        return state.by == "numpy.dtype" and _item_size(state)[1]
    if isinstance(state, tuple | list):
        return any(_holds_objects(part) for part in state)
    if isinstance(state, Pairs):
        return any(_holds_objects(value) for _, value in state.items)
    return False


def _attributes(state: object) -> Mapping[str, object]:
    """The attributes in a state, each once and by a plain text: nothing that could override another unseen."""
    items = state.items if isinstance(state, Pairs) else []
    names = {name for name, _ in items if isinstance(name, str)}
    if len(names) != len(items):
        raise UnreadableFormatError("it describes an array by attributes that are doubled or no texts")
    return {name: value for name, value in items if isinstance(name, str)}
