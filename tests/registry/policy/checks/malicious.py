"""Files that run something when they are loaded, or could: each by another way past a scanner. None of them is loaded.

Written opcode by opcode, because `pickle.dumps` writes only what is innocent in form. What they would run is `true`.
"""

import bz2
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping

import cloudpickle
import joblib
import numpy

GLOBAL_SYSTEM = b"cos\nsystem\n(S'true'\ntR."


class Reduced:
    """Pickles as a call of something."""

    def __init__(self, called: object, *arguments: object) -> None:
        self.called, self.arguments = called, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.called, self.arguments


def text(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


def called(module: str, name: str, *arguments: str) -> bytes:
    """A pickle of protocol 4 that calls something with texts."""
    return b"\x80\x04" + text(module) + text(name) + b"\x93(" + b"".join(map(text, arguments)) + b"tR."


def computed() -> bytes:
    """STACK_GLOBAL whose module name is what a codec gives: rot13 of "bf" is "os"."""
    rotated = b"c_codecs\nencode\n(" + text("bf") + text("rot13") + b"tR"
    return b"\x80\x04" + rotated + text("system") + b"\x93(" + text("true") + b"tR."


def recalled() -> bytes:
    """STACK_GLOBAL whose names come out of the memo, put there in another order."""
    kept = text("system") + b"\x940" + text("os") + b"\x940"
    return b"\x80\x04" + kept + b"h\x01h\x00\x93(" + text("true") + b"tR."


def nested_in_joblib() -> bytes:
    """An array of objects within joblib's file, which is a pickle of its own there."""
    buffer = io.BytesIO()
    joblib.dump({"weights": numpy.array([Reduced(os.system, "true"), 1], dtype=object)}, buffer)
    return buffer.getvalue()


def hidden_in_array() -> bytes:
    """Opcodes within the bytes of an array of an older joblib: joblib skips them, `pickle.load` does not."""
    payload = GLOBAL_SYSTEM
    dtype = b"cnumpy\ndtype\n(" + text("u1") + b"\x89\x88tR"
    state = (
        b"}("
        + (text("subclass") + b"cnumpy\nndarray\n")
        + (text("shape") + b"K" + bytes([len(payload)]) + b"\x85")
        + (text("order") + text("C"))
        + (text("dtype") + dtype)
        + (text("allow_mmap") + b"\x89")
        + b"u"
    )
    return b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b" + payload + b"."


def resized_array() -> bytes:
    """The state of a dtype gives it another size than its name: whoever counts by the name loses the thread."""
    item = b"cnumpy\ndtype\n(" + text("V1") + b"\x89\x88tR(K\x03" + text("|") + b"NNNJ\x40\x00\x00\x00K\x01K\x00tb"
    state = (
        b"}("
        + (text("subclass") + b"cnumpy\nndarray\n")
        + (text("shape") + b"K\x01\x85")
        + (text("order") + text("C"))
        + (text("dtype") + item)
        + (text("numpy_array_alignment_bytes") + b"K\x10")
        + b"u"
    )
    return b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b\x01\xff" + bytes(64) + b"."


def archive(members: Mapping[str, bytes]) -> bytes:
    """A ZIP archive, uncompressed as PyTorch writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, data in members.items():
            written.writestr(name, data)
    return buffer.getvalue()


def torch(program: bytes, **others: bytes) -> bytes:
    """PyTorch's archive around a pickle."""
    return archive({"archive/data.pkl": program, "archive/version": b"3\n", "archive/data/0": bytes(16), **others})


def wrong_checksum() -> bytes:
    """Python's zipfile refuses to read the pickle, as a scanner does; PyTorch's reader may be built not to care."""
    data = bytearray(torch(called("os", "system", "true")))
    for signature, place in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
        data[data.index(signature) + place] ^= 0xFF
    return bytes(data)


def flag_of_encryption() -> bytes:
    """The directory says that the member is encrypted (CVE-2025-1945): scanners skip it, PyTorch reads it."""
    data = bytearray(torch(called("os", "system", "true")))
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def other_name() -> bytes:
    """The member's own header calls it otherwise than the directory does (CVE-2025-1944)."""
    data = torch(called("os", "system", "true"))
    return data.replace(b"archive/data.pkl", b"archive/data.txt", 1)


def skops_schema(**node: object) -> bytes:
    """A skops file with one node."""
    return archive({"schema.json": pickle_json({"protocol": 2, "_skops_version": "0.16.0", **node})})


def pickle_json(value: object) -> bytes:
    """JSON text."""
    return json.dumps(value).encode()


def partial_node() -> bytes:
    """skops' loader of functools.partial around os.system."""
    return skops_schema(
        __class__="partial",
        __module__="functools",
        __loader__="PartialNode",
        content={"func": {"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode"}},
    )


def onnx_outside() -> bytes:
    """An ONNX model whose tensor lies in a file outside of its folder."""
    location = field(1, b"location") + field(2, b"../../etc/passwd")
    tensor = b"\x08\x01" + field(13, location)
    return b"\x08\x0a" + field(7, field(5, tensor))


def field(number: int, data: bytes) -> bytes:
    """A protobuf field of fewer than 128 bytes, with a number below 16."""
    return bytes([number << 3 | 2, len(data)]) + data


def object_array() -> bytes:
    """NumPy's own file, whose array of objects is a pickle."""
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.array([Reduced(eval, "1")], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def cloudpickled() -> bytes:
    """A function by value: its code comes with it."""
    return cloudpickle.dumps(lambda: 1)


def gathered() -> bytes:
    """`posix.system` in a dictionary first, called later through the memo."""
    return b"\x80\x04}\x940cposix\nsystem\n\x940h\x01(" + text("true") + b"tR."


Sample = tuple[str, bytes]
MALICIOUS: Mapping[str, Sample] = {
    "GLOBAL os.system": ("model.pkl", b"\x80\x02" + GLOBAL_SYSTEM),
    "protocol 0": ("model.pkl", GLOBAL_SYSTEM),
    "INST": ("model.pkl", b"(S'true'\nios\nsystem\n."),
    "OBJ": ("model.pkl", b"(cos\nsystem\nS'true'\no."),
    "STACK_GLOBAL": ("model.pkl", called("os", "system", "true")),
    "name out of the memo": ("model.pkl", recalled()),
    "module name computed by a codec": ("model.pkl", computed()),
    "called through the memo": ("model.pkl", gathered()),
    "builtins.exec": ("model.pkl", called("builtins", "exec", "1")),
    "builtins.eval": ("model.pkl", called("builtins", "eval", "1")),
    "builtins.getattr": ("model.pkl", called("builtins", "getattr", "os", "system")),
    "runpy": ("model.pkl", called("runpy", "_run_code", "1")),
    "pydoc.locate": ("model.pkl", called("pydoc", "locate", "os.system")),
    "numpy.load": ("model.pkl", called("numpy", "load", "weights.npy")),
    "numpy.testing": ("model.pkl", called("numpy.testing._private.utils", "runstring", "1")),
    "torch.load": ("model.pkl", called("torch.serialization", "load", "weights.pt")),
    "joblib.load": ("model.pkl", called("joblib", "load", "other.pkl")),
    "timeit": ("model.pkl", called("timeit", "timeit", "1")),
    "asyncio subprocess": (
        "model.pkl",
        called("asyncio.unix_events", "_UnixSubprocessTransport._start", "true"),
    ),
    "dotted name in an allowed module": ("model.pkl", called("collections", "abc.sys.modules", "os")),
    "extension registry": ("model.pkl", b"\x80\x02\x82\x01(" + text("true") + b"tR."),
    "persistent id": ("model.pkl", b"\x80\x02Pos.system\n."),
    "second pickle behind the first": ("model.pkl", pickle.dumps({"a": 1}) + called("os", "system", "true")),
    "failure after the deed": ("model.pkl", GLOBAL_SYSTEM[:-1] + b"\xff"),
    "attributes of a class": (
        "model.pkl",
        b"\x80\x04ccollections\nOrderedDict\n}" + text("get") + text("x") + b"sb.",
    ),
    "cloudpickle": ("model.pkl", cloudpickled()),
    "pickle in joblib": ("model.joblib", nested_in_joblib()),
    "pickle in a joblib array, for pickle.load": ("model.pkl", hidden_in_array()),
    "dtype of another size": ("model.joblib", resized_array()),
    "compressed": ("model.joblib", bz2.compress(called("os", "system", "true"))),
    "PyTorch": ("model.pt", torch(called("os", "system", "true"))),
    "PyTorch, wrong checksum": ("model.pt", wrong_checksum()),
    "PyTorch, flag of encryption": ("model.pt", flag_of_encryption()),
    "PyTorch, other name": ("model.pt", other_name()),
    "PyTorch, second pickle": (
        "model.pt",
        torch(pickle.dumps({}), **{"archive/data/weights.pkl": called("os", "system", "true")}),
    ),
    "TorchScript": ("model.pt", torch(pickle.dumps({}), **{"archive/code/__torch__.py": b"import os"})),
    "bytes before an archive": ("model.pt", called("os", "system", "true") + torch(pickle.dumps({}))),
    "archive of something else": ("model.zip", archive({"data.pkl": called("os", "system", "true")})),
    "called JSON": ("weights.json", GLOBAL_SYSTEM),
    "called text": ("weights.txt", GLOBAL_SYSTEM),
    "called YAML": ("weights.yaml", b"cos\nsystem\n(S'true'\ntR."),
    "called an image": ("chart.png", called("os", "system", "true")),
    "object array of NumPy": ("weights.npy", object_array()),
    "YAML that builds objects": ("settings.yaml", b"a: !!python/object/apply:os.system ['true']\n"),
    "Python source": ("code/loader.py", b"import os\n"),
    "shared library": ("libops.bin", b"\x7fELF" + bytes(60)),
    "skops, a function": (
        "model.skops",
        skops_schema(__class__="system", __module__="posix", __loader__="FunctionNode"),
    ),
    "skops, partial": ("model.skops", partial_node()),
    "skops, a method": ("model.skops", skops_schema(__class__="dict", __module__="builtins", __loader__="MethodNode")),
    "ONNX, data outside": ("model.onnx", onnx_outside()),
    "HDF5, whose Lambda layers hold code": ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64)),
    "safetensors with a hole": (
        "model.safetensors",
        struct.pack("<Q", 58) + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}    ' + bytes(20),
    ),
}
"""File name and bytes, by what is wrong with them."""
