"""A run as a whole fails for what no single test can see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ONE_SIDED = """
import pytest

@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request):
    request.node.user_properties.append(("database", request.param))
    return request.param

def test_both(database_kind):
    pass

@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_one(database_kind):
    pass
"""

LACKING = """
from tests.system_tools import TOOLS, Tool, require_tool

TOOLS["nonesuch"] = Tool(("acta-nonesuch",), "apt-get install nonesuch")

def test_with_a_tool():
    require_tool("nonesuch")
"""


# No other plugins: they would take seconds to load.
PYTEST = [sys.executable, "-m", "pytest", "-p", "tests.run_summary", "-p", "no:cacheprovider"]


def run(directory: Path, code: str, *arguments: str, in_ci: bool = False) -> subprocess.CompletedProcess[str]:
    (directory / "tests").mkdir()
    (directory / "tests" / "test_it.py").write_text(code)
    (directory / "pytest.ini").write_text("[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CI"))}
    environment |= {"PYTHONPATH": str(ROOT), "CI": "true" if in_ci else "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*PYTEST, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("arguments", [[], ["-p", "xdist", "-n", "2"]], ids=["one process", "two processes"])
def test_a_rule_checked_on_one_database_only_fails_a_whole_run(tmp_path, arguments):
    completed = run(tmp_path, ONE_SIDED, *arguments)
    assert "3 passed" in completed.stdout
    assert "2 tests passed on SQLite and 1 on PostgreSQL" in completed.stdout
    assert completed.returncode == 1


def test_part_of_a_run_may_be_one_sided(tmp_path):
    completed = run(tmp_path, ONE_SIDED, "-k", "test_one")
    assert "1 passed" in completed.stdout
    assert completed.returncode == 0


def test_a_machine_without_a_tool_is_told_how_to_get_it(tmp_path):
    completed = run(tmp_path, LACKING, "tests/test_it.py")
    assert completed.stdout.splitlines()[-2] == "1 test: nonesuch is missing here: apt-get install nonesuch"
    assert completed.returncode == 0


def test_a_missing_tool_fails_in_ci(tmp_path):
    completed = run(tmp_path, LACKING, "tests/test_it.py", in_ci=True)
    assert "1 failed" in completed.stdout
    assert completed.returncode == 1


def test_any_skip_fails_in_ci(tmp_path):
    code = "import pytest\n\ndef test_skipped():\n    pytest.skip('not today')\n\ndef test_passes():\n    pass\n"
    completed = run(tmp_path, code, "tests/test_it.py", in_ci=True)
    assert "FAILED: 1 skipped: in CI every test runs." in completed.stdout
    assert completed.returncode == 1
