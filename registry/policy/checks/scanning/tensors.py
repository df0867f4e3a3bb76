"""Formats that hold numbers and trees, and no program: what must hold for that to be all.

safetensors: https://github.com/huggingface/safetensors#format. NumPy: `numpy.lib.format`. XGBoost and LightGBM: their
own JSON, UBJSON and text.
"""

import ast
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from registry.policy.checks.scanning.report import Seen, UnreadableFormatError
from registry.policy.checks.scanning.ubjson import read_ubjson

MOST_HEADER_BYTES = 100_000_000
"""The limit of the safetensors library."""
MOST_JSON_BYTES = 2**30
SAFETENSORS_SIZES: Mapping[str, int] = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}
_LIGHTGBM_VERSION = re.compile(rb"tree\r?\nversion=v[0-9]+\r?\n")


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_safetensors(path: Path, seen: Seen) -> None:
    """The header, and that its tensors fill the rest of the file exactly: no hole hides anything.

    Raises:
        UnreadableFormatError: anything else.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MOST_HEADER_BYTES:
            raise UnreadableFormatError(f"its header has {length:,} bytes")
        header = file.read(length)
    size = path.stat().st_size - 8 - length
    try:
        named = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        metadata = named.pop("__metadata__", None)
        if metadata is not None:
            msgspec.json.decode(metadata, type=dict[str, str])
        tensors = [msgspec.json.decode(raw, type=_Tensor) for raw in named.values()]
    except msgspec.DecodeError as error:
        raise UnreadableFormatError(f"its header is not that of safetensors ({error})") from error
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor.data_offsets):
        begin, finish = tensor.data_offsets
        item = SAFETENSORS_SIZES.get(tensor.dtype)
        if item is None or min(tensor.shape, default=0) < 0:
            raise UnreadableFormatError(f"it has a tensor of the unknown type {tensor.dtype!r}")
        if begin != end or finish - begin != item * math.prod(tensor.shape):
            raise UnreadableFormatError("its tensors do not fill it exactly")
        end = finish
    if end != size:
        raise UnreadableFormatError("its tensors do not fill it exactly")
    seen.kinds.append("safetensors")


def read_numpy(stream: BinaryIO, seen: Seen) -> None:
    """The header of an array: one of Python objects is a pickle behind a header, and refused.

    Raises:
        UnreadableFormatError: no header of NumPy's, or an array of objects.
    """
    magic = stream.read(8)
    if not magic.startswith(b"\x93NUMPY") or magic[6:7] not in (b"\1", b"\2", b"\3"):
        raise UnreadableFormatError("it has no header of NumPy's")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    try:
        described = ast.literal_eval(stream.read(min(length, 1 << 20)).decode("latin-1").strip())
        written = str(described["descr"])
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise UnreadableFormatError("it has no header of NumPy's") from error
    if "O" in written or "object" in written:
        seen.add_danger("an array of Python objects, which NumPy keeps as a pickle")


def is_xgboost(value: object) -> bool:
    """Whether decoded JSON or UBJSON is a model of XGBoost: everything in it is numbers and names."""
    return isinstance(value, dict) and isinstance(value.get("learner"), dict) and isinstance(value.get("version"), list)


def read_json(path: Path, seen: Seen) -> None:
    """JSON, XGBoost's model among it: data without any way to call something.

    Raises:
        UnreadableFormatError: it is no JSON.
    """
    if path.stat().st_size > MOST_JSON_BYTES:
        raise UnreadableFormatError(f"it is JSON of more than {MOST_JSON_BYTES:,} bytes")
    try:
        value = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableFormatError(f"it is no JSON ({error})") from error
    seen.kinds.append("XGBoost JSON" if is_xgboost(value) else "JSON")


def read_xgboost_ubjson(path: Path, seen: Seen) -> None:
    """XGBoost's binary model.

    Raises:
        UnreadableFormatError: it is no UBJSON, or not of XGBoost.
    """
    if not is_xgboost(read_ubjson(path.read_bytes())):
        raise UnreadableFormatError("it is UBJSON, but no model of XGBoost")
    seen.kinds.append("XGBoost UBJSON")


def is_lightgbm(head: bytes) -> bool:
    """Whether a text begins as LightGBM's models do."""
    return _LIGHTGBM_VERSION.match(head) is not None
