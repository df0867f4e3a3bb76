"""What lies on the stack of a pickle that is followed and not loaded."""

from dataclasses import dataclass, field

from registry.policy.checks.scanning.report import BrokenPickleError


class Mark:
    """Where a list of things on the stack begins."""


MARK = Mark()


@dataclass(frozen=True)
class Named:
    """A function or class that would be imported."""

    name: str


@dataclass
class Made:
    """What a call of something imported would give."""

    by: str
    arguments: object
    state: object = None


@dataclass
class Pairs:
    """A dictionary, whose keys need not be hashable here."""

    items: list[tuple[object, object]] = field(default_factory=list)


class Other:
    """A value whose content is of no interest: a number, bytes, a set."""


OTHER = Other()


def divided(argument: object) -> tuple[str, str]:
    """Module and name of GLOBAL and INST: pickletools gives both lines with a space between them.

    Raises:
        BrokenPickleError: it is no such pair.
    """
    module, space, name = str(argument).partition(" ")
    if not space or " " in name:
        raise BrokenPickleError(f"it names {argument!r}")
    return module, name


def paired(values: list[object]) -> list[tuple[object, object]]:
    """Keys and values that follow each other.

    Raises:
        BrokenPickleError: a key has no value.
    """
    if len(values) % 2:
        raise BrokenPickleError("it has a key without a value")
    return list(zip(values[::2], values[1::2], strict=True))
