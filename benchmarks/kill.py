"""Kill the server with SIGKILL in the middle of a stream of writes, many times, and count what is there afterwards.

    uv run python -m benchmarks.kill [--rounds 20] [--json] [--database sqlite|postgresql|both]

Four processes register versions and tag them through a server of two processes and a job worker. Every round kills
all processes of the server at a moment that depends on nothing, counts in the database what was acknowledged, starts
the server again, repeats the requests that nobody answered under their idempotency keys, and verifies the log.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Figure, conclude
from benchmarks.servers import new_database, postgresql
from registry.database import upgrade
from tests.acta_server import ActaServer, add_developer, add_model
from tests.journeys.crash import MODEL, SERVER_PROCESSES, Crash, crash

DATABASES = ("sqlite", "postgresql")


def crashes(database: str, rounds: int) -> list[Crash]:
    """Rounds on one installation: the log grows from each to the next."""
    found: list[Crash] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acta-kill-")))
        url = f"sqlite:///{directory / 'acta.db'}"
        if database == "postgresql":
            url = new_database(stack.enter_context(postgresql()), "acta")
        upgrade(url)
        server = ActaServer(directory / "server", url)
        server.start(f"--workers={SERVER_PROCESSES}")
        try:
            developer = add_developer(server)
            add_model(server, developer, MODEL)
            for number in range(1, rounds + 1):
                found.append(crash(server, developer.token, directory / "records", f"round-{number}"))
                say(f"{database} round {number}: {shown(found[-1])}")
        finally:
            server.kill()
    return found


def shown(crashed: Crash) -> str:
    """One round."""
    text = (
        f"{crashed.processes} processes killed; acknowledged {crashed.acknowledged}, found {crashed.found}, "
        f"in the log {crashed.in_log}; in flight {crashed.unanswered}, of these done {crashed.unanswered_done}, "
        f"repeated wrongly {crashed.repeated_wrongly}; half written {len(crashed.half_written)}; "
        f"{crashed.entries} entries, {len(crashed.log_problems)} problems"
    )
    return "; ".join([text, *crashed.half_written, *crashed.log_problems])


def say(line: str) -> None:
    """What is not a figure goes to standard error."""
    print(line, file=sys.stderr, flush=True)


def figures_of(database: str, found: Sequence[Crash]) -> list[Figure]:
    """Sums over all rounds; nothing where the database was not tried."""
    sums = {
        "acknowledged": sum(one.acknowledged for one in found),
        "found": sum(one.found for one in found),
        "in-log": sum(one.in_log for one in found),
        "in-flight": sum(one.unanswered for one in found),
        "in-flight-done": sum(one.unanswered_done for one in found),
        "half-written": sum(len(one.half_written) for one in found),
        "repeated-wrongly": sum(one.repeated_wrongly for one in found),
        "log-problems": sum(len(one.log_problems) for one in found),
    }
    return [Figure(f"kill-{database}-{name}", "requests", [value] if found else []) for name, value in sums.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, count and print. Exit status 1 where anything was lost, halved or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    chosen = parser.parse_args(arguments)
    found = {
        database: crashes(database, chosen.rounds) if chosen.database in {database, "both"} else []
        for database in DATABASES
    }
    conclude([figure for name, rounds in found.items() for figure in figures_of(name, rounds)], as_json=chosen.json)
    if not all(one.is_sound for rounds in found.values() for one in rounds):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
