"""A load generator in a process of its own: a fixed set of connections, each sending its next request on the answer.

python -m benchmarks.load < plan.json > result.json

It reads and counts answers and looks at nothing else in them, so that it is not what limits a measurement;
`trivial_server` says how quick it can be.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Plan:
    """What is to be sent: the same request over and over."""

    port: int
    method: str
    path: str
    connections: int
    seconds: float
    most: int = 20_000
    """No more requests than this."""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def request(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body.encode())}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


@dataclass(frozen=True)
class Result:
    """What came of it."""

    answered: int
    failed: int
    """Answers with a status other than 2xx: not among the answered."""
    seconds: float
    median_ms: float
    p99_ms: float
    first_failure: str = ""

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return self.answered / self.seconds


class _Run:
    """What the connections of a plan share."""

    def __init__(self, plan: Plan) -> None:
        self.request = plan.request
        self.left = plan.most
        self.latencies: list[float] = []
        self.failures: list[bytes] = []
        self.started = time.perf_counter()
        self.deadline = self.started + plan.seconds
        self.ended = self.started

    def may_send(self) -> bool:
        self.left -= 1
        return self.left >= 0 and time.perf_counter() < self.deadline

    def answered(self, status: bytes, answer: bytes, sent: float) -> None:
        self.ended = time.perf_counter()
        if status.startswith(b"2"):
            self.latencies.append(self.ended - sent)
        else:
            self.failures.append(answer)

    def result(self) -> Result:
        ordered = sorted(self.latencies) or [0.0]
        return Result(
            answered=len(self.latencies),
            failed=len(self.failures),
            seconds=max(self.ended - self.started, 1e-9),
            median_ms=round(ordered[len(ordered) // 2] * 1000, 3),
            p99_ms=round(ordered[int((len(ordered) - 1) * 0.99)] * 1000, 3),
            first_failure=self.failures[0][:600].decode(errors="replace") if self.failures else "",
        )


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run = run
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = bytearray()
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send()

    def _send(self) -> None:
        if self.run.may_send():
            self.sent = time.perf_counter()
            self.transport.write(self.run.request)
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if _is_whole(self.received):
            self.run.answered(bytes(self.received[9:12]), bytes(self.received), self.sent)
            self.received.clear()
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None or self.received:
            self.done.set_exception(error or ConnectionError("the server closed the connection within an answer"))
        elif not self.done.done():
            self.done.set_result(None)


def _is_whole(answer: bytearray) -> bool:
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    fields = bytes(answer[:head]).lower()
    at = fields.find(b"content-length:")
    if at >= 0:
        end = fields.find(b"\r\n", at)
        length = int(fields[at + 15 : end if end >= 0 else None])
        return len(answer) >= head + 4 + length
    assert b"transfer-encoding: chunked" in fields, "an answer of no known length"
    return answer.endswith(b"0\r\n\r\n")


async def _send_all(plan: Plan) -> Result:
    loop = asyncio.get_running_loop()
    run = _Run(plan)
    opened = [
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", plan.port) for _ in range(plan.connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))
    return run.result()


def send(plan: Plan) -> Result:
    """Run a plan in another process.

    Raises:
        RuntimeError: the server hung up, or spoke something else.
    """
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, check=False, input=json.dumps(asdict(plan)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{plan.method} {plan.path}: {done.stderr.strip()}")
    return Result(**json.loads(done.stdout))


class _Trivial(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, _data: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 700\r\n\r\n" + b"x" * 700)


async def trivial_server(port: int) -> None:
    """A server that answers everything at once, to see how quick the generator is."""
    server = await asyncio.get_running_loop().create_server(_Trivial, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["trivial"]:
        asyncio.run(trivial_server(int(sys.argv[2])))
    else:
        print(json.dumps(asdict(asyncio.run(_send_all(Plan(**json.load(sys.stdin)))))))
