"""Follows the opcodes of a pickle without doing what they say.

A pickle is a program for a small stack machine. The same stack, memo and marks are kept here, but in the place of
every imported object stands its name, and in the place of every call the fact that it was called. What a name or a
call hides (a module name computed while loading, the result of a call used as a function, the extension registry) is
refused, because nothing can be said of it. An opcode that is not understood is an error. Opcodes and their arguments:
`pickletools` of the standard library; their meaning: `Lib/pickle.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import BinaryIO

from registry.policy.checks.scanning.joblib_arrays import described_array, describes_array
from registry.policy.checks.scanning.opcodes import Reader, strict_opcodes
from registry.policy.checks.scanning.pickle_values import (
    MARK,
    OTHER,
    Made,
    Named,
    Pairs,
    divided,
    paired,
)
from registry.policy.checks.scanning.report import BrokenPickleError, Seen, UnreadableFormatError

MOST_OPCODES = 20_000_000
CALLERS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
"""Opcodes with which a pickle acts."""


_VALUES = frozenset({"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "FLOAT", "BINFLOAT"})
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"})
_TEXTS = frozenset(
    {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
)
_CONSTANTS: Mapping[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class PickleMachine:
    """One pickle, from its first opcode to STOP. The stream can seek.

    `persistent`: judges a persistent id; None where none may occur.
    """

    def __init__(
        self,
        stream: BinaryIO,
        seen: Seen,
        persistent: Callable[[object], bool] | None = None,
        reader: Reader = Reader.EITHER,
    ) -> None:
        self.stream = stream
        self.seen = seen
        self.persistent = persistent
        self.reader = reader
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self.acted = False
        """Whether it has come to an opcode that acts."""

    def run(self, opcodes: Iterable[tuple[str, object]] | None = None) -> None:
        """Follow all opcodes up to STOP: those that `pickletools` reads, or of another reader of the same stream.

        Raises:
            UnreadableFormatError: the bytes are no pickle, or one that is not understood.
        """
        count, ended = 0, False
        try:
            for name, argument in opcodes or strict_opcodes(self.stream):
                count += 1
                if count > MOST_OPCODES:
                    raise UnreadableFormatError(f"it has more than {MOST_OPCODES:,} opcodes")
                self._step(name, argument)
                ended = name == "STOP"
        except UnreadableFormatError:
            raise
        except (ValueError, IndexError, UnicodeError, OverflowError, EOFError) as error:
            raise UnreadableFormatError(f"it is no well-formed pickle ({error})") from error
        if not ended:
            raise BrokenPickleError("it breaks off")
        if len(self.stack) != 0:
            raise UnreadableFormatError("it leaves more than one value on its stack")

    def _step(self, name: str, argument: object) -> None:
        self.acted = self.acted or name in CALLERS
        if name in _NUMBERS:
            self.stack.append(argument)
        elif name in _VALUES:
            self.stack.append(OTHER)
        elif name in _TEXTS:
            self.stack.append(argument if isinstance(argument, str) else OTHER)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        else:
            handler = _HANDLERS.get(name)
            if handler is None:
                raise UnreadableFormatError(f"its opcode {name} is not understood")
            handler(self, argument)

    def _take(self) -> object:
        if not self.stack:
            raise BrokenPickleError("it takes a value from an empty stack")
        value = self.stack.pop()
        if value is MARK:
            raise BrokenPickleError("it takes a mark for a value")
        return value

    def _pop(self) -> object:
        return self._used(self._take())

    def _top(self) -> object:
        value = self._take()
        self.stack.append(value)
        return value

    def _pop_to_mark(self) -> list[object]:
        values: list[object] = []
        while self.stack:
            value = self.stack.pop()
            if value is MARK:
                return values[::-1]
            values.append(self._used(value))
        raise BrokenPickleError("it looks for a mark that is not there")

    def _used(self, value: object) -> object:
        """What is used for anything. joblib makes its description of an array by NEWOBJ and gives it a state by BUILD,
        once, and does nothing else with it: otherwise made, it could not be told where the bytes of an array begin.
        """
        if describes_array(value) and self.reader is not Reader.PLAIN:
            raise UnreadableFormatError("it uses joblib's description of an array in another way than joblib")
        return value

    def proto(self, argument: object) -> None:
        if not isinstance(argument, int) or argument > 5:
            raise BrokenPickleError(f"it is of protocol {argument}")

    def frame(self, _argument: object) -> None:
        """It only announces how many bytes follow."""

    def stop(self, _argument: object) -> None:
        self._pop()

    def mark(self, _argument: object) -> None:
        self.stack.append(MARK)

    def pop(self, _argument: object) -> None:
        if not self.stack:
            raise BrokenPickleError("it takes a value from an empty stack")
        self.stack.pop()

    def pop_mark(self, _argument: object) -> None:
        self._pop_to_mark()

    def dup(self, _argument: object) -> None:
        self.stack.append(self._top())

    def get(self, argument: object) -> None:
        if not isinstance(argument, int) or argument not in self.memo:
            raise BrokenPickleError(f"it recalls {argument!r}, which it never kept")
        self.stack.append(self.memo[argument])

    def put(self, argument: object) -> None:
        if not isinstance(argument, int):
            raise UnreadableFormatError(f"it keeps something under {argument!r}")
        self.memo[argument] = self._top()

    def memoize(self, _argument: object) -> None:
        self.memo[len(self.memo)] = self._top()

    def empty_list(self, _argument: object) -> None:
        self.stack.append([])

    def make_list(self, _argument: object) -> None:
        self.stack.append(self._pop_to_mark())

    def append(self, _argument: object) -> None:
        value = self._pop()
        self._extend([value])

    def appends(self, _argument: object) -> None:
        self._extend(self._pop_to_mark())

    def _extend(self, values: list[object]) -> None:
        """APPEND and APPENDS call `extend` or `append` of whatever lies there: of a list, or of something made."""
        target = self._top()
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Made):
            raise UnreadableFormatError("it appends to what is no list")

    def empty_tuple(self, _argument: object) -> None:
        self.stack.append(())

    def make_tuple(self, _argument: object) -> None:
        self.stack.append(tuple(self._pop_to_mark()))

    def tuple1(self, _argument: object) -> None:
        self.stack.append((self._pop(),))

    def tuple2(self, _argument: object) -> None:
        second, first = self._pop(), self._pop()
        self.stack.append((first, second))

    def tuple3(self, _argument: object) -> None:
        third, second, first = self._pop(), self._pop(), self._pop()
        self.stack.append((first, second, third))

    def empty_dict(self, _argument: object) -> None:
        self.stack.append(Pairs())

    def make_dict(self, _argument: object) -> None:
        self.stack.append(Pairs(paired(self._pop_to_mark())))

    def set_item(self, _argument: object) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def set_items(self, _argument: object) -> None:
        self._update(self._pop_to_mark())

    def _update(self, values: list[object]) -> None:
        """SETITEM and SETITEMS assign items of whatever lies there: of a dictionary, or of something made."""
        target = self._top()
        if isinstance(target, Pairs):
            target.items.extend(paired(values))
        elif isinstance(target, Made):
            paired(values)
        else:
            raise UnreadableFormatError("it assigns an item of what is no dictionary")

    def empty_set(self, _argument: object) -> None:
        self.stack.append(Made("builtins.set", ()))

    def add_items(self, _argument: object) -> None:
        self._pop_to_mark()
        if not isinstance(self._top(), Made):
            raise UnreadableFormatError("it adds to what is no set")

    def frozen_set(self, _argument: object) -> None:
        self._pop_to_mark()
        self.stack.append(OTHER)

    def extension(self, argument: object) -> None:
        self.seen.add_danger(f"code {argument} of the extension registry, which may stand for anything")
        self.stack.append(Named(f"copyreg.extension.{argument}"))

    def binary_persistent_id(self, _argument: object) -> None:
        self.persistent_id(self._pop())

    def persistent_id(self, identity: object) -> None:
        if self.persistent is None or not self.persistent(identity):
            self.seen.add_danger("a persistent id, whose meaning its loader decides")
        self.stack.append(Made("persistent id", ()))

    def named(self, argument: object) -> None:
        self.stack.append(self._name(*divided(argument)))

    def stack_named(self, _argument: object) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            self.seen.add_danger("a name that is computed while loading")
            self.stack.append(Named("computed"))
        else:
            self.stack.append(self._name(module, name))

    def _name(self, module: str, name: str) -> Named:
        # A dotted name is looked up part by part: another way to the same place, or to another one.
        found = Named(f"{module}:{name}" if "." in name else f"{module}.{name}")
        self.seen.globals_named.add(found.name)
        return found

    def instance(self, argument: object) -> None:
        arguments = self._pop_to_mark()
        kind = self._name(*divided(argument))
        self._used(kind)
        self.stack.append(Made(kind.name, tuple(arguments)))

    def make_object(self, _argument: object) -> None:
        called, *arguments = self._pop_to_mark() or [None]
        self._call(called, tuple(arguments))

    def reduce(self, _argument: object) -> None:
        arguments, called = self._pop(), self._pop()
        self._call(called, arguments)

    def new_object(self, _argument: object) -> None:
        arguments, kind = self._pop(), self._take()
        if arguments != ():
            self._used(kind)
        self._call(kind, arguments)

    def new_object_ex(self, _argument: object) -> None:
        _keywords, arguments, kind = self._pop(), self._pop(), self._pop()
        self._call(kind, arguments)

    def _call(self, called: object, arguments: object) -> None:
        if not isinstance(called, Named):
            self.seen.add_danger("a call of something that is computed while loading")
            self.stack.append(Made("computed", arguments))
        else:
            self.stack.append(Made(called.name, arguments))

    def build(self, _argument: object) -> None:
        state = self._pop()
        target = self._take()
        if not isinstance(target, Made):
            # On a class or function this would change it for the whole process.
            self.seen.add_danger("attributes assigned to what is no new object")
        elif describes_array(target) and self.reader is not Reader.PLAIN:
            if target.state is not None:
                raise UnreadableFormatError("it describes an array twice")
            target.state = state
            if self.reader is Reader.EITHER:
                self._follow_as_plain(target)
            self._skip_array(state)
            target = Made("numpy.ndarray", ())
        else:
            target.state = state
        self.stack.append(target)

    def _follow_as_plain(self, target: Made) -> None:
        """What `pickle.load` would do from here on, up to where it would fail: its imports are kept in `seen`."""
        position = self.stream.tell()
        plain = PickleMachine(self.stream, self.seen, self.persistent, Reader.PLAIN)
        plain.stack, plain.memo = [*self.stack, target], dict(self.memo)
        with suppress(UnreadableFormatError):
            plain.run()
        self.stream.seek(position)

    def _skip_array(self, state: object) -> None:
        """joblib writes an array's bytes behind the BUILD of its description (`joblib.numpy_pickle.read_array`)."""
        array = described_array(state)
        if array.holds_objects:
            # Read by an unpickler of its own, with its own stack and memo, that is a plain one.
            PickleMachine(self.stream, self.seen, self.persistent, Reader.PLAIN).run()
            return
        if array.aligned:
            padding = self.stream.read(1)
            self._skip(padding[0] if padding else 1)
        self._skip(array.size)

    def _skip(self, size: int) -> None:
        while size > 0:
            chunk = self.stream.read(min(size, 1 << 20))
            if not chunk:
                raise UnreadableFormatError("an array has fewer bytes than it says")
            size -= len(chunk)


