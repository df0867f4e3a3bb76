"""What an execution does while it holds the locks: rows, and nothing else."""

import sys

import pytest

from registry.promotion import service

TOUCHING = (
    "open",
    "import",
    "exec",
    "compile",
    "os.",
    "shutil.",
    "socket.",
    "subprocess.",
    "urllib.Request",
    "ctypes.dlopen",
    "sqlite3.connect",
    "glob.glob",
    "tempfile.",
)
"""Audit events (PEP 578) of files, networks, other processes, and of code that is loaded."""


class Watch:
    """Notes what the interpreter does while it is on. An audit hook stays for good: this one is told when to look."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_on = False
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_on and event.startswith(TOUCHING):
            self.seen.append(f"{event} {arguments!r:.200}")


WATCH = Watch()


@pytest.fixture
def watch():
    WATCH.seen = []
    yield WATCH
    WATCH.is_on = False


def test_watch_sees_files_networks_and_imports(watch, tmp_path):
    import socket

    watch.is_on = True
    (tmp_path / "file").write_text("x")
    socket.socket().close()
    sys.modules.pop("this_is_nowhere", None)
    with pytest.raises(ImportError):
        import this_is_nowhere  # noqa: F401 - it is imported to be noticed
    watch.is_on = False
    seen = {line.split()[0] for line in watch.seen}
    assert {"open", "socket.__new__", "import"} <= seen


def test_execution_touches_no_file_network_or_plugin_from_its_first_lock_to_its_commit(governance, registered, watch):
    governance.complete(registered)
    second = governance.register()
    governance.promote(second)
    request_id = governance.request(registered)
    governance.approve(request_id)
    with governance.units.writing() as unit:
        # The connection is open, and on SQLite the writer's lock is taken: from here on others wait.
        unit.session.connection()
        watch.is_on = True
        case = service.execute(unit, governance.people.developer, request_id)
    watch.is_on = False
    assert case.state.value == "executed"
    assert watch.seen == []
