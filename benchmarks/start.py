"""How long Acta takes to start: `acta --help`, `acta serve` until ready, and `acta demo` step by step.

    uv run python -m benchmarks.start [--rounds 5] [--no-demo] [--json]

Each is a new process, as a user starts it; memory is the largest resident set that each process of the tour reached.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, conclude
from registry.database import upgrade
from tests.acta_server import ActaServer, descendants, user_environment

ACTA = [sys.executable, "-m", "registry.cli"]
STEP = re.compile(r"(\d+) of \d+  (.+?) ─+$")
SAMPLE_SECONDS = 0.2


def help_seconds() -> float:
    """`acta --help`, from start to exit."""
    started = time.perf_counter()
    subprocess.run([*ACTA, "--help"], check=True, stdout=subprocess.DEVNULL, env=user_environment())
    return time.perf_counter() - started


def serve_seconds(rounds: int) -> tuple[list[float], list[float]]:
    """`acta serve` until /health/ready says so: the first start, which makes the keys, and later ones."""
    first: list[float] = []
    later: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="acta-start-") as directory:
            url = f"sqlite:///{directory}/acta.db"
            upgrade(url)
            server = ActaServer(Path(directory) / "server", url)
            for found in (first, later):
                started = time.perf_counter()
                server.start()
                found.append(time.perf_counter() - started)
                server.kill()
    return first, later


@dataclass(frozen=True)
class Tour:
    """One run of `acta demo`."""

    seconds: float
    steps: Mapping[str, float]
    """Seconds by step, in order."""
    peaks: Mapping[str, float]
    """Peak resident set of each process in mebibytes, by what it runs."""


def tour() -> Tour:
    """Run `acta demo` in a fresh directory.

    Raises:
        RuntimeError: it did not hold, or did not run.
    """
    peaks: dict[int, tuple[str, float]] = {}
    began: list[tuple[str, float]] = []
    output: list[str] = []
    with tempfile.TemporaryDirectory(prefix="acta-start-") as directory:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*ACTA, "demo", "--directory", f"{directory}/acta-demo"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=user_environment(),
        )
        watch = threading.Thread(target=_watch, args=(process, peaks))
        watch.start()
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            step = STEP.match(line.strip())
            if step is not None:
                began.append((f"{step[1]} {step[2]}", time.perf_counter()))
        status = process.wait()
        ended = time.perf_counter()
        watch.join()
    if status != 0:
        raise RuntimeError(f"acta demo ended with status {status}:\n{''.join(output[-30:])}")
    ends = [at for _, at in began[1:]] + [ended]
    steps = {title: end - at for (title, at), end in zip(began, ends, strict=True)}
    by_name: dict[str, float] = {}
    for name, peak in peaks.values():
        by_name[name] = max(peak, by_name.get(name, 0.0))
    return Tour(ended - started, steps, by_name)


def _watch(process: "subprocess.Popen[str]", peaks: dict[int, tuple[str, float]]) -> None:
    while process.poll() is None:
        for pid in [process.pid, *descendants(process.pid)]:
            try:
                name = _command(pid)
                peaks[pid] = (name, _peak(pid))
            except (OSError, KeyError):
                # It ended between the listing and the reading.
                continue
        time.sleep(SAMPLE_SECONDS)


def _command(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    known = ("demo", "serve", "worker", "granian", "spawn_main", "resource_tracker")
    return next((name for name in known if any(name in word for word in words)), words[0].rsplit("/", 1)[-1])


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
    return int(fields["VmHWM"].split()[0]) / 1024


def say(line: str) -> None:
    """What is not a figure goes to standard error."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-demo", action="store_true", help="leave the tour out")
    parser.add_argument("--json", action="store_true", help="one JSON object with the raw rounds")
    chosen = parser.parse_args(arguments)
    helped = [help_seconds() for _ in range(chosen.rounds)]
    say("acta --help: " + ", ".join(f"{seconds:.2f} s" for seconds in helped))
    first, later = serve_seconds(chosen.rounds)
    say("acta serve until ready, first start: " + ", ".join(f"{seconds:.2f} s" for seconds in first))
    say("acta serve until ready, later: " + ", ".join(f"{seconds:.2f} s" for seconds in later))
    tours = [] if chosen.no_demo else [tour()]
    figures = [
        Figure("start-help", "s", helped),
        Figure("start-serve-first", "s", first),
        Figure("start-serve", "s", later),
        Figure("start-demo", "s", [one.seconds for one in tours]),
        Figure("start-demo-memory", "MiB", [max(one.peaks.values()) for one in tours]),
    ]
    for one in tours:
        for title, seconds in one.steps.items():
            say(f"step {title}: {seconds:.1f} s")
            figures.append(Figure(f"start-demo-step-{title.split()[0]}", "s", [seconds]))
        for name, peak in one.peaks.items():
            say(f"peak of {name}: {peak:.0f} MiB")
    conclude(figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
