"""One connection to a server: requests out, typed answers or errors back, repeated where that is safe.

A request is sent again after a broken connection or a 503. Every POST carries an `Idempotency-Key`, under which the
server does a repeated one only once.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec

from registry.client.errors import ApiError, UnreachableError

Answer = TypeVar("Answer")

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.25
TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@dataclass(frozen=True)
class Upload:
    """A file to be sent, with the media type that the server is to keep."""

    path: Path
    media_type: str


class Connection:
    """Sends requests to one server with one token."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, follow_redirects=False)
            known = self._http.base_url.scheme in {"http", "https"} and bool(self._http.base_url.host)
        except httpx.InvalidURL:
            known = False
        if not known:
            raise UnreachableError(url, "that is no http or https URL")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, kind: type[Answer], query: Mapping[str, str | int | None] | None = None) -> Answer:
        """What is at `path`; parameters that are None are left out."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return _decoded(self._send("GET", path, params=given), kind)

    def get_bytes(self, path: str) -> bytes:
        """The bytes at `path`."""
        return self._send("GET", path).content

    def post(self, path: str, body: object, kind: type[Answer]) -> Answer:
        """Create, or ask for something to be done."""
        return _decoded(self._send("POST", path, json=msgspec.to_builtins(body)), kind)

    def put(self, path: str, body: object, kind: type[Answer], *, headers: Mapping[str, str] | None = None) -> Answer:
        """Replace what is at `path`."""
        return _decoded(self._send("PUT", path, json=msgspec.to_builtins(body), headers=headers), kind)

    def delete(self, path: str) -> None:
        """Remove what is at `path`."""
        self._send("DELETE", path)

    def upload(self, path: str, fields: Mapping[str, str], file: Upload, kind: type[Answer]) -> Answer:
        """Send a form with one file, which is read anew for each attempt.

        Raises:
            OSError: the file cannot be read.
        """
        # A fixed boundary: a repeated request must be the same byte for byte.
        headers = {"Content-Type": f"multipart/form-data; boundary=acta-{uuid4().hex}"}
        return _decoded(self._send("POST", path, data=fields, file=file, headers=headers), kind)

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        data: Mapping[str, str] | None = None,
        file: Upload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = dict(headers or {}) | ({"Idempotency-Key": str(uuid4())} if method == "POST" else {})
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if file is None:
                    response = self._http.request(method, path, params=params, json=json, headers=sent)
                else:
                    with file.path.open("rb") as opened:
                        files = {"file": (file.path.name, opened, file.media_type)}
                        response = self._http.request(method, path, data=data, files=files, headers=sent)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise UnreachableError(self.url, str(error) or type(error).__name__) from error
            else:
                if response.is_success:
                    return response
                if response.status_code != 503 or attempt == ATTEMPTS:
                    raise ApiError(response.status_code, response.content)
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")


def _decoded(response: httpx.Response, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(response.content, type=kind, strict=True)
    except msgspec.DecodeError as error:
        raise UnreachableError(
            str(response.request.url), f"its answer is not one of Acta's: {error}; is the server of another version?"
        ) from error


def version_path(model: str, number: int) -> str:
    """Where the API has a version of a model."""
    return f"/api/v1/models/{quote(model, safe='')}/versions/{number}"
