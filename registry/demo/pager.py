"""The tour's own receiver of alerts, on a free port of this machine only: it stands for whatever rings at night."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from registry.errors import UnavailableError

LONGEST_BODY = 2**20


@dataclass(frozen=True)
class Page:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Pager:
    """A web server that keeps what it gets."""

    host: str
    """Host and port, as the server's settings allow them."""
    pages: "queue.Queue[Page]" = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}/page"

    def wait(self, seconds: float) -> Page:
        """The next request.

        Raises:
            UnavailableError: none came in time.
        """
        try:
            return self.pages.get(timeout=seconds)
        except queue.Empty:
            raise UnavailableError("The alert did not reach the tour's receiver.", "Look at server.log.") from None


@contextmanager
def pager() -> Iterator[Pager]:
    """A receiver for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(made := Pager("")))
    made.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="pager", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_for(receiver: Pager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length") or 0), LONGEST_BODY)
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.pages.put(Page(headers, self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (http.server's name)
            """Say nothing: the tour tells what arrived."""

    return Handler
