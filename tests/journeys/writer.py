"""A client that writes until its server dies, and keeps what it asked for and what was acknowledged.

python -m tests.journeys.writer URL TOKEN MODEL NAME RECORD

RECORD gets one JSON line before each request and one after each answer, so the last line of a writer whose server
died is the request that nobody answered.
"""

import http.client
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

LINEAGE = [
    {"kind": "dataset", "role": "training", "name": "training.parquet", "digest": "4e" * 32},
    {"kind": "dataset", "role": "test", "name": "holdout.parquet", "digest": "7e" * 32},
    {"kind": "code", "name": "risk/credit", "identifier": "6f2c1e9"},
]


@dataclass(frozen=True)
class Step:
    """One request: the registration of the version that `run_id` marks, or a tag on it."""

    kind: str
    run_id: str
    method: str
    path: str
    body: dict[str, object]

    def send(self, connection: http.client.HTTPConnection, token: str) -> dict[str, object]:
        """Send it under its own idempotency key; the answer.

        Raises:
            OSError, http.client.HTTPException: no answer came.
            AssertionError: the server answered with an error.
        """
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self.kind} {self.run_id}",
        }
        connection.request(self.method, self.path, json.dumps(self.body), headers)
        response = connection.getresponse()
        content = response.read()
        assert response.status in {200, 201}, (response.status, content)
        answer: dict[str, object] = json.loads(content)
        return answer


def registration(model: str, run_id: str) -> Step:
    """Register the version that `run_id` marks."""
    facts: dict[str, object] = {
        "source_uri": f"file:///models/{model}/{run_id}",
        "content_digest": "ab" * 32,
        "framework": "sklearn",
        "run_id": run_id,
        "metrics": {"accuracy": "0.8213"},
        "lineage": LINEAGE,
    }
    return Step("version", run_id, "POST", f"/api/v1/models/{model}/versions", facts)


def tag(model: str, run_id: str, number: object) -> Step:
    """Put the tag `run` on it."""
    path = f"/api/v1/models/{model}/versions/{number}/tags/run"
    return Step("tag", run_id, "PUT", path, {"value": run_id})


@dataclass(frozen=True)
class Record:
    """What one writer asked for, in order, and which of it was acknowledged."""

    asked: list[Step]
    acknowledged: list[dict[str, object]]

    @property
    def unanswered(self) -> Step | None:
        """The request that was in flight when the server died."""
        return self.asked[-1] if len(self.asked) > len(self.acknowledged) else None


def read_record(path: Path) -> Record:
    """What a writer kept."""
    asked: list[Step] = []
    acknowledged: list[dict[str, object]] = []
    for line in path.read_text().splitlines():
        kind, content = json.loads(line)
        if kind == "asked":
            asked.append(Step(**content))
        else:
            acknowledged.append(content)
    return Record(asked, acknowledged)


def _steps(model: str, name: str, answers: list[dict[str, object]]) -> Iterator[Step]:
    number = 0
    while True:
        number += 1
        run_id = f"{name}-{number}"
        yield registration(model, run_id)
        yield tag(model, run_id, answers[-1]["number"])


def write(url: str, token: str, model: str, name: str, record: Path) -> None:
    """Register and tag versions until no answer comes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    answers: list[dict[str, object]] = []
    with record.open("w", buffering=1) as kept:
        for step in _steps(model, name, answers):
            print(json.dumps(["asked", asdict(step)]), file=kept)
            try:
                answers.append(step.send(connection, token))
            except (OSError, http.client.HTTPException):
                return
            print(json.dumps(["acknowledged", answers[-1]]), file=kept)


if __name__ == "__main__":
    _, server_url, secret, model_name, own_name, record_path = sys.argv
    write(server_url, secret, model_name, own_name, Path(record_path))
