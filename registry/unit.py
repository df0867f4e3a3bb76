"""The unit of work: one transaction that holds a state change, its audit entries and its jobs.

    with units.writing() as unit:
        service.do_something(unit, actor, ...)      # commits here, or nothing happened

`unit.now` is the only clock of the services. Entries are collected and appended at the end of the transaction,
since on PostgreSQL the log's lock is to be held as shortly as possible.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from audit.entry import Committed, Draft, Entry, Value
from audit.errors import EntryTooLargeError, LogInconsistentError
from audit.log import Log
from registry.actions import ACTIONS
from registry.database import Database, Mode, session_on, translated_errors
from registry.errors import TooLargeError, UnavailableError

if TYPE_CHECKING:
    from registry.access.actor import Actor

__all__ = ["Committed", "Idempotency", "Unit", "Units", "Value"]

SYSTEM = "acta"
"""The actor of entries that no person and no machine asked for."""


@dataclass(frozen=True)
class Idempotency:
    """What a client said so that a repeated request does nothing twice."""

    key: str
    fingerprint: bytes
    """SHA-256 of method, path and body."""


class Unit:
    """One transaction. Entering begins it, leaving commits it, an exception rolls it back.

    Not a dataclass: Litestar would look into its fields to validate each argument of each request.
    """

    def __init__(self, database: Database, log: Log, mode: Mode, request_id: str | None = None) -> None:
        self.database = database
        self.log = log
        self.mode = mode
        self.request_id = request_id
        self.idempotency: Idempotency | None = None
        self.now = datetime.now(UTC)
        self.entries: tuple[Entry, ...] = ()
        """After the commit: the entries that it wrote."""
        self._session: Session | None = None
        self._connection: Connection | None = None
        self._transaction: AbstractContextManager[Connection] | None = None
        self._drafts: list[Draft] = []

    @property
    def connection(self) -> Connection:
        """The transaction's connection, for statements that load no objects; it sees what the session holds."""
        assert self._connection is not None, "the unit of work has not begun"
        if self._session is not None:
            self._session.flush()
        return self._connection

    @property
    def session(self) -> Session:
        """The transaction's session."""
        if self._session is None:
            self._session = session_on(self.connection)
        return self._session

    def record(
        self, actor: "Actor | None", action: str, subject: UUID | str, changes: Mapping[str, Value] | None = None
    ) -> None:
        """Put an entry into the log with this transaction. The kind of the subject is the action's first word.

        Free text and names of persons must be `Committed`: the leaf holds their salted hash, a side table the text.

        Raises:
            KeyError: the action is not in the vocabulary (`registry.actions`).
        """
        if action not in ACTIONS:
            raise KeyError(action)
        assert self.mode is Mode.WRITE, "a reading transaction records nothing"
        kind = action.split(".", 1)[0]
        who = SYSTEM if actor is None else str(actor.id)
        self._drafts.append(Draft(who, action, kind, str(subject), changes or {}, self.request_id))

    def __enter__(self) -> Self:
        self._transaction = self.database.connection(self.mode)
        self._connection = self._transaction.__enter__()
        self.now = datetime.now(UTC)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if error is None:
            try:
                self._commit()
            except BaseException as failure:
                self._end(type(failure), failure, failure.__traceback__)
                raise
        return self._end(kind, error, trace)

    def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._transaction is not None
        if self._session is not None:
            self._session.close()
        suppressed = self._transaction.__exit__(kind, error, trace)
        self._session = self._connection = None
        return suppressed

    def _commit(self) -> None:
        if self.mode is not Mode.WRITE:
            return
        with translated_errors():
            if self._session is not None:
                self._session.flush()
            if self._drafts:
                self.entries = self._append()
            if self._session is not None:
                self._session.commit()
            # Where the transaction began before the session did, the session leaves it open.
            self.connection.commit()

    def _append(self) -> tuple[Entry, ...]:
        try:
            return tuple(self.log.append(self.connection, self._drafts, self.now))
        except EntryTooLargeError as error:
            raise TooLargeError(str(error)) from error
        except LogInconsistentError as error:
            raise UnavailableError(
                f"The audit log takes no more entries: {error}",
                "Run `acta audit verify`; docs/verify.md says how to go on.",
            ) from error


@dataclass(frozen=True)
class Units:
    """Makes the units of work of one process."""

    database: Database
    log: Log

    def reading(self) -> Unit:
        """A transaction that changes nothing."""
        return Unit(self.database, self.log, Mode.READ)

    def asking(self) -> Unit:
        """One reading statement, which needs no transaction."""
        return Unit(self.database, self.log, Mode.ONE_STATEMENT)

    def writing(self, request_id: str | None = None) -> Unit:
        """A transaction that may change and record."""
        return Unit(self.database, self.log, Mode.WRITE, request_id)
