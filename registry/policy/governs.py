"""Which models a policy governs: patterns of names, and teams. No I/O.

A model is governed by the policy whose pattern says most about its name: one without wildcards before all others, else
the one with the most characters that are no wildcard; of equal ones, a policy that names teams before one for all.
Names are compared as `registry.names.name_key` folds them, so that no spelling of a name escapes its policy.
"""

from typing import Annotated

import msgspec

from registry.errors import InvalidInputError
from registry.names import checked_name, name_key
from registry.policy.errors import PolicyError

WILDCARDS = "*?"

Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
Rank = tuple[bool, int, bool]
"""How much a policy says about a model: exact name, characters that are no wildcard, teams named."""
Letters = tuple[str | None, ...]
"""A folded name or pattern: characters, None for any one character, an empty text for any number of them."""


class Governs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models that a policy governs: those whose name matches a pattern, of the teams named.

    In a pattern `*` stands for any characters, `?` for one. `teams`: empty for all teams.
    """

    models: Annotated[list[Pattern], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["*"])
    teams: list[Pattern] = []

    def rank(self, model: str, team: str) -> Rank | None:
        """How much it says about a model; None where it does not govern it."""
        if self.teams and name_key(team) not in {name_key(one) for one in self.teams}:
            return None
        letters = _letters(model)
        return max((_rank(one, self) for one in self.models if _overlap(_pattern(one), letters)), default=None)

    def __str__(self) -> str:
        teams = f" of {'team' if len(self.teams) == 1 else 'teams'} {', '.join(self.teams)}" if self.teams else ""
        return f"{', '.join(self.models)}{teams}"


def check_governs(governs: Governs) -> None:
    """Refuse patterns that no name could have, and ones that stand there twice.

    Raises:
        PolicyError: naming the path.
    """
    for field, names in (("models", governs.models), ("teams", governs.teams)):
        for position, name in enumerate(names):
            path = f"governs.{field}[{position}]"
            try:
                # A wildcard is no letter of a name, so that what is left must be one, unless nothing is.
                checked_name(path, name.translate({ord(wildcard): "x" for wildcard in WILDCARDS}))
            except InvalidInputError as error:
                raise PolicyError(path, f"{name!r} is no pattern of names: {error.rule}.") from None
            if field == "teams" and any(wildcard in name for wildcard in WILDCARDS):
                raise PolicyError(path, f"{name!r} has a wildcard.", "Name each team.")
        folded = [name_key(name) for name in names]
        if len(set(folded)) != len(folded):
            raise PolicyError(f"governs.{field}", "two entries mean the same.", "Keep one of them.")


def ambiguity(one: Governs, other: Governs) -> tuple[str, str] | None:
    """Two patterns, one of each policy, that say equally much about some name; None where there are none."""
    if one.teams and other.teams:
        shared = {name_key(team) for team in one.teams} & {name_key(team) for team in other.teams}
        if not shared:
            return None
    return next(
        (
            (mine, theirs)
            for mine in one.models
            for theirs in other.models
            if _rank(mine, one) == _rank(theirs, other) and _overlap(_pattern(mine), _pattern(theirs))
        ),
        None,
    )


def _rank(pattern: str, governs: Governs) -> Rank:
    folded = name_key(pattern)
    literal = sum(character not in WILDCARDS for character in folded)
    return (literal == len(folded), literal, bool(governs.teams))


def _letters(name: str) -> Letters:
    return tuple(name_key(name))


def _pattern(pattern: str) -> Letters:
    return tuple({"*": "", "?": None}.get(character, character) for character in name_key(pattern))


def _overlap(one: Letters, other: Letters) -> bool:
    """Whether some name matches both; walks over pairs of positions, so that no pattern takes long."""
    todo, seen = [(0, 0)], {(0, 0)}
    while todo:
        i, j = todo.pop()
        if i == len(one) and j == len(other):
            return True
        for step in _steps(one[i : i + 1], other[j : j + 1]):
            following = (i + step[0], j + step[1])
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return False


def _steps(mine: Letters, theirs: Letters) -> list[tuple[int, int]]:
    """How many letters of each can be passed, of what comes next in both."""
    steps = []
    if mine == ("",):
        steps += [(1, 0), (0, 1)] if theirs else [(1, 0)]
    if theirs == ("",):
        steps += [(0, 1), (1, 0)] if mine else [(0, 1)]
    if mine and theirs and "" not in (*mine, *theirs) and (mine == theirs or None in (*mine, *theirs)):
        steps.append((1, 1))
    return steps
