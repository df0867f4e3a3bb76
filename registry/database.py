"""Engine, sessions, and the unit of work: a state change, its audit entry and its jobs commit together.

SQLite: WAL, `synchronous=FULL`; a write takes an operating-system lock beside the database file, then
`BEGIN IMMEDIATE` (SQLite's own busy timeout starves writers). Reads begin deferred and wait for nobody.
PostgreSQL: READ COMMITTED, `synchronous_commit=on`; the log takes its advisory lock last, just before the append.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Connection, DateTime, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from registry.errors import ConflictError, UnavailableError, UnstorableError

if TYPE_CHECKING:
    from alembic.config import Config

WRITER_WAIT_SECONDS = 30.0
"""How long a thread waits for its own process's turn to write before the request fails."""

IDLE_SECONDS = 5.0
"""A connection to PostgreSQL that was idle for so long is tried before it is used."""


class UTCDateTime(TypeDecorator[datetime]):
    """An instant in UTC: refuses naive times, returns aware ones on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def one_of(column: str, values: type[StrEnum], name: str) -> CheckConstraint:
    """The CHECK that keeps a text column within an enumeration; `name` without the `ck_`."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{name}")


class Mode(StrEnum):
    """What a transaction is for."""

    READ = "read"
    ONE_STATEMENT = "one statement"
    """A single reading statement: it sees one snapshot without a transaction around it."""
    WRITE = "write"


class Database:
    """One database of one process: its engine, and transactions on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _create_engine(url)
        name = make_url(url).database
        self.path = Path(name) if self.is_sqlite and name else None
        """The SQLite file."""
        # On one pool. In READ COMMITTED every statement sees its own snapshot, so that reads need no transaction:
        # without one, PostgreSQL is asked once instead of three times.
        reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connections = {
            Mode.READ: reading,
            Mode.ONE_STATEMENT: reading.execution_options(acta_mode=Mode.ONE_STATEMENT.value),
            Mode.WRITE: self.engine.execution_options(acta_mode=Mode.WRITE.value),
        }
        self._turn = threading.Lock()
        self._kept = threading.local()

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, mode: Mode) -> Iterator[Session]:
        """A session in one transaction; the caller commits, everything else rolls back.

        Raises:
            UnavailableError: the database did not answer, or stayed locked.
        """
        with self.connection(mode) as connection, session_on(connection) as session:
            yield session

    @contextmanager
    def connection(self, mode: Mode) -> Iterator[Connection]:
        """A connection in one transaction; the caller commits, everything else rolls back.

        Raises:
            UnavailableError: the database did not answer, or stayed locked.
        """
        with self._writers_turn(mode), translated_errors():
            if mode is Mode.ONE_STATEMENT and self.is_sqlite:
                yield self._kept_connection()
                return
            connection = self._connections[mode].connect()
            try:
                yield connection
            finally:
                # Closing rolls back whatever was not committed.
                connection.close()

    def _kept_connection(self) -> Connection:
        """The thread's own connection, never in a transaction: opening one takes longer than a small statement."""
        connection: Connection | None = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = self._connections[Mode.ONE_STATEMENT].connect()
            # Begun for SQLAlchemy alone: `_begin_sqlite` tells the database nothing.
            connection.begin()
        return connection

    @contextmanager
    def _writers_turn(self, mode: Mode) -> Iterator[None]:
        path = self.path
        if mode is not Mode.WRITE or path is None:
            yield
            return
        if not self._turn.acquire(timeout=WRITER_WAIT_SECONDS):
            raise database_is_locked(self)
        try:
            descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._lock_file(descriptor)
                yield
            finally:
                os.close(descriptor)
        finally:
            self._turn.release()

    def _lock_file(self, descriptor: int) -> None:
        """The kernel queues waiters in order, and releases the lock of a process that dies."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        # `flock` knows no time limit: a thread waits in it, and where it waits too long the file is closed under it.
        waiter = threading.Thread(target=fcntl.flock, args=(descriptor, fcntl.LOCK_EX), daemon=True)
        waiter.start()
        waiter.join(WRITER_WAIT_SECONDS)
        if waiter.is_alive():
            raise database_is_locked(self)

    def dispose(self) -> None:
        """Close all connections that are not in use, and this thread's own."""
        connection: Connection | None = self._kept.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()
        self.engine.dispose()


def database_is_locked(database: Database) -> UnavailableError:
    """What to tell somebody whose turn to write did not come."""
    return UnavailableError(
        f"The database {database.path} has been locked by another writer for {WRITER_WAIT_SECONDS:.0f} s.",
        "Try again; if it lasts, look for a process that holds the file open.",
    )


