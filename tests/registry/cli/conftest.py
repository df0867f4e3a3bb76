"""Runs commands as their users do, in this process."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.cli import main
from tests.registry.live_server import server

__all__ = ["run", "server"]

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `acta`, from its entry point on, with only ACTA_URL and ACTA_TOKEN in the environment."""

    def run(*words: str, token: str | None = "acta_nothing", url: str = NOWHERE, home: Path | None = None) -> Done:
        for name in [name for name in os.environ if name.startswith(("ACTA_", "MLFLOW_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("ACTA_URL", url)
        if home is not None:
            monkeypatch.setenv("ACTA_HOME", str(home))
        if token is not None:
            monkeypatch.setenv("ACTA_TOKEN", token)
        monkeypatch.setattr(sys, "argv", ["acta", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Done(int(left.value.code or 0), said.out, said.err)

    return run
