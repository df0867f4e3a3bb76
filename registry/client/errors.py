"""What a client can meet.

ApiError            the server answered with problem details (RFC 9457)
JobFailedError      a job that was waited for ended without a result
UnreachableError    no server answers there
"""

from typing import TypeVar

import msgspec

from registry.errors import ActaError, UnavailableError

Part = TypeVar("Part")


class FieldError(msgspec.Struct, frozen=True):
    """A field of the request, and the rule that its value breaks."""

    field: str
    rule: str


class _Problem(msgspec.Struct):
    title: str = "The server answered with an error"
    detail: str = ""
    remedy: str | None = None
    errors: list[FieldError] = []


class ApiError(ActaError):
    """The server's answer says that it did not do it, and why."""

    slug = "api"

    def __init__(self, status: int, body: bytes) -> None:
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except msgspec.DecodeError:
            problem = _Problem(detail=f"It answered {status} without saying why.")
        super().__init__(problem.detail or f"{problem.title}.", problem.remedy)
        self.status = status
        self.problem_title = problem.title
        self.errors = tuple(problem.errors)
        self.body = body
        """The problem details as they came, for members that only some errors have."""

    @property
    def detail(self) -> str:
        """What happened, in one sentence."""
        return self.sentence

    def __str__(self) -> str:
        fields = "; ".join(f"{error.field}: {error.rule}" for error in self.errors if error.rule not in self.sentence)
        return super().__str__() + (f" ({fields})" if fields else "")

    def member(self, name: str, kind: type[Part]) -> Part | None:
        """A further member of the problem details, where it is there and of that kind."""
        try:
            members = msgspec.json.decode(self.body, type=dict[str, msgspec.Raw])
            return None if name not in members else msgspec.json.decode(members[name], type=kind)
        except msgspec.DecodeError:
            return None


class JobFailedError(ActaError):
    """The job ended without a result."""

    slug = "job-failed"

    def __init__(self, kind: str, state: str, error: str | None) -> None:
        super().__init__(f"The job {kind!r} is {state}: {error or 'it gave no reason.'}")
        self.state = state


class UnreachableError(UnavailableError):
    """No server answers at that address."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"No Acta server answers at {url} ({reason}).", "Start one with `acta serve`, or correct ACTA_URL."
        )
        self.url = url
