"""What may not be loaded where answering quickly matters."""

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "duckdb",
    "fairlearn",
    "litestar",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow",
    "pyhanko",
    "rich",
    "sklearn",
    "sqlalchemy",
    "weasyprint",
}
NEVER_IN_REQUESTS = HEAVY - {"alembic", "litestar", "sqlalchemy"}


def loaded(program: str) -> set[str]:
    ends = "; import sys; print('loaded', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program + ends], capture_output=True, text=True, check=True)
    return set(done.stderr.rpartition("loaded")[2].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(words):
    program = f"from click.testing import CliRunner; from registry.cli import acta; CliRunner().invoke(acta, {words})"
    assert loaded(program) & HEAVY == set()


def test_request_workers_load_no_heavy_library():
    assert loaded("import registry.app") & NEVER_IN_REQUESTS == set()
