"""Routes of monitoring plans, test alerts and profiles of training data."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody

from registry.access.actor import Actor, Role
from registry.catalog.service import find_version
from registry.http.guards import requires, signed_in
from registry.http.revisions import etag, revision_in
from registry.http.transactions import reads, writes
from registry.monitoring import service
from registry.monitoring.alerts import SentAlert, alerts_of, send_test_alert
from registry.monitoring.plan import MonitoringPlan, json_schema, missing_parts
from registry.monitoring.profile import ColumnProfile, TrainingProfile
from registry.monitoring.service import PLANNING, StatedPlan, StoredProfile
from registry.names import checked_digest
from registry.unit import Unit

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description='The ETag that reading it gave; "0" where there is no plan yet.'),
]


class PlanView(msgspec.Struct, frozen=True):
    """A monitoring plan, and what it does not say yet."""

    revision: int
    plan: MonitoringPlan
    missing: list[str]
    digest: str
    stated_by: UUID
    stated_at: datetime

    @classmethod
    def of(cls, stated: StatedPlan) -> "PlanView":
        """The view of a stated plan."""
        row = stated.row
        missing = missing_parts(stated.plan)
        return cls(row.revision, stated.plan, missing, row.digest.hex(), row.stated_by, row.stated_at)


class AlertView(msgspec.Struct, frozen=True):
    """An alert. Its link is in the message alone."""

    id: UUID
    plan_revision: int
    owner_id: UUID
    raised_by: UUID
    raised_at: datetime
    expires_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    delivery_state: str
    job_id: UUID | None

    @classmethod
    def of(cls, alert: SentAlert) -> "AlertView":
        """The view of an alert."""
        row = alert.row
        return cls(
            id=row.id,
            plan_revision=row.plan_revision,
            owner_id=row.owner_id,
            raised_by=row.raised_by,
            raised_at=row.raised_at,
            expires_at=row.expires_at,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            delivery_state=alert.delivery_state,
            job_id=alert.job_id,
        )


class StatedProfile(msgspec.Struct, forbid_unknown_fields=True):
    """A profile that a client computed from the training data."""

    dataset_digest: str
    """SHA-256 of the data set, as the version's lineage names it."""
    profile: TrainingProfile


class ProfileView(msgspec.Struct, frozen=True):
    """The profile of a training data set."""

    dataset_name: str
    dataset_digest: str
    origin: str
    rows: int
    columns: list[ColumnProfile]
    stated_by: UUID | None
    made_at: datetime

    @classmethod
    def of(cls, stored: StoredProfile) -> "ProfileView":
        """The view of a stored profile."""
        row, profile = stored.row, stored.profile
        return cls(
            dataset_name=row.dataset_name,
            dataset_digest=row.dataset_digest.hex(),
            origin=row.origin,
            rows=profile.rows,
            columns=profile.columns,
            stated_by=row.stated_by,
            made_at=row.made_at,
        )


class MonitoringController(Controller):
    """How a version is watched once it serves."""

    path = "/api/v1/models/{name:str}/versions/{number:int}"
    tags = ["monitoring"]

    @get("/monitoring-plan", guards=[signed_in])
    @reads
    def show(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[PlanView]:
        """The monitoring plan. Its ETag is what an edit must send as If-Match."""
        view = PlanView.of(service.get_plan(unit, find_version(unit, actor, name, number)))
        return Response(view, headers={"ETag": etag(view.revision)})

    @put("/monitoring-plan", guards=[requires(*PLANNING)])
    @writes
    def replace(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[MonitoringPlan],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        if_match: IfMatch = None,
    ) -> Response[PlanView]:
        """State the monitoring plan, whole or in part."""
        found = find_version(unit, actor, name, number)
        view = PlanView.of(service.state_plan(unit, actor, found, revision_in(if_match), data))
        return Response(view, headers={"ETag": etag(view.revision)})

    @post("/monitoring-plan/test-alert", guards=[requires(*PLANNING)], status_code=202)
    @writes
    def test_alert(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[AlertView]:
        """Send a real alert along the plan's route; its owner acknowledges it by the link that it carries."""
        found = find_version(unit, actor, name, number)
        return Response(AlertView.of(send_test_alert(unit, actor, found)), status_code=202)

    @get("/alerts", guards=[signed_in])
    @reads
    def alerts(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[AlertView]:
        """The alerts of a version, newest first; at most 100."""
        found = find_version(unit, actor, name, number)
        return [AlertView.of(alert) for alert in alerts_of(unit, found.version.id)]

    @get("/training-profiles", guards=[signed_in])
    @reads
    def profiles(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[ProfileView]:
        """What the training data looked like, column by column."""
        found = find_version(unit, actor, name, number)
        return [ProfileView.of(stored) for stored in service.profiles_of(unit, found.version.id)]

    @put("/training-profiles", guards=[requires(Role.DEVELOPER)])
    @writes
    def state_profile(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[StatedProfile],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> ProfileView:
        """State what the training data looked like. A profile that Acta read itself stays."""
        found = find_version(unit, actor, name, number)
        digest = checked_digest("dataset_digest", data.dataset_digest)
        return ProfileView.of(service.state_profile(unit, actor, found, digest, data.profile))


class PlanSchemaController(Controller):
    """The form of a monitoring plan."""

    path = "/api/v1/schemas/monitoring-plan"
    tags = ["monitoring"]

    @get("/", guards=[signed_in], sync_to_thread=False)
    def show(self) -> dict[str, object]:
        """The JSON Schema of a monitoring plan."""
        return json_schema()