_HANDLERS: Mapping[str, Callable[[PickleMachine, object], None]] = {
    "PROTO": PickleMachine.proto,
    "FRAME": PickleMachine.frame,
    "STOP": PickleMachine.stop,
    "MARK": PickleMachine.mark,
    "POP": PickleMachine.pop,
    "POP_MARK": PickleMachine.pop_mark,
    "DUP": PickleMachine.dup,
    "GET": PickleMachine.get,
    "BINGET": PickleMachine.get,
    "LONG_BINGET": PickleMachine.get,
    "PUT": PickleMachine.put,
    "BINPUT": PickleMachine.put,
    "LONG_BINPUT": PickleMachine.put,
    "MEMOIZE": PickleMachine.memoize,
    "EMPTY_LIST": PickleMachine.empty_list,
    "LIST": PickleMachine.make_list,
    "APPEND": PickleMachine.append,
    "APPENDS": PickleMachine.appends,
    "EMPTY_TUPLE": PickleMachine.empty_tuple,
    "TUPLE": PickleMachine.make_tuple,
    "TUPLE1": PickleMachine.tuple1,
    "TUPLE2": PickleMachine.tuple2,
    "TUPLE3": PickleMachine.tuple3,
    "EMPTY_DICT": PickleMachine.empty_dict,
    "DICT": PickleMachine.make_dict,
    "SETITEM": PickleMachine.set_item,
    "SETITEMS": PickleMachine.set_items,
    "EMPTY_SET": PickleMachine.empty_set,
    "ADDITEMS": PickleMachine.add_items,
    "FROZENSET": PickleMachine.frozen_set,
    "EXT1": PickleMachine.extension,
    "EXT2": PickleMachine.extension,
    "EXT4": PickleMachine.extension,
    "PERSID": PickleMachine.persistent_id,
    "BINPERSID": PickleMachine.binary_persistent_id,
    "GLOBAL": PickleMachine.named,
    "STACK_GLOBAL": PickleMachine.stack_named,
    "INST": PickleMachine.instance,
    "OBJ": PickleMachine.make_object,
    "REDUCE": PickleMachine.reduce,
    "NEWOBJ": PickleMachine.new_object,
    "NEWOBJ_EX": PickleMachine.new_object_ex,
    "BUILD": PickleMachine.build,
}
