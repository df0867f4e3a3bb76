"""The scanner against the loaders themselves: whatever makes one of them call something is not passed.

The loaders here are Python's own unpickler (in C) and joblib's, with one change: a name that no model needs gives a
probe that notes that it was called.
"""

import faulthandler
import io
import os
import pickle
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joblib.numpy_pickle import NumpyUnpickler

from registry.policy.checks.scanning.allowed import allowed_globals
from registry.policy.checks.scanning.looking import Place, look_into
from registry.policy.checks.scanning.report import UnreadableFormatError

CALL = b"cprobe\nmodule\n(S'x'\ntR"
DOTTED = b"cprobe\nmodule.name.deeper\n(S'x'\ntR"
FRAGMENTS = (
    *(
        b"I1\n",
        b"I0x10\n",
        b"I01\n",
        b"I-7\n",
        b"I 5\n",
        b"I5\0 and more\n",
        b"Iseven\n",
        b"L0x10\n",
        b"L1L\n",
        b"L1_0\n",
    ),
    *(b"F1.5\n", b"Fnan\n", b"F-inf\n", b"F1e1 \n", b"S'a'\n", b'S"a"\n', b"Sa\n", b"S'\n", b"Vabc\n", b"V\\u0041\n"),
    *(b"N", b"(", b")", b"]", b"}", b".", b"0", b"1", b"2", b"a", b"e", b"s", b"u", b"t", b"l", b"d", b"b", b"R", b"o"),
    *(b"p0\n", b"g0\n", b"p1\n", b"g1\n", b"q\x00", b"h\x00", b"q\x01", b"h\x01", b"J\x01\x00\x00\x00", b"K\x01"),
    *(b"U\x01a", b"X\x01\x00\x00\x00a", b"C\x01a", b"C\x01\xc2\x80\x04", b"C\x01\xc2\x80\x02", b"C\x01\xc2\x98"),
    *(b"C\x01\xc2\x85", b"C\x01\xc2\x86", b"C\x01\xc2\x87", b"C\x01\xc2\x8f", b"C\x01\xc2\x94", b"Pid\n", b"Q"),
    *(
        b"ccollections\nOrderedDict\n",
        b"ccollections\nOrderedDict\n)R",
        b"ccopyreg\n_reconstructor\n",
        b"cnumpy\ndtype\n",
    ),
    *(CALL, CALL, DOTTED, b"(S'x'\niprobe\nmodule\n", b"(cprobe\nmodule\nS'x'\no", b"cprobe\nmodule\n", b"(S'x'\ntR"),
)


CALLED = 42


def probe(*_: object, **__: object) -> None:
    """What stands in the place of a function that a model has no business with."""
    os._exit(CALLED)


def probing(kind: type) -> type:
    """A loader that finds the probe under its name, and everything else under its own."""

    class Probing(kind):  # type: ignore[misc, valid-type]  # the base is given
        def find_class(self, module: str, name: str) -> object:
            return probe if module == "probe" else super().find_class(module, name)

    return Probing


def calls(load: Callable[[], object]) -> bool:
    """Whether loading comes to the probe. In a process of its own: such bytes crash or block an interpreter, too."""
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with suppress(BaseException):
            load()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == CALLED


def is_passed(folder: Path, name: str, data: bytes) -> bool:
    """Whether the scanner finds nothing against the file."""
    (folder / name).write_bytes(data)
    try:
        seen = look_into(Place(folder, name, frozenset({name})))
    except UnreadableFormatError:
        return False
    return not seen.dangers and not seen.beyond(allowed_globals())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scanned")


@given(program=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map(b"".join))
@example(program=b"I0x10\n0" + CALL + b".")
@example(program=b"C\x01\xc2\x80\x040" + DOTTED + b".")
@example(program=b"]I1\naI0\nI5\ns0" + CALL + b".")
@example(program=b"C\x01\xc2\x980" + CALL + b".")
def test_no_text_passes_that_makes_the_unpickler_call_something(program, folder):
    called = calls(probing(pickle.Unpickler)(io.BytesIO(program)).load)
    for name in ("model", "model.txt", "model.yaml", "model.pkl"):
        assert not (called and is_passed(folder, name, program)), name


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


