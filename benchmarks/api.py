"""Requests per second of Acta's API beside an MLflow server: reading one version, searching 100, creating one.

    uv run python -m benchmarks.api [--quick] [--json] [--database sqlite|postgresql|both] [--server granian|uvicorn]

Both servers run one process each, on the same kind of database with durable settings, on this machine, and are asked
in turns. A figure is the median of the rounds' ratios.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Figure, conclude
from benchmarks.load import Plan, Result, send
from benchmarks.servers import (
    Memory,
    MlflowServer,
    acta,
    largest_process,
    mlflow,
    mlflow_description,
    new_database,
    postgresql,
    uvicorn_instead,
)
from tests.acta_server import ActaServer, Developer, add_developer, add_model, free_port

DATABASES = ("sqlite", "postgresql")
OPERATIONS = ("read", "search", "create")
CONNECTIONS = (1, 8, 32)
STORED = 200
"""Versions of the model that is read and searched."""
READ_FROM, CREATED_IN = "read-from", "created-in"


@dataclass(frozen=True)
class Length:
    """How long the measurement is."""

    rounds: int
    seconds: float


FULL = Length(rounds=5, seconds=2.0)
QUICK = Length(rounds=3, seconds=0.7)


@dataclass(frozen=True)
class Contest:
    """Both servers' plans for each operation, on one database."""

    database: str
    acta: dict[str, Plan]
    mlflow: dict[str, Plan]


def acta_plans(server: ActaServer, developer: Developer) -> dict[str, Plan]:
    """What Acta is asked. Every request is authenticated and authorised; a creation writes the log and a job too."""
    facts = {
        "source_uri": "s3://models/credit/1",
        "content_digest": "ab" * 32,
        "framework": "sklearn",
        "description": "A version of a credit model.",
        "metrics": {"accuracy": "0.8213"},
        "parameters": {"seed": "7", "learning_rate": "0.1"},
    }
    read_from, created_in = f"/api/v1/models/{READ_FROM}/versions", f"/api/v1/models/{CREATED_IN}/versions"
    headers = {"Authorization": f"Bearer {developer.token}"}
    return {
        "read": Plan(server.port, "GET", f"{read_from}/7", 1, 1.0, headers=headers),
        "search": Plan(server.port, "GET", f"/api/v1/versions?model={READ_FROM}&limit=100", 1, 1.0, headers=headers),
        "create": Plan(server.port, "POST", created_in, 1, 1.0, headers=headers, body=json.dumps(facts)),
        "store": Plan(server.port, "POST", read_from, 1, 60.0, STORED, headers, json.dumps(facts)),
    }


def mlflow_plans(server: MlflowServer) -> dict[str, Plan]:
    """What the MLflow server is asked: the same, in its REST API."""
    base = "/api/2.0/mlflow/model-versions"
    facts = {
        "source": "s3://models/credit/1",
        "description": "A version of a credit model.",
        "tags": [
            {"key": "accuracy", "value": "0.8213"},
            {"key": "seed", "value": "7"},
            {"key": "learning_rate", "value": "0.1"},
        ],
    }
    read_from, created_in = (json.dumps(facts | {"name": name}) for name in (READ_FROM, CREATED_IN))
    search = f"{base}/search?filter=name%3D%27{READ_FROM}%27&max_results=100"
    return {
        "read": Plan(server.port, "GET", f"{base}/get?name={READ_FROM}&version=7", 1, 1.0),
        "search": Plan(server.port, "GET", search, 1, 1.0),
        "create": Plan(server.port, "POST", f"{base}/create", 1, 1.0, body=created_in),
        "store": Plan(server.port, "POST", f"{base}/create", 1, 60.0, STORED, body=read_from),
    }


def fill(contest: Contest) -> None:
    """Store the versions that are read and searched."""
    for plans in (contest.acta, contest.mlflow):
        stored = send(plans["store"])
        if stored.answered != STORED:
            raise RuntimeError(f"{stored.failed} of {STORED} versions could not be stored: {stored.first_failure}")


def register_models(peer: MlflowServer) -> None:
    """Make the peer's two models."""
    for name in (READ_FROM, CREATED_IN):
        body = json.dumps({"name": name})
        made = send(Plan(peer.port, "POST", "/api/2.0/mlflow/registered-models/create", 1, 60.0, 1, body=body))
        if made.answered != 1:
            raise RuntimeError(f"MLflow made no model {name}: {made.first_failure}")


