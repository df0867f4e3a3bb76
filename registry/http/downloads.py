"""Stored bytes handed out: headers under which nothing of them runs, and the entry of the log that says who took them.

    @get("/{document_id:uuid}/content", guards=[signed_in])
    async def content(self, document_id, request, actor, storage) -> Response[bytes]:
        return await hand_out(request, actor, storage, lambda unit: service.download(unit, actor, document_id))

The entry is committed after the bytes were found to be sound and before any of them leaves: where the log takes no
entry, nobody gets a file. HEAD tells what GET would send, and records nothing. Parts are not served (`Accept-Ranges:
none`): a request for a range gets the whole, and each whole is one entry.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from litestar import Request, Response

from registry.access.actor import Actor
from registry.evidence.downloads import Download, record_download
from registry.http.transactions import run_in_reading_unit, run_writing
from registry.storage import Storage
from registry.unit import Unit, Units

Finder = Callable[[Unit], Download]
"""Finds, in a reading unit, what is asked for, or raises where there is nothing that this actor may have."""


async def hand_out(request: Request[Any, Any, Any], actor: Actor, storage: Storage, find: Finder) -> Response[bytes]:
    """The bytes, once the log has the download.

    Raises:
        UnavailableError: the bytes are missing or damaged, or the log takes no entry.
    """
    units: Units = request.app.state.units
    found: Download = await run_in_reading_unit(units, find)
    data = await to_thread.run_sync(storage.get, found.digest)

    def record() -> None:
        with units.writing(request.scope.get("state", {}).get("request_id")) as unit:
            record_download(unit, actor, found)

    await run_writing(units.database, record)
    return Response(data, media_type=found.media_type, headers=_headers(found))


async def describe(request: Request[Any, Any, Any], storage: Storage, find: Finder) -> Response[None]:
    """The answer to HEAD: the status and the headers of `hand_out`.

    Raises:
        UnavailableError: the bytes are missing or damaged.
    """
    found: Download = await run_in_reading_unit(request.app.state.units, find)
    data = await to_thread.run_sync(storage.get, found.digest)
    is_text = found.media_type.startswith("text/")
    content_type = f"{found.media_type}; charset=utf-8" if is_text else found.media_type
    headers = {"Content-Type": content_type, "Content-Length": str(len(data))}
    return Response(None, headers=headers | _headers(found))


def _headers(download: Download) -> dict[str, str]:
    saved = {} if download.file_name is None else download_headers(download.file_name)
    return {"Cache-Control": "private, no-store", "Accept-Ranges": "none"} | saved


def download_headers(file_name: str) -> dict[str, str]:
    """Headers under which a browser saves a file, and runs nothing of it even where it is made to open it.

    Content-Disposition: RFC 6266; the plain name for old clients holds ASCII only.
    """
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in file_name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
