"""What can go wrong in the domain.

    ActaError                   says what happened and what to do; never a bug
    ├── InvalidInputError       a value breaks a rule: the field, the value, the remedy
    ├── UnstorableError         a number or a text that no column of the database holds
    ├── UnauthenticatedError    nobody is known to be asking
    ├── RefusedError            this actor may not do this
    ├── NotFoundError           nothing has that name, or the actor may not see it
    ├── ConflictError           the present state does not allow it
    ├── PreconditionRequiredError   an edit without the revision it is based on
    ├── OutdatedRevisionError   somebody else edited in between
    ├── TooLargeError           more bytes than the settings allow
    ├── UnsupportedMediaTypeError   a body of a kind that is not taken
    ├── UnprocessableError      well-formed, but its content cannot be used
    └── UnavailableError        something below us does not answer: a lock, a disk, a key file

Services raise these; `registry.app` turns them into RFC 9457 problem details, `registry.cli` into one line.
"""

from typing import ClassVar


class ActaError(Exception):
    """An expected failure: `sentence` says what happened, `remedy` what to do about it."""

    title: ClassVar[str] = "Acta could not do this"
    slug: ClassVar[str] = "error"
    recorded_as: ClassVar[str | None] = None
    """Action of the audit entry that outlives the rollback, where refusing a known actor is itself an event."""
    subject: object = None
    """What such an entry is about; None for the actor."""

    def __init__(self, sentence: str, remedy: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}" if self.remedy else self.sentence


class InvalidInputError(ActaError):
    """A value breaks a rule."""

    title = "A value breaks a rule"
    slug = "invalid-input"

    def __init__(self, field: str, value: object, rule: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = shown[:77] + "…"
        super().__init__(f"{field} is {shown}: {rule}")
        self.field = field
        self.rule = rule


class UnstorableError(ActaError):
    """A number or a text that no column of the database holds."""

    title = "A value breaks a rule"
    slug = "invalid-input"
    rule = "a number or a text in it is out of what the database holds"

    def __init__(self) -> None:
        super().__init__(f"The request cannot be taken: {self.rule}.")


class UnauthenticatedError(ActaError):
    """The request carries no token, or one that is unknown, expired or revoked."""

    title = "Sign in first"
    slug = "unauthenticated"


class RefusedError(ActaError):
    """A known actor asked for something that the rules do not let this actor do."""

    title = "Refused"
    slug = "refused"
    recorded_as = "access.refused"


class NotFoundError(ActaError):
    """Nothing has that name. What an actor may not see is not found either."""

    title = "Not found"
    slug = "not-found"

    def __init__(self, kind: str, identifier: object) -> None:
        super().__init__(f"There is no {kind} {str(identifier)!r}.")
        self.kind = kind
        self.identifier = identifier


class ConflictError(ActaError):
    """The present state does not allow it."""

    title = "The present state does not allow this"
    slug = "conflict"


class PreconditionRequiredError(ActaError):
    """An edit came without the revision it is based on."""

    title = "Say which revision you edit"
    slug = "precondition-required"


class OutdatedRevisionError(ActaError):
    """Somebody else edited in between."""

    title = "Somebody else edited in between"
    slug = "outdated-revision"


class TooLargeError(ActaError):
    """More bytes than the settings allow."""

    title = "Too large"
    slug = "too-large"


class UnsupportedMediaTypeError(ActaError):
    """A body of a kind that is not taken; `taken` is the media type that is."""

    title = "This kind of body is not taken"
    slug = "unsupported-media-type"

    def __init__(self, given: str | None, taken: str) -> None:
        shown = "is not given" if given is None else f"is {given[:80]!r}"
        super().__init__(f"Content-Type {shown}: this route takes {taken}.")


class UnprocessableError(ActaError):
    """Well-formed, but its content cannot be used; `field` names the part at fault."""

    title = "This content cannot be used"
    slug = "unprocessable"

    def __init__(self, field: str, sentence: str, remedy: str | None = None) -> None:
        super().__init__(sentence, remedy)
        self.field = field


class UnavailableError(ActaError):
    """Something below us does not answer: a lock, a disk, a key file, another service."""

    title = "Not available now"
    slug = "unavailable"
