"""Which packages an artifact's environment pins: requirements, uv's lock, conda's and MLflow's environment files."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LARGEST_LOCK_BYTES = 64 * 2**20
_CONDA = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*={1,2}\s*(?P<version>[^=\s]+)(?:=.*)?")


class LockError(Exception):
    """A file of the environment cannot be read."""


@dataclass
class Pinned:
    """The versions that are pinned, by canonical name, and what is named without one."""

    versions: dict[str, set[Version]] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def pin(self, name: str, version: str) -> None:
        """Keep an exact version, or that the text is none."""
        try:
            self.versions.setdefault(canonicalize_name(name), set()).add(Version(version))
        except InvalidVersion:
            self.loose.append(f"{name} {version}")


def lock_files(folder: Path) -> dict[str, Path]:
    """The environment files of an artifact, at any depth, by their paths below its folder."""
    files = (file for file in sorted(folder.rglob("*")) if file.name in _READERS and file.is_file())
    return {str(file.relative_to(folder)): file for file in files}


def read_locks(files: Mapping[str, Path]) -> Pinned:
    """What environment files pin, all together. `files`: by name, which says how each is read.

    Raises:
        LockError: one of them cannot be read.
    """
    pinned = Pinned()
    for name, file in files.items():
        if file.stat().st_size > LARGEST_LOCK_BYTES:
            raise LockError(f"{name} has more than {LARGEST_LOCK_BYTES:,} bytes")
        try:
            text = file.read_text(encoding="utf-8")
            _reader_of(name, text)(text, pinned)
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise LockError(f"{name} cannot be read: {error}") from error
        pinned.files.append(name)
    return pinned


def _reader_of(name: str, text: str) -> Callable[[str, Pinned], None]:
    """By the whole name, else by its suffix; poetry.lock and pdm.lock list their packages as uv.lock does."""
    file = name.rpartition("/")[2]
    if file in _READERS:
        return _READERS[file]
    if file.endswith((".yaml", ".yml")):
        return _read_conda
    return _read_uv_lock if re.search(r"^\[\[package\]\]", text, re.MULTILINE) else _read_requirements


def _read_requirements(text: str, pinned: Pinned) -> None:
    """Requirements as pip reads them (PEP 508); options, other files and addresses pin nothing."""
    for line in _logical_lines(text):
        _read_requirement(line, pinned)


def _read_requirement(line: str, pinned: Pinned) -> None:
    stated = re.split(r"\s--", line, maxsplit=1)[0].strip()
    if stated.startswith("-"):
        # The file itself is read as well where it belongs to the artifact.
        if stated.split()[0] in {"-r", "--requirement", "-c", "--constraint"} and stated.split()[-1] in _READERS:
            return
        if stated.startswith(("-r", "-e", "--requirement", "--editable")):
            pinned.loose.append(stated)
        return
    try:
        requirement = Requirement(stated)
    except InvalidRequirement:
        pinned.loose.append(stated)
        return
    # A requirement of another platform counts all the same: nobody knows where the model will serve.
    exact = [one.version for one in requirement.specifier if one.operator in ("==", "===") and "*" not in one.version]
    if len(exact) == 1 and requirement.url is None:
        pinned.pin(requirement.name, exact[0])
    else:
        pinned.loose.append(str(requirement))


def _logical_lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stated = re.sub(r"(^|\s)#.*$", "", line).strip()
        if stated:
            yield stated


class _LockedPackage(msgspec.Struct):
    name: str
    version: str | None = None
    source: dict[str, str | bool | None] = {}


class _UvLock(msgspec.Struct):
    package: list[_LockedPackage] = []


def _read_uv_lock(text: str, pinned: Pinned) -> None:
    for package in msgspec.convert(tomllib.loads(text), _UvLock, strict=False).package:
        if {"editable", "virtual"} & package.source.keys():
            continue
        if package.version is None:
            pinned.loose.append(package.name)
        else:
            pinned.pin(package.name, package.version)


class _Environment(msgspec.Struct):
    dependencies: list[str | dict[str, list[str]]] = []
    build_dependencies: list[str] = []


def _read_conda(text: str, pinned: Pinned) -> None:
    """conda.yaml: what pip installs is on PyPI; conda's own packages mostly bear the same names, and count as such."""
    for dependency in _environment(text).dependencies:
        if isinstance(dependency, dict):
            for line in dependency.get("pip", []):
                _read_requirement(line, pinned)
            continue
        stated = dependency.rpartition("::")[2].strip()
        found = _CONDA.fullmatch(stated)
        if found is not None:
            if canonicalize_name(found["name"]) != "python":
                pinned.pin(found["name"], found["version"])
        elif canonicalize_name(re.split(r"[\s<>=!~]", stated)[0]) not in {"python", "pip"}:
            pinned.loose.append(stated)


def _read_python_environment(text: str, pinned: Pinned) -> None:
    """MLflow's python_env.yaml: tools that build the environment, and a reference to requirements.txt."""
    environment = _environment(text)
    for line in (*environment.build_dependencies, *environment.dependencies):
        if isinstance(line, str) and canonicalize_name(line) not in {"pip", "setuptools", "wheel"}:
            _read_requirement(line, pinned)


def _environment(text: str) -> _Environment:
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader) or {}, _Environment)


_READERS: Mapping[str, Callable[[str, Pinned], None]] = {
    "requirements.txt": _read_requirements,
    "uv.lock": _read_uv_lock,
    "conda.yaml": _read_conda,
    "python_env.yaml": _read_python_environment,
}
