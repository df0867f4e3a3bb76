"""Files that clients upload: limited while they are read, and stored before the route's transaction begins.

    @post(
        "/",
        guards=[requires(...), takes_form(document_limit, "kind")],
        dependencies=STORED_FILE,
        request_max_body_size=None,
    )
    @writes
    def upload(self, data: MultipartBody[Form], stored_file: NamedDependency[StoredFile], ...): ...

The guard refuses what is announced as too large before it reads any of it, and stops reading where more comes than was
announced; Litestar then finds the form already parsed. Storing needs no transaction: bytes that no row names after a
crash or a refusal do no harm, and a slow disk keeps nobody from writing to the database.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from anyio import to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import HTTPReceiveMessage, HTTPRequestEvent, Receive

from registry.errors import InvalidInputError, UnsupportedMediaTypeError
from registry.settings import Settings
from registry.storage import CHUNK_BYTES, Storage, too_large

FORM_OVERHEAD_BYTES = 64 * 2**10
"""What a form may hold besides its file."""

_LEAVE_IT = "let your HTTP client write header and body together, as curl -F does"
_SEND_FILE = "with curl: curl -F file=@PATH"

HEAD_BYTES = 64 * 2**10

_LIMIT = "acta_upload_limit_bytes"


@dataclass(frozen=True)
class StoredFile:
    """An uploaded file whose bytes are in the storage. Name and media type are what the client says."""

    name: str
    media_type: str
    digest: bytes
    size_bytes: int
    head: bytes
    """The first bytes, at most 64 KiB: what the content is judged by."""


Limit = Callable[[Settings], int]


def document_limit(settings: Settings) -> int:
    """Largest document, in bytes."""
    return settings.document_limit_bytes


def dataset_limit(settings: Settings) -> int:
    """Largest data set, in bytes."""
    return settings.dataset_limit_bytes


def takes_form(
    limit: Limit, *fields: str
) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]:
    """A guard that reads a multipart form with the text `fields` and a file of at most `limit` bytes."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        settings: Settings = connection.app.state.settings
        limit_bytes = limit(settings)
        if not connection.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise UnsupportedMediaTypeError(connection.headers.get("content-type"), "a file as multipart/form-data")
        announced = connection.headers.get("content-length", "")
        # Python refuses to read numbers of thousands of digits.
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit_bytes + FORM_OVERHEAD_BYTES):
            raise too_large(limit_bytes)
        connection.scope["state"][_LIMIT] = limit_bytes
        form = await _read_form(Request(connection.scope, _counted(connection.receive, limit_bytes)))
        _check_file(form)
        for field in fields:
            _check_text(form, field)

    return guard


async def _read_form(request: Request[Any, Any, Any]) -> FormMultiDict:
    boundary = request.content_type[1].get("boundary")
    if not boundary:
        given = request.headers.get("content-type")
        raise InvalidInputError("Content-Type", given, f"it names no boundary between the fields; {_LEAVE_IT}")
    try:
        return await request.form()
    except (UnicodeDecodeError, LookupError):
        raise InvalidInputError("body", "(bytes)", "the fields of a form are UTF-8 text") from None
    except ClientException as error:
        # Litestar tells its errors of parsing apart by their words only.
        if "multipart/form-data" in error.detail:
            rule = f"it is not a form whose fields the boundary {boundary[:70]!r} divides and ends; {_LEAVE_IT}"
            raise InvalidInputError("body", "(bytes)", rule) from None
        if error.detail == "Request Entity Too Large":
            most = request.app.multipart_form_part_limit
            raise InvalidInputError("body", "(bytes)", f"a form has at most {most} parts") from None
        raise


def _check_file(form: FormMultiDict) -> None:
    given = form.getall("file", [])
    if not given:
        names = ", ".join(repr(name[:40]) for name in list(form)[:5]) or "no fields"
        rule = f"the form needs a file under this name, and it has {names}; {_SEND_FILE}"
        raise InvalidInputError("file", None, rule)
    if len(given) > 1:
        raise InvalidInputError("file", f"{len(given)} parts", f"send one file a request; {_SEND_FILE}")
    if not isinstance(given[0], UploadFile):
        raise InvalidInputError("file", given[0], f"it came as text, without a file name; {_SEND_FILE}")


def _check_text(form: FormMultiDict, field: str) -> None:
    given = form.getall(field, [])
    if not given:
        raise InvalidInputError(field, None, f"the form needs this field; with curl: curl -F {field}=...")
    if len(given) > 1:
        raise InvalidInputError(field, f"{len(given)} parts", "the form has one such field; send it once")
    if isinstance(given[0], UploadFile):
        raise InvalidInputError(field, given[0].filename, "it came as a file; send it as text, without a file name")


def _counted(receive: Receive, limit_bytes: int) -> Receive:
    """The request's body, cut off with an error where more comes than is allowed."""
    seen = 0

    async def count() -> HTTPReceiveMessage:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            event: HTTPRequestEvent = message
            seen += len(event["body"])
            if seen > limit_bytes + FORM_OVERHEAD_BYTES:
                raise too_large(limit_bytes)
        return message  # type: ignore[return-value]  # the library's union holds WebSocket messages too

    return count


async def provide_stored_file(request: Request[Any, Any, Any], storage: NamedDependency[Storage]) -> StoredFile:
    """Store the form's file, in a thread.

    Raises:
        TooLargeError: the form fits, but its file does not.
        UnavailableError: the disk is full, or the storage cannot be written.
    """
    upload: UploadFile = (await request.form())["file"]
    limit_bytes: int = request.scope["state"][_LIMIT]

    def store() -> StoredFile:
        file: BinaryIO = upload.file  # type: ignore[assignment]  # a spooled file is one in all but its type
        head = file.read(HEAD_BYTES)
        stored = storage.put_stream(_chunks(file), limit_bytes)
        return StoredFile(upload.filename, upload.content_type, stored.digest, stored.size_bytes, head)

    return await to_thread.run_sync(store)


STORED_FILE = {"stored_file": Provide(provide_stored_file)}


async def form_fingerprint(request: Request[Any, Any, Any]) -> bytes:
    """SHA-256 over the fields and files of a form: the same for a repetition, whose boundaries differ."""
    form = await request.form()

    def fold() -> bytes:
        whole = hashlib.sha256()
        for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
            content = hashlib.sha256()
            if isinstance(value, UploadFile):
                for chunk in _chunks(value.file):  # type: ignore[arg-type]  # a spooled file is one in all but its type
                    content.update(chunk)
                content.update(value.filename.encode(errors="replace"))
            else:
                content.update(str(value).encode(errors="replace"))
            whole.update(hashlib.sha256(name.encode(errors="replace")).digest() + content.digest())
        return whole.digest()

    return await to_thread.run_sync(fold)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
    file.seek(0)
