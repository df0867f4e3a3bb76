"""Runs a route inside its unit of work, where a wait stops nobody else.

    @get("/{name:str}", guards=[...])
    @reads
    def show(self, name: FromPath[str], unit: NamedDependency[Unit], ...) -> ModelView: ...

A read on SQLite waits for nothing and runs on the event loop; every write, and everything on PostgreSQL, runs in a
thread, since it may wait for a lock or the network. A repeated `Idempotency-Key` gets the first answer again; it is
kept in the same transaction as what it answers. A refusal of a known actor is recorded in a transaction of its own,
because its cause is rolled back.
"""

import asyncio
import functools
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from sqlalchemy import delete, func, select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.authentication import actor_as_of_now
from registry.access.tables import IdempotencyRow
from registry.database import WRITER_WAIT_SECONDS, Database, Mode, database_is_locked
from registry.errors import ActaError, ConflictError, InvalidInputError
from registry.http.uploads import form_fingerprint
from registry.names import LONGEST_NAME
from registry.unit import Committed, Idempotency, Unit, Units

Handler = TypeVar("Handler", bound=Callable[..., Any])

IDEMPOTENCY_LIFETIME = timedelta(hours=24)

# Apart, so that writers who wait for a lock leave readers their threads, and together no more than the connections that
# `Database` pools. Executors, because a call through anyio's threads takes three times as long.
_READERS = ThreadPoolExecutor(24, "reader")
_WRITERS = ThreadPoolExecutor(16, "writer")
# SQLite lets in one writer at a time: more threads would but wait for one another, at the cost of a fifth of the rate.
_ONLY_WRITER = ThreadPoolExecutor(1, "writer")


@runtime_checkable
class Secretive(Protocol):
    """An answer that holds a secret, and can be kept without it."""

    def without_secret(self) -> "Secretive":
        """The same answer with the secret left out."""
        ...


def reads(handler: Handler) -> Handler:
    """Run the route in a transaction that changes nothing."""
    return _within(Mode.READ, handler)


def writes(handler: Handler) -> Handler:
    """Run the route in a transaction that commits when it returns."""
    return _within(Mode.WRITE, handler)