def session_on(connection: Connection) -> Session:
    """A session in the transaction of `connection`."""
    return Session(connection, expire_on_commit=False, autoflush=True)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn a database that does not answer into one sentence that says what to do.

    Raises:
        UnavailableError: a lock, a full disk, a read-only file, a missing table, a refused connection.
        ConflictError: two transactions made the same unique thing.
        UnstorableError: a value that no column holds.
    """
    try:
        yield
    except IntegrityError as error:
        if "unique" not in str(error.orig).lower():
            raise
        raise ConflictError(
            "Somebody else made the same thing at the same moment.", "Read it, and try again."
        ) from error
    except DataError as error:
        raise UnstorableError from error
    except DBAPIError as error:
        sentence = _unavailable(error)
        if sentence is None:
            raise
        raise UnavailableError(*sentence) from error


def _unavailable(error: DBAPIError) -> tuple[str, str] | None:
    text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    lowered = text.lower()
    if "no such table" in lowered or ("relation" in lowered and "does not exist" in lowered):
        return f"The database has not been migrated ({text}).", "Run `acta database upgrade`."
    if "locked" in lowered or "busy" in lowered:
        return "The database is locked by another program.", "Close what holds it open and try again."
    if "disk is full" in lowered or "no space left" in lowered or "could not extend" in lowered:
        return "The disk of the database is full; nothing was written.", "Free some space and try again."
    if "readonly" in lowered or "read-only" in lowered or "unable to open database file" in lowered:
        return f"The database cannot be written or opened ({text}).", "Check the path and its permissions."
    if "malformed" in lowered or "not a database" in lowered:
        return f"The file is no SQLite database, or a damaged one ({text}).", "Name another file, or restore a backup."
    if error.connection_invalidated or "connection" in lowered:
        return f"The database does not answer ({text}).", "Check that it runs and that ACTA_DATABASE_URL is right."
    return None


def _create_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 5.0}, pool_size=8)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        parsed,
        isolation_level="READ COMMITTED",
        pool_size=16,
        max_overflow=24,
        connect_args={"options": "-c synchronous_commit=on -c timezone=utc", "connect_timeout": 10},
    )
    _ping_after_a_pause(engine)
    return engine


def _ping_after_a_pause(engine: Engine) -> None:
    """Try a connection that nobody used for a while before it is handed out: the server may have been restarted.

    SQLAlchemy's `pool_pre_ping` does it each time, which takes as long as a small read.
    """

    def checked_in(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def checked_out(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used_at", time.monotonic()) < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    event.listen(engine, "checkin", checked_in)
    event.listen(engine, "checkout", checked_out)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    # The driver must not begin transactions of its own: `_begin_sqlite` says which kind.
    connection.isolation_level = None
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; "
        # Pages: the log grows to 16 MB between checkpoints. A fifth off the time of a small write.
        "PRAGMA wal_autocheckpoint=4000;"
    )


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("acta_mode")
    if mode == Mode.ONE_STATEMENT.value:
        return
    cursor = connection.connection.cursor()
    try:
        # The driver itself, since SQLAlchemy's way to it takes longer than most reads.
        cursor.execute("BEGIN IMMEDIATE" if mode == Mode.WRITE.value else "BEGIN")
    except sqlite3.Error as error:
        raise OperationalError("BEGIN", None, error) from error
    finally:
        cursor.close()


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` to a revision of `migrations/`.

    Raises:
        UnavailableError: the database does not answer, or the folder of its file cannot be made.
    """
    database = Database(url)
    path = database.path
    database.dispose()
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"The folder {path.parent} cannot be made ({error.strerror}).", "Check ACTA_HOME and its owner."
            ) from error
    _alembic(url, "upgrade", revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to an older revision; refuses where entries of the log would be lost."""
    _alembic(url, "downgrade", revision)


def _alembic(url: str, command: str, revision: str) -> None:
    from alembic import command as commands

    run: Any = getattr(commands, command)
    with translated_errors():
        run(alembic_configuration(url), revision)


def alembic_configuration(url: str) -> "Config":
    """Alembic's configuration object for `url`; no file is read."""
    from alembic.config import Config

    from registry.resources import migrations_directory

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    configuration.attributes["url"] = url
    return configuration


def current_revision(database: Database) -> str | None:
    """The revision that the database is at, or None where it was never migrated."""
    from sqlalchemy import inspect, text

    with translated_errors(), database.engine.connect() as connection:
        if not inspect(connection).has_table("acta_alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM acta_alembic_version")).scalar()
        return revision


def head_revision() -> str:
    """The newest revision in `migrations/`."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(alembic_configuration("sqlite://")).get_current_head()
    assert head is not None
    return head
