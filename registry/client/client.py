"""The client: one method for each thing that the API does."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec

from registry.access.actor import ActorKind, Role, ScopeKind
from registry.catalog.facts import LineageEdge, RiskProfile, VersionFacts
from registry.client import answers
from registry.client.answers import ColumnRoles, DecisionWord
from registry.client.connection import Connection, Upload, version_path
from registry.client.errors import ApiError, JobFailedError
from registry.client.findings import FindingCalls
from registry.client.gates import GateCalls
from registry.client.monitoring import MonitoringCalls
from registry.client.paging import pages
from registry.client.policies import PolicyCalls
from registry.client.promotions import PromotionCalls
from registry.client.registration import EnvironmentLock

Item = TypeVar("Item")

POLL_SECONDS = 0.2
EDITABLE = ("owner_id", "purpose", "intended_users", "out_of_scope", "limitations", "affected_persons")
"""What an edit of a model replaces besides its answers about risk."""
LOCK_KIND = "environment-lock"
"""The kind of document under which the environment's lock file is kept."""
MEDIA_TYPES = {
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".lock": "text/plain",
    ".toml": "text/plain",
    ".yaml": "text/plain",
    ".yml": "text/plain",
    ".csv": "text/csv",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".parquet": "application/vnd.apache.parquet",
}


