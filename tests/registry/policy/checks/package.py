"""A package of somebody else's that brings checks: written to a folder as an installer leaves it."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

MODULE = "kestrel_checks"
HEAD = '''
"""Checks of another organisation."""

import ctypes
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks import ROWS_ONLY, Finding, Reads
from registry.policy.outcomes import Outcome


class LabelledBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The run says who labelled its data, in the parameter that the policy names."""

    name: ClassVar[str] = "labelled-by"
    version: ClassVar[int] = 3
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    parameter: Annotated[str, msgspec.Meta(min_length=1)] = "labelled_by"

    def inputs(self, facts, now):
        raise AssertionError("Acta asks no strange code where a gate is evaluated")

    def examine(self, facts, now, files):
        labeller = facts.parameters.get(self.parameter)
        if not labeller:
            return Finding(Outcome.FAILED, f"No parameter {self.parameter} says who labelled the data.")
        evidence = {"labelled by": labeller, "pid": str(os.getpid())}
        return Finding(Outcome.PASSED, f"{labeller} labelled the data.", evidence)
'''
BODY = '''

class {kind}(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Does what no check should do, so that everybody can see what becomes of it."""

    name: ClassVar[str] = "{name}"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    argument: str = ""

    def inputs(self, facts, now):
        return ()

    def examine(self, facts, now, files):
{body}
        return Finding(Outcome.PASSED, "It came to its end.")
'''
BODIES: Mapping[str, str] = {
    "raises": 'raise ZeroDivisionError("by design")',
    "sleeps": "time.sleep(60)",
    "spins": "while True: pass",
    "eats": "kept = [bytearray(1 << 20) for _ in range(100_000)]",
    "crashes": "ctypes.string_at(0)",
    "leaves": "os._exit(0)",
    "exits": "raise SystemExit(7)",
    "chats": 'print("passed", flush=True); os.write(1, b"passed")',
    "garbles": """
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b"passed? {")
    except OSError:
        pass
""",
    "floods": """
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b"x" * (1 << 20))
    except OSError:
        pass
""",
    "answers-nonsense": 'return Finding("splendid", "It is fine.")',
    "answers-nothing": "return None",
    "writes": 'Path("large").write_bytes(bytes(80 << 20))',
    "closes": "os.close(3); time.sleep(60)",
    "begets": """
subprocess.Popen(["sleep", self.argument], start_new_session=True)
time.sleep(60)
""",
    "looks-around": """
seen = []
for place in Path("/proc").glob("[0-9]*/environ"):
    try:
        if b"ACTA_DATABASE_URL" in place.read_bytes():
            seen.append(str(place))
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", int(self.argument)), timeout=2).close()
    reached = "yes"
except OSError:
    reached = "no"
return Finding(Outcome.PASSED, "It looked.", {
    "environment": ",".join(sorted(os.environ)),
    "others": ",".join(seen),
    "reached": reached,
    "directory": ",".join(os.listdir(".")),
})
""",
}


def install(folder: Path, others: Mapping[str, str] | None = None) -> None:
    """Write the package with its checks; `others`: further entry points, by name."""
    source = HEAD
    points = {"labelled-by": f"{MODULE}:LabelledBy"}
    for name, body in BODIES.items():
        kind = name.title().replace("-", "")
        indented = "\n".join(" " * 8 + line for line in dedent(body).strip().splitlines())
        source += BODY.format(kind=kind, name=name, body=indented)
        points[name] = f"{MODULE}:{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{MODULE}.py").write_text(source.lstrip())
    described = folder / f"{MODULE}-1.0.dist-info"
    described.mkdir(exist_ok=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: kestrel-checks\nVersion: 1.0\n")
    listed = "".join(f"{name} = {value}\n" for name, value in {**points, **(others or {})}.items())
    (described / "entry_points.txt").write_text(f"[acta.checks]\n{listed}")
