"""ETag and If-Match where two people may edit the same thing (RFC 9110, sections 8.8.3 and 13.1.1)."""

import re

from registry.errors import InvalidInputError, PreconditionRequiredError


def etag(revision: int) -> str:
    """The entity tag of a revision."""
    return f'"{revision}"'


def revision_in(if_match: str | None) -> int:
    """The revision that an edit says it is based on.

    Raises:
        PreconditionRequiredError: no If-Match came.
        InvalidInputError: it is not an ETag of ours.
    """
    if if_match is None:
        raise PreconditionRequiredError(
            "This edit does not say which revision it is based on.",
            "Read it first, and send its ETag as If-Match.",
        )
    match = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if match is None:
        raise InvalidInputError("If-Match", if_match, 'send the ETag that reading it gave, such as "3"')
    return int(match[1])