class Client(FindingCalls, GateCalls, MonitoringCalls, PolicyCalls, PromotionCalls):
    """Speaks to the server at `url` as whoever holds `token`. Close it, or use it as a context manager.

    Each method raises `ApiError` where the server refuses, `UnreachableError` where none answers.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._connection = Connection(url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _all(self, path: str, kind: type[answers.Page[Item]], **query: str | int | None) -> Iterator[Item]:
        return pages(self._connection, path, kind, query)

    # Who may do what.

    def me(self) -> answers.Me:
        """Whose token this is."""
        return self._connection.get("/api/v1/me", answers.Me)

    def create_actor(
        self,
        name: str,
        *,
        kind: ActorKind = ActorKind.PERSON,
        email: str | None = None,
        responsible_id: UUID | None = None,
    ) -> answers.Actor:
        """Make a person or a machine known."""
        body = {"name": name, "kind": kind, "email": email, "responsible_id": responsible_id}
        return self._connection.post("/api/v1/actors", body, answers.Actor)

    def actors(self) -> Iterator[answers.Actor]:
        """All actors by name."""
        return self._all("/api/v1/actors", answers.Page[answers.Actor])

    def record_leaving(self, actor_id: UUID) -> answers.Actor:
        """An actor leaves."""
        return self._connection.post(f"/api/v1/actors/{actor_id}/leaving", {}, answers.Actor)

    def grant_role(
        self, actor_id: UUID, role: Role, scope: ScopeKind = ScopeKind.ALL, name: str | None = None
    ) -> answers.Grant:
        """Grant a role on everything, on the team `name`, or on the model `name`."""
        body = {"role": role, "scope_kind": scope, "scope_name": name}
        return self._connection.post(f"/api/v1/actors/{actor_id}/roles", body, answers.Grant)

    def grants(self, actor_id: UUID) -> list[answers.Grant]:
        """All grants of an actor, ended ones too."""
        return self._connection.get(f"/api/v1/actors/{actor_id}/roles", list[answers.Grant])

    def revoke_role(self, grant_id: UUID) -> None:
        """End a grant."""
        self._connection.delete(f"/api/v1/roles/{grant_id}")

    def create_token(self, label: str, *, actor_id: UUID | None = None, days: int | None = None) -> answers.IssuedToken:
        """A new API token: one's own, or an actor's."""
        body = {"label": label, "actor_id": actor_id, "days": days}
        return self._connection.post("/api/v1/tokens", body, answers.IssuedToken)

    def tokens(self, actor_id: UUID | None = None) -> list[answers.Token]:
        """One's own tokens, or an actor's."""
        query = {"actor_id": None if actor_id is None else str(actor_id)}
        return self._connection.get("/api/v1/tokens", list[answers.Token], query)

    def revoke_token(self, token_id: UUID) -> None:
        """End a token."""
        self._connection.delete(f"/api/v1/tokens/{token_id}")

    # Models and versions.

    def register_model(
        self,
        name: str,
        *,
        team: str,
        owner_id: UUID,
        purpose: str,
        profile: RiskProfile,
        intended_users: str | None = None,
        out_of_scope: str | None = None,
        limitations: str | None = None,
        affected_persons: str | None = None,
    ) -> answers.Model:
        """Register a model."""
        body = {
            "name": name,
            "team": team,
            "owner_id": owner_id,
            "purpose": purpose,
            "risk_profile": profile,
            "intended_users": intended_users,
            "out_of_scope": out_of_scope,
            "limitations": limitations,
            "affected_persons": affected_persons,
        }
        return self._connection.post("/api/v1/models", body, answers.Model)

    def model(self, name: str) -> answers.Model:
        """The model of that name."""
        return self._connection.get(f"/api/v1/models/{_part(name)}", answers.Model)

    def find_model(self, name: str) -> answers.Model | None:
        """The model of that name, or None where there is none that this actor may see."""
        try:
            return self.model(name)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def models(self, contains: str | None = None) -> list[answers.Model]:
        """All models that this actor may see, by name."""
        query = {"contains": contains}
        return list(pages(self._connection, "/api/v1/models", answers.Page[answers.Model], query))

    def edit_model(self, name: str, **changes: str | bool) -> answers.Model:
        """Change texts, owner and answers about risk; what is not named stays.

        Raises:
            ApiError: also where somebody else edited it meanwhile (412).
        """
        found = self.model(name)
        profile = msgspec.to_builtins(found.risk_profile)
        body = {field: getattr(found, field) for field in EDITABLE} | {"risk_profile": profile}
        for field, value in changes.items():
            part = profile if field in profile else body
            part[field] = value.replace("-", " ") if part is profile and isinstance(value, str) else value
        headers = {"If-Match": f'"{found.revision}"'}
        return self._connection.put(f"/api/v1/models/{_part(name)}", body, answers.Model, headers=headers)

    def register_version(self, model: str, facts: VersionFacts) -> answers.Version:
        """Register a version; a job then verifies its content digest."""
        return self._connection.post(f"/api/v1/models/{_part(model)}/versions", facts, answers.Version)

    def version(self, model: str, number: int) -> answers.Version:
        """A version."""
        return self._connection.get(version_path(model, number), answers.Version)

    def versions(self, model: str | None = None, stage: str | None = None) -> Iterator[answers.Version]:
        """Versions by model name, newest first."""
        return self._all("/api/v1/versions", answers.Page[answers.Version], model=model, stage=stage)

    def lineage(self, model: str, number: int) -> list[LineageEdge]:
        """What a version came from."""
        return self._connection.get(f"{version_path(model, number)}/lineage", list[LineageEdge])

    def set_alias(self, model: str, alias: str, number: int) -> answers.Version:
        """Point an alias at a version."""
        path = f"/api/v1/models/{_part(model)}/aliases/{_part(alias)}"
        return self._connection.put(path, {"version": number}, answers.Version)

    # What a version must show.

    def upload_document(self, model: str, number: int, path: Path, *, kind: str, title: str) -> answers.Document:
        """Add a document; its media type follows from the file's name.

        Raises:
            OSError: the file cannot be read.
        """
        form = {"kind": kind, "title": title}
        file = Upload(path, media_type_of(path))
        return self._connection.upload(f"{version_path(model, number)}/documents", form, file, answers.Document)

    def upload_environment_lock(self, model: str, number: int, lock: EnvironmentLock) -> answers.Document:
        """Add the lock file that the lineage names, so that a check can read what it pins."""
        with TemporaryDirectory(prefix="acta-lock-") as directory:
            path = Path(directory) / lock.name
            path.write_bytes(lock.content)
            return self.upload_document(model, number, path, kind=LOCK_KIND, title="Environment lock")

    def documents(self, model: str, number: int) -> list[answers.Document]:
        """All documents of a version, the newest first; superseded ones too."""
        return self._connection.get(f"{version_path(model, number)}/documents", list[answers.Document])

    def document_content(self, document_id: UUID) -> bytes:
        """A document's bytes."""
        return self._connection.get_bytes(f"/api/v1/documents/{document_id}/content")

    def sign_off(self, document_id: UUID, comment: str | None = None) -> answers.Document:
        """Sign a document off, as a validator who did not write it."""
        path = f"/api/v1/documents/{document_id}/sign-off"
        return self._connection.post(path, {"comment": comment}, answers.Document)

    def request_assessment(self, model: str, number: int, data: Path, columns: ColumnRoles) -> answers.Assessment:
        """Ask for a bias assessment on a file of predictions; wait for its job with `wait_for_job`.

        Raises:
            OSError: the file cannot be read.
        """
        form = {"roles": msgspec.json.encode(columns).decode()}
        file = Upload(data, media_type_of(data))
        return self._connection.upload(f"{version_path(model, number)}/assessments", form, file, answers.Assessment)

    def assessment(self, assessment_id: UUID) -> answers.Assessment:
        """How an assessment stands."""
        return self._connection.get(f"/api/v1/assessments/{assessment_id}", answers.Assessment)

    def assessment_result(self, assessment_id: UUID) -> bytes:
        """The whole result as JSON."""
        return self._connection.get_bytes(f"/api/v1/assessments/{assessment_id}/result")

    # Promotion.

    def request_promotion(
        self, model: str, number: int, target_stage: str, justification: str
    ) -> answers.PromotionCase:
        """Ask for a version to be moved to a stage."""
        body = {"model": model, "version": number, "target_stage": target_stage, "justification": justification}
        return self._connection.post("/api/v1/promotions", body, answers.PromotionCase)

    def promotions(self, model: str | None = None, state: str | None = None) -> Iterator[answers.Promotion]:
        """Promotion requests, newest first."""
        return self._all("/api/v1/promotions", answers.Page[answers.Promotion], model=model, state=state)

    def promotion(self, request_id: UUID) -> answers.PromotionCase:
        """A promotion request."""
        return self._connection.get(f"/api/v1/promotions/{request_id}", answers.PromotionCase)

    def review(self, request_id: UUID, role: Role, decision: DecisionWord, reason: str) -> answers.PromotionCase:
        """Decide on a request in one of one's roles."""
        body = {"role": role, "decision": decision, "reason": reason}
        return self._connection.post(f"/api/v1/promotions/{request_id}/reviews", body, answers.PromotionCase)

    def execute(self, request_id: UUID) -> answers.PromotionCase:
        """Move the version, if the gate is met now.

        Raises:
            ApiError: status 409; `unmet_items` reads from it what is not met.
        """
        return self._connection.post(f"/api/v1/promotions/{request_id}/execution", {}, answers.PromotionCase)

    def withdraw(self, request_id: UUID, reason: str) -> answers.PromotionCase:
        """Take a request back."""
        return self._connection.post(
            f"/api/v1/promotions/{request_id}/withdrawal", {"reason": reason}, answers.PromotionCase
        )

    # Cards, jobs, the log.

    def request_card(self, model: str, number: int) -> answers.Card:
        """Ask for a signed model card; wait for its job with `wait_for_job`."""
        return self._connection.post(f"{version_path(model, number)}/cards", {}, answers.Card)

    def cards(self, model: str, number: int) -> list[answers.Card]:
        """All cards of a version, the newest first."""
        return self._connection.get(f"{version_path(model, number)}/cards", list[answers.Card])

    def card(self, card_id: UUID) -> answers.Card:
        """How a card stands."""
        return self._connection.get(f"/api/v1/cards/{card_id}", answers.Card)

    def download_card(self, card_id: UUID) -> bytes:
        """The sealed PDF."""
        return self._connection.get_bytes(f"/api/v1/cards/{card_id}/pdf")

    def jobs(self, subject_id: UUID | None = None, state: str | None = None) -> Iterator[answers.Job]:
        """Jobs, newest first."""
        subject = None if subject_id is None else str(subject_id)
        return self._all("/api/v1/jobs", answers.Page[answers.Job], subject_id=subject, state=state)

    def job(self, job_id: UUID) -> answers.Job:
        """How far a job is."""
        return self._connection.get(f"/api/v1/jobs/{job_id}", answers.Job)

    def cancel_job(self, job_id: UUID) -> answers.Job:
        """Ask for a job to stop."""
        return self._connection.post(f"/api/v1/jobs/{job_id}/cancellation", {}, answers.Job)

    def replay_job(self, job_id: UUID) -> answers.Job:
        """Try a dead or cancelled job again."""
        return self._connection.post(f"/api/v1/jobs/{job_id}/replay", {}, answers.Job)

    def wait_for_job(
        self, job_id: UUID, on_progress: Callable[[float, str | None], None] | None = None, *, seconds: float = 3600
    ) -> answers.Job:
        """Wait until a job has ended. `on_progress` gets its progress (0 to 1) and what it is doing.

        Raises:
            JobFailedError: it ended without a result, or did not end in `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            job = self.job(job_id)
            if on_progress is not None:
                on_progress(job.progress, job.progress_text)
            if job.state == "succeeded":
                return job
            if job.ended:
                raise JobFailedError(job.kind, job.state, job.error)
            if time.monotonic() > deadline:
                raise JobFailedError(job.kind, f"still {job.state} after {seconds:.0f} s", job.error)
            time.sleep(POLL_SECONDS)

    def entries(self, subject_id: UUID | None = None, action: str | None = None) -> Iterator[answers.Entry]:
        """Entries of the audit log, newest first."""
        subject = None if subject_id is None else str(subject_id)
        return self._all("/api/v1/audit/entries", answers.Page[answers.Entry], subject_id=subject, action=action)

    def entry(self, sequence: int) -> answers.Proof:
        """An entry with the proof that it is in the log."""
        return self._connection.get(f"/api/v1/audit/entries/{sequence}", answers.Proof)

    def checkpoint(self) -> str:
        """The newest signed checkpoint, to be kept where the log's keeper cannot change it."""
        return self._connection.get_bytes("/log/checkpoint").decode()


def unmet_items(error: ApiError) -> list[answers.UnmetItem]:
    """What a refused execution lists: each unmet item, and who can meet it."""
    return error.member("unmet", list[answers.UnmetItem]) or []


def media_type_of(path: Path) -> str:
    """The media type that a file's name says, where Acta takes it; else bytes of no known type."""
    return MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def _part(name: str) -> str:
    """A name as one part of a path: what would lead elsewhere is encoded."""
    return quote(name, safe="")
