"""One distribution, complete wherever it is installed, whose import names nobody else owns."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distributions as distributions_of_the_environment
from pathlib import Path

import pytest

from registry import resources
from tests.system_tools import require_tool

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("registry", "audit", "fairness", "reports")

LOCATE = """
import json
from registry import resources
print(json.dumps({
    "module": resources.__file__,
    "templates": str(resources.templates_directory()),
    "static": str(resources.static_directory()),
    "fonts": str(resources.fonts_directory()),
    "migrations": str(resources.migrations_directory()),
    "policy": str(resources.default_policy_path()),
}))
"""


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    completed = subprocess.run(command, cwd=cwd, env=kept | environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def located(python: Path, cwd: Path, **environment: str) -> dict[str, Path]:
    """Where that interpreter finds the files, after a check that they are there."""
    paths = {name: Path(path) for name, path in json.loads(run(python, "-c", LOCATE, cwd=cwd, **environment)).items()}
    assert (paths["static"]).is_dir()
    assert list(paths["fonts"].glob("*.woff2"))
    assert (paths["migrations"] / "env.py").is_file()
    assert list((paths["migrations"] / "versions").glob("*.py"))
    assert paths["policy"].is_file()
    assert list(paths["policy"].with_name("default-cases").glob("*.yaml"))
    return paths


@pytest.fixture(scope="module")
def uv() -> str:
    return require_tool("uv")


@pytest.fixture(scope="module")
def distributions(uv, tmp_path_factory) -> Path:
    """A directory with the source distribution, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    run(uv, "build", "--quiet", "--out-dir", directory)
    return directory


@pytest.fixture(scope="module")
def wheel(distributions) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture
def empty_environment(uv, tmp_path) -> Path:
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    return tmp_path / "venv" / "bin" / "python"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_dependency_owns_one_of_our_import_names(package):
    owners = {
        distribution.name
        for distribution in distributions_of_the_environment()
        if any(file.parts[0] in (package, f"{package}.py") for file in distribution.files or [])
    }
    assert owners <= {"acta-registry"}


def test_the_lock_file_names_the_public_index_only():
    lock = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r'registry = "([^"]+)"', lock)) == {"https://pypi.org/simple"}
    assert set(re.findall(r'url = "https://([^/"]+)/', lock)) == {"files.pythonhosted.org"}


def test_a_checkout_is_complete(tmp_path):
    paths = located(Path(sys.executable), tmp_path, PYTHONPATH=str(ROOT))
    assert paths["templates"] == ROOT / "templates"
    assert paths["migrations"] == ROOT / "migrations"


def test_an_editable_install_is_complete(uv, empty_environment, tmp_path):
    run(uv, "pip", "install", "--quiet", "--no-deps", "--python", empty_environment, "--editable", ROOT)
    paths = located(empty_environment, tmp_path)
    assert paths["templates"] == ROOT / "templates"


def test_an_installed_wheel_is_complete(uv, wheel, empty_environment, tmp_path):
    run(uv, "pip", "install", "--quiet", "--no-deps", "--python", empty_environment, wheel)
    paths = located(empty_environment, tmp_path)
    installed = paths["module"].parent
    assert tmp_path in installed.parents
    assert all(installed in path.parents for path in paths.values())


def test_a_wheel_carries_every_file_of_the_packages_and_nothing_else(wheel):
    tracked = run(require_tool("git"), "ls-files", *PACKAGES, "templates", "migrations").splitlines()
    expected = {re.sub(r"^(templates|migrations)/", r"registry/_data/\1/", name) for name in tracked}
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert expected - carried == set()
    assert {name.split("/")[0] for name in carried} == set(PACKAGES)


def test_a_source_distribution_holds_licence_tests_and_lock_file(distributions):
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"LICENSE", "README.md", "uv.lock", "tests/conftest.py", "migrations/env.py"} <= names


def test_an_incomplete_installation_says_what_to_do(tmp_path):
    (tmp_path / "registry").mkdir()
    for name in ("__init__.py", "errors.py", "resources.py"):
        shutil.copy(ROOT / "registry" / name, tmp_path / "registry" / name)
    code = "from registry import resources\ntry:\n resources.templates_directory()\nexcept Exception as e:\n print(e)"
    said = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert "'templates' is missing" in said
    assert "Install acta-registry again" in said


def test_the_default_policy_lies_inside_its_package():
    assert resources.default_policy_path().parent == ROOT / "registry" / "policy"