KIND = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n"
MADE = (
    KIND + b")\x81",
    KIND + b")R",
    KIND + b")}\x92",
    KIND + b"q\x010h\x01)\x81q\x02",
    b"ccopyreg\n_reconstructor\n(" + KIND + b"cbuiltins\nobject\nNtR",
    b"csklearn.neighbors._kd_tree\nnewObj\n(" + KIND + b"tR",
    b"(cnumpy\nndarray\n(K\x00tS'C'\ncnumpy\ndtype\nS'u1'\n\x85Rijoblib.numpy_pickle\nNumpyArrayWrapper\n",
)
"""Ways to make joblib's description of an array; the first is joblib's own."""
PAYLOAD = CALL + b"."
HIDDEN = b"B" + struct.pack("<I", len(PAYLOAD)) + PAYLOAD
"""A call that whoever takes the first five bytes for an array comes to, and nobody else."""


@dataclass(frozen=True)
class Described:
    """A file with joblib's description of an array, made and filled in odd ways, and a call in or behind its bytes."""

    made: bytes = MADE[0]
    code: str = "u1"
    flags: int | None = None
    size: int = -1
    length: int = 0
    alignment: bytes = b"N"
    data: bytes = PAYLOAD
    again: int | None = None
    """The length in a second state of the same description."""
    left_out: str = ""

    def file(self) -> bytes:
        dtype = b"cnumpy\ndtype\n(" + text(self.code) + b"\x89\x88tR"
        if self.flags is not None:
            dtype += b"(K\x03" + text("|") + b"NNNJ" + struct.pack("<i", self.size)
            dtype += b"K\x01K" + bytes([self.flags]) + b"tb"
        items = {
            "subclass": b"cnumpy\nndarray\n",
            "shape": b"K" + bytes([self.length]) + b"\x85",
            "order": text("C"),
            "dtype": dtype,
            "allow_mmap": b"\x89",
            "numpy_array_alignment_bytes": self.alignment,
        }
        state = b"".join(text(name) + value for name, value in items.items() if name != self.left_out)
        whole = b"\x80\x04" + self.made + b"q\x09}(" + state + b"ub"
        if self.again is not None:
            whole += b"0h\x09}(" + text("shape") + b"K" + bytes([self.again]) + b"\x85ub"
        return whole + self.data + b"0N."


DESCRIBED = st.builds(
    Described,
    made=st.sampled_from(MADE),
    code=st.sampled_from(["u1", "f8", "V1", f"V{len(PAYLOAD)}", "O8", "S5", "U2", "M8"]),
    flags=st.sampled_from([None, 0, 1, 8, 27, 63]),
    size=st.sampled_from([-1, 1, 5, len(PAYLOAD)]),
    length=st.sampled_from([0, 1, 5, 8, len(PAYLOAD), len(HIDDEN)]),
    alignment=st.sampled_from([b"N", b"K\x10", b"\x88", b"S'a'\n"]),
    data=st.sampled_from([PAYLOAD, HIDDEN, bytes(8) + PAYLOAD, b"\0" + HIDDEN]),
    again=st.sampled_from([None, None, 0, 5]),
    left_out=st.sampled_from(["", "", "", "dtype", "shape", "numpy_array_alignment_bytes", "order"]),
)


@given(described=DESCRIBED)
@example(described=Described(made=MADE[4], length=5, data=HIDDEN))
@example(described=Described(made=MADE[5], length=5, data=HIDDEN))
@example(described=Described(code=f"V{len(PAYLOAD)}", flags=63, size=len(PAYLOAD), length=1))
@example(described=Described(length=0, again=5, data=HIDDEN))
def test_no_file_of_joblib_passes_that_makes_it_call_something(described, folder):
    program = described.file()
    plainly = calls(probing(pickle.Unpickler)(io.BytesIO(program)).load)
    by_joblib = calls(probing(NumpyUnpickler)("", io.BytesIO(program), ensure_native_byte_order=False).load)
    assert not (by_joblib and is_passed(folder, "model.joblib", program))
    assert not ((by_joblib or plainly) and is_passed(folder, "model.pkl", program))
