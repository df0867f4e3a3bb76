"""Logs for the tests: databases with the log's tables and triggers, fixed keys, times and salts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, event

from audit.entry import Committed, Draft, Entry
from audit.keys import Ed25519Signer
from audit.log import Log
from audit.tables import METADATA, drop_trigger_statements, trigger_statements

ORIGIN = "acta.example/log"
SIGNER = Ed25519Signer.of_seed(ORIGIN, bytes(range(32)))
KEY = SIGNER.verifier_key
START = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)


def open_engine(url: str) -> Engine:
    """An engine whose transactions begin as the log wants them."""
    if not url.startswith("sqlite"):
        return create_engine(url, poolclass=NullPool)
    # In memory there is one connection, which a server's thread may use between the test's own uses of it.
    pool = StaticPool if url == "sqlite://" else NullPool
    engine = create_engine(url, poolclass=pool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection, _record) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def create_log_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        METADATA.create_all(connection)
        for statement in trigger_statements(engine.dialect.name).values():
            connection.exec_driver_sql(statement)


@contextmanager
def without_triggers(engine: Engine) -> Iterator[Connection]:
    """A transaction of somebody who may drop triggers, and puts them back."""
    with engine.begin() as connection:
        for statement in drop_trigger_statements(engine.dialect.name).values():
            connection.exec_driver_sql(statement)
        yield connection
        for statement in trigger_statements(engine.dialect.name).values():
            connection.exec_driver_sql(statement)


def counted_salts() -> Callable[[], bytes]:
    """Salts that are the same in every run."""
    number = 0

    def salt() -> bytes:
        nonlocal number
        number += 1
        return sha256(b"salt %d" % number).digest()[:16]

    return salt


def draft(number: int) -> Draft:
    """The entry of that number in an example log."""
    if number % 3 == 2:
        changes = {"expires_at": START, "reason": Committed(f"Reason {number}"), "answers": [{"text": Committed("so")}]}
        return Draft(f"actor-{number % 4}", "waiver.revoked", "waiver", f"w-{number}", changes, f"request-{number}")
    return Draft(
        f"actor-{number % 4}", "version.registered", "version", f"v-{number}", {"number": number, "tags": ["a"]}
    )


def append(engine: Engine, log: Log, drafts: Sequence[Draft], now: datetime) -> list[Entry]:
    with engine.begin() as connection:
        return log.append(connection, drafts, now)


def fill(engine: Engine, log: Log, batches: Sequence[int], first: int = 0) -> None:
    """Append example entries in batches of these sizes, a second apart."""
    for batch in batches:
        drafts = [draft(number) for number in range(first, first + batch)]
        append(engine, log, drafts, START + timedelta(seconds=first))
        first += batch
