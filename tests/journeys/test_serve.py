"""`acta serve` as load balancers and monitoring see it."""

import json
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest

from registry.database import upgrade
from tests.acta_server import ActaServer, add_developer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("served")
    database_url = f"sqlite:///{directory / 'acta.db'}"
    upgrade(database_url)
    served = ActaServer(directory / "installation", database_url, {"ACTA_METRICS_PUBLIC": "true"})
    served.start("--workers", "2", "--no-worker")
    yield served
    assert served.terminate() == 0


def test_a_server_says_that_it_lives_and_is_ready(server):
    assert httpx.get(f"{server.url}/health/live").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/health/ready").json() == {"status": "ok"}


def test_metrics_are_the_sum_over_all_processes(server):
    def counted() -> float:
        text = httpx.get(f"{server.url}/metrics").text
        found = re.findall(r"^acta_requests_total\{.*path=\"/health/live\".*\} ([0-9.]+)", text, re.MULTILINE)
        return sum(map(float, found))

    before = counted()
    # Each a connection of its own, so that both processes get some.
    for _ in range(40):
        httpx.get(f"{server.url}/health/live")
    assert {counted() for _ in range(10)} == {before + 40}


def test_logs_are_json_with_the_id_that_the_response_carried(server):
    request_id = httpx.get(f"{server.url}/api/v1/models").headers["x-request-id"]
    line = _eventually(lambda: _logged(server, request_id))
    assert (line["path"], line["status"]) == ("/api/v1/models", 401)


def test_a_stranger_s_refusal_goes_to_the_access_log_and_not_into_the_audit_log(server):
    httpx.get(f"{server.url}/api/v1/models", headers={"Authorization": "Bearer acta_nonsense"})
    log = server.home / "logs" / "access.log"
    access = _eventually(lambda: (log.exists() and log.read_text()) or None)
    assert json.loads(access.splitlines()[-1])["status"] == 401
    assert "acta_nonsense" not in access


def test_a_token_that_is_revoked_while_the_body_comes_in_writes_nothing(server):
    developer = add_developer(server)
    body = json.dumps({"label": "made late"}).encode()
    headers = {"Authorization": f"Bearer {developer.token}"}
    head = f"POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {developer.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.encode() + body[:5])
        time.sleep(0.5)
        [token] = httpx.get(f"{server.url}/api/v1/tokens", headers=headers).json()
        assert httpx.delete(f"{server.url}/api/v1/tokens/{token['id']}", headers=headers).status_code == 204
        connection.sendall(body[5:])
        assert connection.recv(100).split()[1] == b"401"


def test_a_port_that_is_taken_is_one_line_and_status_3(server):
    command = [sys.executable, "-m", "registry.cli", "serve", "--port", str(server.port)]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1:{server.port}" in line


def _logged(server: ActaServer, request_id: str) -> dict[str, object] | None:
    lines = (server.directory / "log").read_text().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return next((line for line in found if line.get("request_id") == request_id), None)


def _eventually(look):
    """What `look` finds within 5 s: a line is written after its response was sent."""
    deadline = time.monotonic() + 5
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
