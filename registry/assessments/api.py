"""Routes of bias assessments."""

from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
from anyio import to_thread
from litestar import Controller, Request, Response, get, head, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, MultipartBody

from registry.access.actor import Actor
from registry.assessments import service
from registry.assessments.columns import columns_of
from registry.assessments.request import AssessmentRoles, parse_roles
from registry.assessments.service import ASSESSORS, FoundAssessment, Predictions
from registry.http.downloads import describe, hand_out
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.http.uploads import STORED_FILE, StoredFile, dataset_limit, takes_form
from registry.storage import Storage
from registry.unit import Unit


class AssessmentForm(msgspec.Struct):
    """A table of outcomes and predictions, Parquet or CSV, and which column holds what.

    `roles`: JSON with `outcome`, `prediction`, `sensitive` and, as needed, `positive`, `score`, `weight`, `bands`,
    `preset`, `declared_digest`.
    """

    roles: str
    file: UploadFile


class AssessmentView(msgspec.Struct):
    """A bias assessment, and what became of it."""

    id: UUID
    version_id: UUID
    job_id: UUID | None
    state: str
    error: str | None
    origin: str
    requested_by: UUID
    requested_at: datetime
    data_name: str
    data_sha256: str
    data_size_bytes: int
    declared_digest: str | None
    roles: AssessmentRoles
    verdict: str | None
    rows: int | None
    summary: str | None
    result_sha256: str | None
    finished_at: datetime | None

    @classmethod
    def of(cls, found: FoundAssessment) -> "AssessmentView":
        """The view of an assessment and its job."""
        row = found.row
        return cls(
            id=row.id,
            version_id=row.version_id,
            job_id=row.job_id,
            state=found.state.value,
            error=found.error,
            origin=row.origin,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            data_name=row.data_name,
            data_sha256=row.data_digest.hex(),
            data_size_bytes=row.data_size_bytes,
            declared_digest=None if row.declared_digest is None else row.declared_digest.hex(),
            roles=msgspec.convert(row.roles, AssessmentRoles),
            verdict=row.verdict,
            rows=row.rows,
            summary=row.summary,
            result_sha256=None if row.result_digest is None else row.result_digest.hex(),
            finished_at=row.finished_at,
        )


async def provide_predictions(request: Request[Any, Any, Any], stored_file: NamedDependency[StoredFile]) -> Predictions:
    """The stored table and the names of its columns, read in a thread before any transaction."""
    upload: UploadFile = (await request.form())["file"]
    file: BinaryIO = upload.file  # type: ignore[assignment]  # a spooled file is one in all but its type
    columns = await to_thread.run_sync(columns_of, file, stored_file.name)
    return Predictions(stored_file.name, stored_file.digest, stored_file.size_bytes, columns)


class AssessmentController(Controller):
    """Bias assessments of model versions."""

    path = "/api/v1"
    tags = ["assessments"]

    @post(
        "/models/{name:str}/versions/{number:int}/assessments",
        guards=[requires(*ASSESSORS), takes_form(dataset_limit, "roles")],
        dependencies={**STORED_FILE, "predictions": Provide(provide_predictions)},
        request_max_body_size=None,
        status_code=202,
    )
    @writes
    def request(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: MultipartBody[AssessmentForm],
        predictions: NamedDependency[Predictions],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> Response[AssessmentView]:
        """Have a version assessed. `Location` says where to ask what became of it."""
        view = AssessmentView.of(service.request(unit, actor, name, number, predictions, parse_roles(data.roles)))
        return Response(view, status_code=202, headers={"Location": f"/api/v1/assessments/{view.id}"})

    @get("/models/{name:str}/versions/{number:int}/assessments", guards=[signed_in])
    @reads
    def search(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[AssessmentView]:
        """All assessments of a version, the newest first."""
        return [AssessmentView.of(found) for found in service.list_assessments(unit, actor, name, number)]

    @get("/assessments/{assessment_id:uuid}", guards=[signed_in])
    @reads
    def show(
        self, assessment_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> AssessmentView:
        """How far an assessment is, and its verdict."""
        return AssessmentView.of(service.find_assessment(unit, actor, assessment_id))

    @get("/assessments/{assessment_id:uuid}/result", guards=[signed_in])
    async def result(
        self,
        assessment_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """The whole result (`fairness/assessment.schema.json`). The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: service.download_result(unit, actor, assessment_id))

    @head("/assessments/{assessment_id:uuid}/result", guards=[signed_in])
    async def result_headers(
        self,
        assessment_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of the result."""
        return await describe(request, storage, lambda unit: service.download_result(unit, actor, assessment_id))