def _within(mode: Mode, handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def run(*arguments: Any, **named: Any) -> Any:
        unit: Unit = named["unit"]
        unit.mode = mode
        actor: Actor | None = named.get("actor")
        call = functools.partial(_call, handler, arguments, named, unit, actor)
        try:
            if mode is Mode.WRITE:
                return await run_writing(unit.database, call)
            return await _run_reading(unit.database, call)
        except ActaError as refusal:
            if actor is not None and refusal.recorded_as is not None:
                units = Units(unit.database, unit.log)
                await run_writing(
                    unit.database, functools.partial(record_refusal, units, actor, refusal, unit.request_id)
                )
            raise

    # Litestar and its schema look at the signature of the route itself, which `wraps` hands on.
    return cast("Handler", run)


def _call(handler: Callable[..., Any], arguments: tuple[Any, ...], named: Any, unit: Unit, actor: Actor | None) -> Any:
    with unit:
        if unit.mode is Mode.WRITE and actor is not None:
            # A client may send its body slowly: by now its token may be revoked, or a role have ended.
            actor = named["actor"] = actor_as_of_now(unit, actor)
        if unit.mode is Mode.READ or unit.idempotency is None or actor is None:
            return handler(*arguments, **named)
        replayed = _kept_answer(unit, actor, unit.idempotency)
        if replayed is not None:
            return replayed
        answer = handler(*arguments, **named)
        _keep_answer(unit, actor, unit.idempotency, answer)
        return answer


async def run_writing(database: Database, work: Callable[[], Any]) -> Any:
    """Run something that writes in a thread, where it may wait for a lock without stopping anybody who reads.

    Raises:
        UnavailableError: on SQLite, its turn to write did not come; nothing was written.
    """
    if not database.is_sqlite:
        return await asyncio.get_running_loop().run_in_executor(_WRITERS, work)
    turn = _ONLY_WRITER.submit(work)
    done = asyncio.wrap_future(turn)
    await asyncio.wait({done}, timeout=WRITER_WAIT_SECONDS)
    if not done.done() and turn.cancel():
        raise database_is_locked(database)
    return await done


async def _run_reading(database: Database, work: Callable[[], Any]) -> Any:
    """Run something that only reads: on the loop where that waits for nothing."""
    return work() if database.is_sqlite else await asyncio.get_running_loop().run_in_executor(_READERS, work)


def record_refusal(units: Units, actor: Actor, refusal: ActaError, request_id: str | None) -> None:
    """Put a refusal of a known actor into the log, in a transaction of its own."""
    assert refusal.recorded_as is not None
    with units.writing(request_id) as unit:
        subject = str(refusal.subject or actor.id)
        unit.record(actor, refusal.recorded_as, subject, {"reason": Committed(refusal.sentence)})


def _kept_answer(unit: Unit, actor: Actor, idempotency: Idempotency) -> Response[bytes] | None:
    if not unit.database.is_sqlite:
        # The same request twice at once: the second waits for the first one's answer.
        number = hashlib.sha256(f"{actor.id}\n{idempotency.key}".encode()).digest()[:8]
        turn = func.pg_advisory_xact_lock(int.from_bytes(number, "big", signed=True))
        unit.session.execute(select(turn))
    row = unit.session.get(IdempotencyRow, (actor.id, idempotency.key))
    if row is None:
        return None
    if row.created_at < unit.now - IDEMPOTENCY_LIFETIME:
        unit.session.delete(row)
        unit.session.flush()
        return None
    if row.fingerprint != idempotency.fingerprint:
        raise ConflictError(
            f"The Idempotency-Key {idempotency.key!r} was used for another request.", "Use a new key for each request."
        )
    return Response(
        row.body.encode(),
        status_code=row.status,
        media_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )


def _keep_answer(unit: Unit, actor: Actor, idempotency: Idempotency, answer: Any) -> None:
    content, status = (answer.content, answer.status_code) if isinstance(answer, Response) else (answer, None)
    if isinstance(content, Secretive):
        content = content.without_secret()
    unit.session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < unit.now - IDEMPOTENCY_LIFETIME))
    unit.session.add(
        IdempotencyRow(
            actor_id=actor.id,
            key=idempotency.key,
            fingerprint=idempotency.fingerprint,
            status=status or 201,
            body=msgspec.json.encode(content).decode(),
            created_at=unit.now,
        )
    )


async def provide_unit(request: Request[Any, Any, Any]) -> Unit:
    """The request's unit of work, not yet begun: a dependency of every route that touches the database."""
    units: Units = request.app.state.units
    unit = Unit(units.database, units.log, Mode.READ, request.scope.get("state", {}).get("request_id"))
    key = request.headers.get("idempotency-key")
    if key is not None and request.method == "POST":
        if not 1 <= len(key) <= LONGEST_NAME or not key.isprintable():
            raise InvalidInputError("Idempotency-Key", key, f"it has 1 to {LONGEST_NAME} printable characters")
        # A form is read already where a route takes files, and its boundaries differ in each repetition.
        is_form = request.content_type[0] == "multipart/form-data"
        body = await (form_fingerprint(request) if is_form else request.body())
        fingerprint = hashlib.sha256(b"\0".join([request.method.encode(), request.scope["raw_path"], body])).digest()
        unit.idempotency = Idempotency(key, fingerprint)
    return unit


def provide_actor(request: Request[Any, Any, Any], unit: NamedDependency[Unit]) -> Actor:
    """Whoever asks; the route's guard has found out.

    It takes the unit only to come after it: Litestar resolves two at once in a task group, which takes longer.
    """
    actor: Actor = request.scope["user"]
    return actor


async def run_in_reading_unit(units: Units, work: Callable[[Unit], Any]) -> Any:
    """A short read outside a route."""
    return await _run_reading(units.database, functools.partial(_within_unit, units.reading, work))


async def run_asking(units: Units, work: Callable[[Unit], Any]) -> Any:
    """A single reading statement outside a route, such as finding out who asks."""
    return await _run_reading(units.database, functools.partial(_within_unit, units.asking, work))


def _within_unit(begun: Callable[[], Unit], work: Callable[[Unit], Any]) -> Any:
    with begun() as unit:
        return work(unit)
