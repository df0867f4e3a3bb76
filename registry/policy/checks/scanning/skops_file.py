"""skops files: a ZIP archive with `schema.json`, a tree of nodes that each name a class, and the arrays it refers to.

What `skops.io.get_untrusted_types` would list, without importing skops or anything that a file names, and judged by
our own list. Loaders that call methods or functions by name are refused, however they name them.
"""

import zipfile

import msgspec

from registry.policy.checks.scanning.archives import member_stream
from registry.policy.checks.scanning.report import Seen, UnreadableFormatError
from registry.policy.checks.scanning.tensors import read_numpy

SCHEMA = "schema.json"
PLAIN_LOADERS = frozenset(
    {
        "BytearrayNode",
        "BytesNode",
        "ConstructorFromReduceNode",
        "DefaultDictNode",
        "DictNode",
        "DTypeNode",
        "FunctionNode",
        "ListNode",
        "LossNode",
        "MaskedArrayNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
"""Loaders that build what they name: the name decides whether that is harmless."""
NAMELESS_LOADERS = frozenset({"CachedNode", "JsonNode"})
"""One refers to a node that is looked at where it stands, the other holds a JSON literal; their names are not used."""
NEWEST_PROTOCOL = 2
TYPES = frozenset({"builtins.str", "builtins.NoneType"})
"""Types of keys and values, which cannot be called with anything that the file computes."""


def is_skops(archive: zipfile.ZipFile) -> bool:
    """Whether an archive has skops' schema."""
    return SCHEMA in archive.namelist()


def read_skops(archive: zipfile.ZipFile, seen: Seen) -> None:
    """Name every class and function in the schema, and look at each array.

    Raises:
        UnreadableFormatError: no schema of skops, or a member that it does not know.
    """
    try:
        schema = msgspec.json.decode(archive.read(SCHEMA))
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableFormatError(f"its schema is no JSON ({error})") from error
    if not isinstance(schema, dict) or not isinstance(schema.get("__loader__"), str):
        raise UnreadableFormatError("its schema is not that of skops")
    if not isinstance(schema.get("protocol"), int) or schema["protocol"] > NEWEST_PROTOCOL:
        raise UnreadableFormatError(f"it is of the protocol {schema.get('protocol')!r} of skops, which is not known")
    _walk(schema, seen)
    for name in archive.namelist():
        if name.endswith(".npy"):
            with member_stream(archive, name) as stream:
                read_numpy(stream, seen)
        elif name != SCHEMA and not name.endswith((".npz", ".bin")):
            raise UnreadableFormatError(f"it has the member {name!r}, which skops does not write")
    seen.kinds.append("skops")


def _walk(schema: object, seen: Seen) -> None:
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            if isinstance(value.get("__loader__"), str):
                _note(value, seen)
            waiting.extend(value.values())


def _note(node: dict[str, object], seen: Seen) -> None:
    loader, module, kind = node["__loader__"], node.get("__module__"), node.get("__class__")
    if loader in NAMELESS_LOADERS:
        return
    if loader == "RandomGeneratorNode":
        seen.globals_named.add(f"numpy.random.{_bit_generator(node)}")
    if loader not in PLAIN_LOADERS:
        seen.add_danger(f"skops' loader {loader}, which calls what the file names")
    elif not isinstance(module, str) or not isinstance(kind, str):
        raise UnreadableFormatError("a node of its schema names no class")
    elif f"{module}.{kind}" not in TYPES:
        seen.globals_named.add(f"{module}.{kind}" if "." not in kind else f"{module}:{kind}")


def _bit_generator(node: dict[str, object]) -> str:
    """The name of the bit generator in the state of a generator: skops looks it up in `numpy.random`, and calls it."""
    value: object = node
    for step in ("content", "bit_generator", "content", "bit_generator", "content"):
        value = value.get(step) if isinstance(value, dict) else None
    try:
        return msgspec.json.decode(value if isinstance(value, str) else "", type=str)
    except msgspec.DecodeError as error:
        raise UnreadableFormatError("a random generator of its schema names no bit generator") from error
