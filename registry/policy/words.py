"""What all parts of a policy are written in: identifiers, texts, and the rules that they share. No I/O."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from registry.policy.errors import PolicyError

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


def check_known(path: str, name: str, names: Iterable[str]) -> None:
    """Refuse a reference to nothing.

    Raises:
        PolicyError: naming the path, and what there is.
    """
    known = list(names)
    if name not in known:
        raise PolicyError(path, f"there is no {name!r}.", f"It is one of {', '.join(known)}.")


def check_unique(path: str, names: list[str]) -> None:
    """Refuse names that stand there twice.

    Raises:
        PolicyError: naming the path.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PolicyError(path, f"{', '.join(twice)} stands there twice.", "Keep one of them.")
