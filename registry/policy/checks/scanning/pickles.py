"""Files that hold pickles, plain or as joblib writes them."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from registry.policy.checks.scanning.opcodes import Reader, generous_opcodes
from registry.policy.checks.scanning.pickle_machine import PickleMachine
from registry.policy.checks.scanning.report import BrokenPickleError, Seen, UnreadableFormatError

_IMPORTABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")
"""A module and a name in it, with a colon between them where the name has dots."""


def follow_pickles(
    stream: BinaryIO,
    seen: Seen,
    persistent: Callable[[object], bool] | None = None,
    reader: Reader = Reader.EITHER,
) -> None:
    """Follow a pickle and every further one behind it, up to the end of the file.

    Raises:
        UnreadableFormatError: something there is no pickle, or one that is not understood.
    """
    while True:
        PickleMachine(stream, seen, persistent, reader).run()
        if not stream.read(1):
            return
        stream.seek(-1, 1)


def acts_as_pickle(stream: BinaryIO) -> Seen | None:
    """What text would do if it were loaded as a pickle; None where it would fail before it did anything.

    A pickle of protocol 0 is text: a file that calls itself a list of requirements may be one. Unpickling acts on each
    opcode as it comes, so that a failure afterwards undoes nothing.
    """
    seen = Seen()
    machine = PickleMachine(stream, seen, reader=Reader.PLAIN)
    ended = True
    try:
        machine.run(generous_opcodes(stream))
    except BrokenPickleError:
        ended = False
    except UnreadableFormatError as error:
        seen.add_danger(f"opcodes of a pickle that are not understood ({error})")
    named = any(_IMPORTABLE.fullmatch(name) for name in seen.globals_named)
    with suppress(OSError):
        stream.seek(0)
    return seen if (named or seen.dangers) and (ended or machine.acted) else None