def at(plan: Plan, connections: int, seconds: float) -> Plan:
    """The plan with another load."""
    return Plan(plan.port, plan.method, plan.path, connections, seconds, plan.most, plan.headers, plan.body)


def measure(contest: Contest, length: Length) -> list[Figure]:
    """Ask both in turns; ratios of their rates."""
    figures = []
    for operation in OPERATIONS:
        for connections in CONNECTIONS:
            ours, theirs = contest.acta[operation], contest.mlflow[operation]
            for plan in (ours, theirs):
                send(at(plan, connections, 0.3))
            rounds = []
            for number in range(length.rounds):
                mine = send(at(ours, connections, length.seconds))
                peer = send(at(theirs, connections, length.seconds))
                rounds.append(mine.rate / peer.rate)
                say(f"{contest.database} {operation} {connections} round {number + 1}: {shown(mine)} | {shown(peer)}")
            figures.append(Figure(f"api-{contest.database}-{operation}-{connections}", "x", rounds))
    return figures


def shown(result: Result) -> str:
    """One round of one server."""
    failed = f", {result.failed} failed: {result.first_failure.splitlines()[0]}" if result.failed else ""
    return f"{result.rate:.0f}/s, median {result.median_ms:.2f} ms, p99 {result.p99_ms:.2f} ms{failed}"


def say(line: str) -> None:
    """What is not a figure goes to standard error."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def contest_on(database: str, http_server: str) -> Iterator[tuple[Contest, ActaServer]]:
    """Both servers on a database, filled."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acta-bench-")))
        if database == "sqlite":
            ours, theirs = f"sqlite:///{directory / 'acta.db'}", f"sqlite:///{directory / 'mlflow.db'}"
        else:
            cluster = stack.enter_context(postgresql())
            ours, theirs = new_database(cluster, "acta"), new_database(cluster, "mlflow")
        server = stack.enter_context(acta(directory / "acta", ours))
        developer = add_developer(server)
        for name in (READ_FROM, CREATED_IN):
            add_model(server, developer, name)
        if http_server == "uvicorn":
            server = stack.enter_context(uvicorn_instead(server))
        peer = stack.enter_context(mlflow(directory / "mlflow", theirs))
        say(mlflow_description(database))
        register_models(peer)
        contest = Contest(database, acta_plans(server, developer), mlflow_plans(peer))
        fill(contest)
        yield contest, server


def say_how_quick_the_generator_is() -> None:
    """The generator against a server that does nothing: what it could measure at most."""
    port = free_port()
    trivial = subprocess.Popen([sys.executable, "-m", "benchmarks.load", "trivial", str(port)])
    try:
        time.sleep(1.5)
        rates = [send(Plan(port, "GET", "/", connections, 1.0, 200_000)).rate for connections in CONNECTIONS]
    finally:
        trivial.kill()
        trivial.wait()
    at_most = ", ".join(f"{rate:.0f}/s at {number}" for rate, number in zip(rates, CONNECTIONS, strict=True))
    say(f"generator against a trivial server: {at_most} connections")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three short rounds instead of five")
    parser.add_argument("--json", action="store_true", help="one JSON object with the raw rounds")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--server", choices=["granian", "uvicorn"], default="granian")
    chosen = parser.parse_args(arguments)
    length = QUICK if chosen.quick else FULL
    say(f"Acta served by {chosen.server} {version(chosen.server)}, one process; {length.rounds} rounds, in turns")
    say_how_quick_the_generator_is()
    figures: list[Figure] = []
    used: list[Memory] = []
    for database in DATABASES:
        if chosen.database not in {database, "both"}:
            names = [f"api-{database}-{operation}-{number}" for operation in OPERATIONS for number in CONNECTIONS]
            figures += [Figure(name, "x") for name in names]
            continue
        with contest_on(database, chosen.server) as (contest, server):
            figures += measure(contest, length)
            assert server.process is not None
            used.append(largest_process(server.process.pid))
            say(f"{database}: worker process holds {used[-1].rss:.0f} MB RSS, {used[-1].pss:.0f} MB PSS")
    figures.append(Figure("api-worker-memory", "MB", [memory.rss for memory in used]))
    conclude(figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
