"""Rules about all files."""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.system_tools import require_tool

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("registry", "audit", "fairness", "reports")
LONGEST = 400
"""Lines of a Python file: past that, look for a seam."""


def python_files() -> list[Path]:
    """Every Python file of the project, those not yet committed too."""
    listed = subprocess.run(
        [require_tool("git"), "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip(f"git is missing here: {ROOT} is no git checkout; clone the repository to check its files")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    return [file for file in files if file.exists()]


def test_no_file_is_longer_than_one_can_read():
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in python_files()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_names_of_files_say_what_is_in_them():
    refused = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"}
    assert [str(file.relative_to(ROOT)) for file in python_files() if file.stem in refused] == []


def test_every_module_says_what_it_is_for():
    modules = [file for file in python_files() if file.relative_to(ROOT).parts[0] in PACKAGES]
    assert modules
    undocumented = [file for file in modules if not ast.get_docstring(ast.parse(file.read_text()))]
    assert [str(file.relative_to(ROOT)) for file in undocumented] == []


def test_every_suppression_gives_its_reason():
    markers = ("# type: " + "ignore", "# no" + "qa")
    unexplained = []
    for file in python_files():
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            for marker in markers:
                # The rule in brackets or after a colon is the first word; a reason takes a few more.
                if marker in line and len(line.split(marker, 1)[1].split()) < 4:
                    unexplained.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert unexplained == []


def test_no_test_is_skipped_by_decree():
    marks = ("mark." + "skip", "mark." + "xfail", "importor" + "skip")
    tests = [file for file in python_files() if file.relative_to(ROOT).parts[0] == "tests"]
    assert [str(file.relative_to(ROOT)) for file in tests if any(mark in file.read_text() for mark in marks)] == []
