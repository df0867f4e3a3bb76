"""Looks through an ONNX model: protobuf by its wire format, so that nothing but these few fields is interpreted.

Messages and field numbers: `onnx.proto3` of the ONNX project. Wire format: https://protobuf.dev/programming-guides/encoding/.
A model is a graph of operators. It is harmful where it reads files outside of its folder, as data kept externally, or
asks for operators that a library of its own brings.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from registry.policy.checks.scanning.report import Seen, UnreadableFormatError

DEEPEST = 100
KNOWN_DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml", b"ai.onnx.training", b"ai.onnx.preview.training"})
"""Operators that the standard defines; others come from a library that somebody must load."""


@dataclass(frozen=True)
class _Message:
    """A message: the kinds of its fields that are messages too, and what to do with others."""

    parts: Mapping[int, str]


# Only what can hold a tensor, a graph or a domain.
_MESSAGES: Mapping[str, _Message] = {
    "model": _Message({7: "graph", 20: "training", 25: "function"}),
    "training": _Message({1: "graph", 2: "graph"}),
    "graph": _Message({1: "node", 5: "tensor", 15: "sparse tensor"}),
    "function": _Message({7: "node", 11: "attribute"}),
    "node": _Message({5: "attribute"}),
    "attribute": _Message(
        {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"}
    ),
    "sparse tensor": _Message({1: "tensor", 2: "tensor"}),
    "tensor": _Message({13: "external"}),
    "external": _Message({}),
}
_NODE_DOMAIN = 7
_MODEL_GRAPH, _MODEL_VERSION = 7, 1


def read_onnx(data: bytes, files: frozenset[str], folder: str, seen: Seen) -> None:
    """Look through a model in `folder` of an artifact that holds `files`.

    Raises:
        UnreadableFormatError: it is no ONNX model.
    """
    top = {number: kind for number, kind, _ in _fields(data)}
    if top.get(_MODEL_GRAPH) != 2 or top.get(_MODEL_VERSION) != 0:
        raise UnreadableFormatError("it is no ONNX model")

    def external(location: bytes) -> None:
        path = location.decode(errors="replace")
        inside = f"{folder}/{path}" if folder else path
        if inside.removeprefix("./") not in files:
            seen.add_danger(f"data kept outside of it, at {path!r}")

    def domain(name: bytes) -> None:
        if name not in KNOWN_DOMAINS:
            seen.add_danger(f"operators of the domain {name.decode(errors='replace')!r}, which are not the standard's")

    _walk("model", data, external, domain, 0)
    seen.kinds.append("ONNX")


def _walk(
    kind: str, data: bytes, external: Callable[[bytes], None], domain: Callable[[bytes], None], depth: int
) -> None:
    if depth > DEEPEST:
        raise UnreadableFormatError(f"its graphs are nested more than {DEEPEST} deep")
    if kind == "external":
        pair = {number: value for number, _, value in _fields(data)}
        if pair.get(1) == b"location":
            external(pair.get(2, b""))
        return
    parts = _MESSAGES[kind].parts
    for number, wire, value in _fields(data):
        if number in parts:
            if wire != 2:
                raise UnreadableFormatError("a message in it is none")
            _walk(parts[number], value, external, domain, depth + 1)
        elif kind == "node" and number == _NODE_DOMAIN:
            domain(value)


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and bytes of each field; of a number no bytes."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        value = b""
        if wire == 0:
            _, position = _varint(data, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        elif wire == 2:
            length, position = _varint(data, position)
            value = data[position : position + length]
            position += length
        else:
            raise UnreadableFormatError("it is no protobuf message")
        if number == 0 or position > len(data):
            raise UnreadableFormatError("it is no protobuf message")
        yield number, wire, value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
    raise UnreadableFormatError("it is no protobuf message")
