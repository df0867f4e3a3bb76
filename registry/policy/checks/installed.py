"""The checks that are installed: Acta's own and those of other packages, by the entry point group `acta.checks`.

Their classes are imported once for each process, by `load_checks`: later a gate touches no file for them.
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TypeGuard

import msgspec

from registry.errors import UnavailableError
from registry.policy.checks.facts import CheckFacts
from registry.policy.checks.protocol import Check, Reads

GROUP = "acta.checks"
OWN_DISTRIBUTION = "acta-registry"

ParameterValue = str | int | list[str]
"""What a policy may give as a parameter."""


class CheckInstallationError(UnavailableError):
    """An installed package registers something that is no check."""

    def __init__(self, entry: EntryPoint, problem: str) -> None:
        distribution = entry.dist.name if entry.dist else "an unknown package"
        super().__init__(
            f"The entry point {entry.name} of {distribution} ({entry.value}) is no check: {problem}.",
            "Correct the package, or uninstall it.",
        )


@dataclass(frozen=True)
class InstalledCheck:
    """A kind of check, and the package that brought it."""

    kind: type[Check]
    distribution: str

    @property
    def is_own(self) -> bool:
        """Whether it is one of Acta's."""
        return self.distribution == OWN_DISTRIBUTION


def load_checks() -> Mapping[str, InstalledCheck]:
    """All installed checks by name; found once for each process.

    Raises:
        CheckInstallationError: a package registers something that is no check, or a name that is taken.
    """
    with _LOADING:
        if not _LOADED:
            _LOADED.append(MappingProxyType(_found()))
        return _LOADED[0]


def forget_checks() -> None:
    """Have the next `load_checks` look again, after a package was installed."""
    with _LOADING:
        _LOADED.clear()


_LOADED: list[Mapping[str, InstalledCheck]] = []
_LOADING = threading.Lock()


def _found() -> dict[str, InstalledCheck]:
    found: dict[str, InstalledCheck] = {}
    entries = entry_points(group=GROUP)
    for entry in sorted(entries, key=lambda entry: (_distribution(entry) != OWN_DISTRIBUTION, entry.name, entry.value)):
        kind = _checked(entry)
        installed = InstalledCheck(kind, _distribution(entry))
        taken = found.get(kind.name)
        if taken is not None and taken != installed:
            raise CheckInstallationError(entry, f"{taken.distribution} has a check named {kind.name} already")
        found[kind.name] = installed
    return found


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else ""


def _checked(entry: EntryPoint) -> type[Check]:
    try:
        kind = entry.load()
    except Exception as error:
        raise CheckInstallationError(entry, f"it cannot be imported ({type(error).__name__}: {error})") from error
    if not _is_check(kind):
        raise CheckInstallationError(
            entry, "a check is a frozen msgspec.Struct with name, version, reads, inputs and examine"
        )
    if kind.name != entry.name:
        raise CheckInstallationError(entry, f"it calls itself {kind.name!r}")
    if not (kind.__doc__ or "").strip():
        raise CheckInstallationError(entry, "it has no docstring, which people read")
    return kind


def _is_check(kind: object) -> TypeGuard[type[Check]]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen):
        return False
    reads = getattr(kind, "reads", None)
    return (
        isinstance(getattr(kind, "name", None), str)
        and isinstance(getattr(kind, "version", None), int)
        and isinstance(reads, frozenset)
        and all(isinstance(one, Reads) for one in reads)
        and callable(getattr(kind, "inputs", None))
        and callable(getattr(kind, "examine", None))
    )


def bind(name: str, parameters: Mapping[str, ParameterValue]) -> Check:
    """A check with the parameters that a policy sets.

    Raises:
        KeyError: no check has that name.
        msgspec.ValidationError: a parameter that it does not take.
    """
    check: Check = msgspec.convert(parameters, load_checks()[name].kind)
    return check


def runs_apart(check: Check) -> bool:
    """Whether it runs in a process of its own: it reads files, or came with another package."""
    return bool(check.reads) or not load_checks()[check.name].is_own


def inputs_digest(check: Check, facts: CheckFacts, now: datetime) -> bytes:
    """SHA-256 over the check, its version, its parameters and its inputs: equal as long as a result is not stale.

    Of a check of another package the inputs are all facts: its code does not run where a gate is evaluated.
    """
    installed = load_checks().get(check.name)
    own = installed is None or installed.is_own
    inputs = check.inputs(facts, now) if own else facts
    # A check is encoded as the object of its parameters; sets in order, which differs from process to process.
    named = [check.name, check.version, check, inputs]
    return hashlib.sha256(msgspec.json.encode(named, order="deterministic")).digest()
